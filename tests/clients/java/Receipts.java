import com.google.gson.JsonObject;
import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.xianjie.v1.LedgerRecord;
import org.xianjie.v1.Receipt;
import org.xianjie.v1.Seen;

/** Receipts, verified offline in the steps of docs/formats.md, and the continuity of the ledger. */
final class Receipts {
    /** What stands before the 32 bytes of an Ed25519 key in X.509 (RFC 8410); Java takes no raw keys. */
    private static final byte[] ED25519 = new BigInteger("302a300506032b6570032100", 16).toByteArray();

    private Receipts() {}

    /** The trust file: whose checkpoints count. */
    static final class Trust {
        final String origin;
        private final List<String> keys = new ArrayList<>();

        Trust(JsonObject json) {
            origin = json.get("origin").getAsString();
            json.get("checkpoint_keys").getAsJsonArray().forEach(key -> keys.add(key.getAsString()));
        }
    }

    /** Verifies a receipt with the trust file alone; returns its checkpoint. `document` may be null. */
    static Seen check(Receipt receipt, Trust trust, byte[] document) throws Exception {
        byte[] leaf = receipt.getLeaf().toByteArray();
        byte[] commitment = sha256(
                "xianjie/record/v1\0".getBytes(StandardCharsets.UTF_8),
                receipt.getSalt().toByteArray(),
                receipt.getRecord().toByteArray());
        boolean committed = Arrays.equals(commitment, Arrays.copyOfRange(leaf, 9, leaf.length));
        expect(leaf.length == 41 && leaf[0] == 1 && committed, "1: commitment");
        Seen checkpoint = checkNote(receipt.getCheckpoint(), trust);
        long last = checkpoint.getSize() - 1;
        expect(receipt.getIndex() <= last, "2: index");
        byte[] start = sha256(new byte[] {0}, leaf);
        byte[][] roots = climb(receipt.getIndex(), last, start, receipt.getPathList());
        expect(Arrays.equals(roots[1], checkpoint.getRoot().toByteArray()), "2: inclusion path");
        if (document != null) {
            var record = LedgerRecord.parseFrom(receipt.getRecord()).getDocument();
            byte[] salted = sha256(
                    "xianjie/document/v1\0".getBytes(StandardCharsets.UTF_8),
                    receipt.getDocumentSalt().toByteArray(),
                    sha256(document));
            expect(Arrays.equals(salted, record.getDocumentCommitment().toByteArray()), "4: document");
        }
        return checkpoint;
    }

    /** Step 3: a checkpoint is a signed note of three lines by the ledger's own key. */
    private static Seen checkNote(String note, Trust trust) throws Exception {
        int end = note.lastIndexOf("\n\n") + 1;
        expect(end > 0, "3: form");
        String text = note.substring(0, end);
        boolean verified = false;
        for (String line : note.substring(end + 1).split("\n")) {
            String[] parts = line.split(" ");
            byte[] payload = Base64.getDecoder().decode(parts[2]);
            for (String known : trust.keys) {
                String[] key = known.split("\\+", 3); // name, id, and a key that may hold a +
                if (!key[0].equals(parts[1]) || !key[1].equals(hex(Arrays.copyOf(payload, 4)))) {
                    continue; // a line of a key that is not known says nothing
                }
                var verifier = Signature.getInstance("Ed25519");
                verifier.initVerify(ed25519(Base64.getDecoder().decode(key[2])));
                verifier.update(text.getBytes(StandardCharsets.UTF_8));
                expect(verifier.verify(payload, 4, payload.length - 4), "3: a false signature");
                verified |= key[0].equals(trust.origin);
            }
        }
        String[] lines = text.split("\n");
        expect(verified && lines[0].equals(trust.origin), "3: checkpoint");
        ByteString root = ByteString.copyFrom(Base64.getDecoder().decode(lines[2]));
        return Seen.newBuilder().setSize(Long.parseLong(lines[1])).setRoot(root).build();
    }

    /** The public key after its type byte. */
    private static PublicKey ed25519(byte[] typed) throws Exception {
        byte[] encoded = Arrays.copyOf(ED25519, ED25519.length + 32);
        System.arraycopy(typed, 1, encoded, ED25519.length, 32);
        return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
    }

    /**
     * Up an inclusion or consistency path (RFC 9162, 2.1.3.2 and 2.1.4.2): the root over what lies to the
     * left of `node`, and the root over all.
     */
    private static byte[][] climb(long node, long last, byte[] start, List<ByteString> path)
            throws Exception {
        byte[] left = start;
        byte[] whole = start;
        for (ByteString step : path) {
            byte[] sibling = step.toByteArray();
            expect(last != 0, "2: path too long");
            if ((node & 1) == 1 || node == last) {
                left = sha256(new byte[] {1}, sibling, left);
                whole = sha256(new byte[] {1}, sibling, whole);
                while ((node & 1) == 0 && node != 0) {
                    node >>>= 1;
                    last >>>= 1;
                }
            } else {
                whole = sha256(new byte[] {1}, whole, sibling);
            }
            node >>>= 1;
            last >>>= 1;
        }
        expect(last == 0, "2: path too short");
        return new byte[][] {left, whole};
    }

    /** That the tree of `newer` continues that of `old`, which is smaller. */
    static void checkConsistency(Seen old, Seen newer, List<ByteString> proof) throws Exception {
        var path = new ArrayList<>(proof);
        if (Long.bitCount(old.getSize()) == 1) {
            path.add(0, old.getRoot());
        }
        expect(!path.isEmpty(), "consistency");
        long node = old.getSize() - 1;
        long last = newer.getSize() - 1;
        while ((node & 1) == 1) {
            node >>>= 1;
            last >>>= 1;
        }
        byte[][] roots = climb(node, last, path.get(0).toByteArray(), path.subList(1, path.size()));
        boolean continues = Arrays.equals(roots[0], old.getRoot().toByteArray())
                && Arrays.equals(roots[1], newer.getRoot().toByteArray());
        expect(continues, "consistency: a forked ledger");
    }

    static byte[] sha256(byte[]... parts) throws Exception {
        var bytes = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            bytes.writeBytes(part);
        }
        return MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray());
    }

    static String hex(byte[] bytes) {
        return java.util.HexFormat.of().formatHex(bytes);
    }

    static void expect(boolean holds, String step) {
        if (!holds) {
            throw new Client.Stop("a proof does not hold, step " + step);
        }
    }
}

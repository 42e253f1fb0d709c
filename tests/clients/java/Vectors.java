import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import org.xianjie.v1.Receipt;
import org.xianjie.v1.Seen;

/** Holds {@link Receipts} against tests/vectors/receipts.json: what must verify, and what must not. */
final class Vectors {
    private Vectors() {}

    public static void main(String[] arguments) throws Exception {
        String text = Files.readString(Path.of(arguments[0]));
        JsonObject vectors = JsonParser.parseString(text).getAsJsonObject();
        var keys = new JsonArray();
        keys.add(vectors.get("checkpoint_key"));
        vectors.add("checkpoint_keys", keys);
        var trust = new Receipts.Trust(vectors);
        byte[] document = HexFormat.of().parseHex(vectors.get("document").getAsString());
        for (JsonElement one : vectors.getAsJsonArray("receipts")) {
            Seen seen = Receipts.check(receipt(one.getAsJsonObject()), trust, document);
            expect(seen.equals(seen(one.getAsJsonObject(), "")), "another checkpoint");
        }
        for (JsonElement one : vectors.getAsJsonArray("refused")) {
            Receipt receipt = receipt(one.getAsJsonObject());
            refuses(() -> Receipts.check(receipt, trust, document), one);
        }
        Receipt first = receipt(vectors.getAsJsonArray("receipts").get(0).getAsJsonObject());
        refuses(() -> Receipts.check(first, trust, "another".getBytes(UTF_8)), "another document");
        for (JsonElement one : vectors.getAsJsonArray("consistency")) {
            Seen old = seen(one.getAsJsonObject(), "old_");
            Seen newer = seen(one.getAsJsonObject(), "new_");
            var path = new ArrayList<ByteString>();
            one.getAsJsonObject().getAsJsonArray("path").forEach(hash -> path.add(hex(hash)));
            if (old.getSize() == newer.getSize()) {
                continue; // nothing to prove: the client compares the roots
            }
            Receipts.checkConsistency(old, newer, path);
            for (int place = 0; place < path.size(); place++) {
                var other = new ArrayList<>(path);
                other.set(place, old.getRoot().concat(newer.getRoot()));
                refuses(() -> Receipts.checkConsistency(old, newer, other), one);
            }
        }
        System.err.println("the vectors hold");
    }

    /** A receipt from its C2SP tlog-proof file; the extra data is the opening of the leaf. */
    private static Receipt receipt(JsonObject vector) {
        String[] parts = vector.get("proof").getAsString().split("\n\n", 2);
        String[] lines = parts[0].split("\n");
        ByteString opening = base64(lines[1].split(" ")[1]);
        var receipt = Receipt.newBuilder()
                .setIndex(Long.parseLong(lines[2].split(" ")[1]))
                .setLeaf(opening.substring(0, 41))
                .setSalt(opening.substring(41, 73))
                .setDocumentSalt(opening.substring(73, 105))
                .setRecord(opening.substring(105))
                .setCheckpoint(parts[1]);
        for (int place = 3; place < lines.length; place++) {
            receipt.addPath(base64(lines[place]));
        }
        return receipt.build();
    }

    private static Seen seen(JsonObject vector, String which) {
        return Seen.newBuilder()
                .setSize(vector.get(which + "size").getAsLong())
                .setRoot(hex(vector.get(which + "root")))
                .build();
    }

    private static ByteString hex(JsonElement value) {
        return ByteString.copyFrom(HexFormat.of().parseHex(value.getAsString()));
    }

    private static ByteString base64(String text) {
        return ByteString.copyFrom(Base64.getDecoder().decode(text));
    }

    private interface Check {
        void run() throws Exception;
    }

    private static void refuses(Check check, Object why) throws Exception {
        try {
            check.run();
        } catch (Client.Stop stop) {
            return;
        }
        throw new AssertionError("it verifies, and must not: " + why);
    }

    private static void expect(boolean holds, String why) {
        if (!holds) {
            throw new AssertionError(why);
        }
    }
}

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import com.google.protobuf.util.JsonFormat;
import com.google.protobuf.util.Timestamps;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.xianjie.v1.DirectoryServiceGrpc;
import org.xianjie.v1.Document;
import org.xianjie.v1.ExchangeServiceGrpc;
import org.xianjie.v1.GetConsistencyProofRequest;
import org.xianjie.v1.GetHubRequest;
import org.xianjie.v1.LedgerServiceGrpc;
import org.xianjie.v1.Receipt;
import org.xianjie.v1.Seen;
import org.xianjie.v1.SignedDocument;
import org.xianjie.v1.SubmitDocumentRequest;
import org.xianjie.v1.SubmitDocumentResponse;

/**
 * A client of a xianjie hub, with nothing of the project but proto/: mutual TLS, a document signed in
 * DSSE and submitted, receipts verified offline, a subscription with signed acknowledgements (签收).
 *
 * <pre>
 *   xianjie-java --profile DIR send FILE.json        a document; sending the file again is safe
 *   xianjie-java --profile DIR watch [--count N]     receive, store, verify and sign, for ever or so many
 *   xianjie-java --profile DIR ping AGENCY           a connection test
 *   xianjie-java --profile DIR query TOPIC CASE PURPOSE ARTICLE
 *                                                    what there is about a person (查询)
 * </pre>
 *
 * DIR holds profile.toml: the agency, the hub, the trust file and three keys, for the connection, for
 * documents and for acknowledgements. What must survive a crash is kept in DIR/java. Attachments are left
 * out; client.py has them. {@code build.sh} makes the program.
 */
public final class Client implements AutoCloseable {
    /** A person has to look: the same bytes would never be taken. */
    static class Stop extends RuntimeException {
        Stop(String why) {
            super(why);
        }
    }

    /** These bytes will never be taken; a mended document needs a new id. */
    static final class Refused extends Stop {
        Refused(String why) {
            super(why);
        }
    }

    private static final SecureRandom RANDOM = new SecureRandom();

    final String agency;
    final Receipts.Trust trust;
    final Identity acknowledgement;
    final Path files;
    final ManagedChannel channel;
    private final Identity document;

    Client(Path folder) throws Exception {
        Map<String, String> profile = Disk.profile(folder.resolve("profile.toml"));
        agency = profile.get("agency");
        String trusted = Files.readString(folder.resolve(profile.get("trust")));
        JsonObject json = JsonParser.parseString(trusted).getAsJsonObject();
        trust = new Receipts.Trust(json);
        document = new Identity(folder, profile, "document");
        acknowledgement = new Identity(folder, profile, "acknowledgement");
        files = folder.resolve("java");
        // PEM files as `xianjie` writes them: the chain leaf first, the key in PKCS#8.
        // The hub takes TLS 1.3, of which grpc-java must be told.
        var tls = GrpcSslContexts.forClient()
                .protocols("TLSv1.3")
                .trustManager(new ByteArrayInputStream(json.get("ca").getAsString().getBytes(UTF_8)))
                .keyManager(
                        folder.resolve(profile.get("transport.certificate")).toFile(),
                        folder.resolve(profile.get("transport.key")).toFile())
                .build();
        channel = NettyChannelBuilder.forTarget(profile.get("hub").replaceFirst("^https://", ""))
                .overrideAuthority(profile.get("server_name"))
                .sslContext(tls)
                .build();
    }

    /** The hub must be the one that the trust file names. */
    void start() {
        var hub = retry(() -> DirectoryServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(30, TimeUnit.SECONDS)
                .getHub(GetHubRequest.getDefaultInstance()));
        if (!hub.getLedger().equals(trust.origin)) {
            throw new Stop("the hub has another ledger: history was lost, or it is another hub");
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    // --- sending

    /** Sends the document of a JSON file: what was signed first is sent until there is an answer. */
    SubmitDocumentResponse send(Path path) throws Exception {
        byte[] source = Files.readAllBytes(path);
        Path outbox = files.resolve("outbox");
        byte[] place = Receipts.sha256(path.toAbsolutePath().toString().getBytes(UTF_8));
        String key = path.getFileName() + "-" + Receipts.hex(place).substring(0, 8);
        Path kept = outbox.resolve(key + ".signed");
        Path digest = outbox.resolve(key + ".source");
        String now = Receipts.hex(Receipts.sha256(source));
        if (!Files.exists(kept)) {
            var builder = Document.newBuilder();
            var fields = withoutComments(JsonParser.parseString(new String(source, UTF_8)));
            JsonFormat.parser().merge(fields.toString(), builder);
            if (builder.getAttachmentsCount() > 0) {
                throw new Stop("attachments must be uploaded first, which this sample leaves out");
            }
            Disk.store(digest, now.getBytes(UTF_8));
            Disk.store(kept, sign(builder).toByteArray());
        } else if (!Files.readString(digest).equals(now)) {
            throw new Stop(path + " has changed since it was sent: use another file for a new one");
        }
        try {
            var answer = submit(SignedDocument.parseFrom(Files.readAllBytes(kept)));
            Disk.store(outbox.resolve(key + ".receipt"), answer.getReceipt().toByteArray());
            return answer;
        } catch (Refused refused) {
            Files.delete(kept); // only acceptance binds an id: mend the file, and send it again
            throw refused;
        }
    }

    SubmitDocumentResponse ping(String other) throws Exception {
        var builder = Document.newBuilder();
        String fields = "{\"original_form\": \"ORIGINAL_FORM_ELECTRONIC\", \"ping\": {\"text\": \"ping\"},"
                + " \"classification\": \"CLASSIFICATION_UNCLASSIFIED\"}";
        JsonFormat.parser().merge(fields, builder);
        return submit(sign(builder.addChosenAgencies(other)));
    }

    /** Fills in what the file leaves open, encodes once, and signs those bytes. */
    private SignedDocument sign(Document.Builder builder) throws Exception {
        if (builder.getDocumentId().isEmpty()) {
            builder.setDocumentId(uuid7());
        }
        if (builder.getLedger().isEmpty()) {
            builder.setLedger(trust.origin);
        }
        if (builder.getSender().isEmpty()) {
            builder.setSender(agency);
        }
        if (!builder.hasCreateTime()) {
            builder.setCreateTime(Timestamps.fromMillis(System.currentTimeMillis()));
        }
        Seen seen = seen();
        if (seen != null && !builder.hasSeen()) {
            builder.setSeen(seen);
        }
        ByteString bytes = builder.build().toByteString();
        return SignedDocument.newBuilder()
                .setDocument(bytes)
                .addSignatures(document.sign(Identity.DOCUMENT, bytes.toByteArray()))
                .build();
    }

    private SubmitDocumentResponse submit(SignedDocument signed) throws Exception {
        var request = SubmitDocumentRequest.newBuilder()
                .setAgency(agency)
                .setSignedDocument(signed)
                .build();
        var answer = retry(() -> ExchangeServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(30, TimeUnit.SECONDS)
                .submitDocument(request));
        verify(answer.getReceipt(), signed.getDocument().toByteArray());
        return answer;
    }

    // --- what the hub proves

    /** Checks a receipt, and that its tree continues the last one seen. `document` may be null. */
    void verify(Receipt receipt, byte[] document) throws Exception {
        Seen now = Receipts.check(receipt, trust, document);
        Seen seen = seen();
        if (seen != null) {
            Seen old = seen.getSize() <= now.getSize() ? seen : now;
            Seen newer = old == seen ? now : seen;
            if (old.getSize() == newer.getSize()) {
                Receipts.expect(old.getRoot().equals(newer.getRoot()), "two trees of one size");
            } else {
                var request = GetConsistencyProofRequest.newBuilder()
                        .setOldSize(old.getSize())
                        .setNewSize(newer.getSize())
                        .build();
                var proof = retry(() -> LedgerServiceGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(30, TimeUnit.SECONDS)
                        .getConsistencyProof(request));
                Receipts.checkConsistency(old, newer, proof.getPathList());
            }
        }
        if (seen == null || seen.getSize() < now.getSize()) {
            Disk.store(files.resolve("seen"), now.toByteArray());
        }
    }

    Seen seen() throws Exception {
        Path path = files.resolve("seen");
        return Files.exists(path) ? Seen.parseFrom(Files.readAllBytes(path)) : null;
    }

    // --- errors

    /** Makes a call until it is answered, 0.5 to 60 seconds apart with jitter. */
    static <T> T retry(Supplier<T> call) {
        for (long pause = 500; ; pause = Math.min(pause * 2, 30_000)) {
            try {
                return call.get();
            } catch (StatusRuntimeException error) {
                sort(error);
                System.err.println(error.getStatus() + ": again");
                rest(pause);
            }
        }
    }

    /** Returns if the same call should be made again: its outcome is unknown, or it is not now. */
    static void sort(StatusRuntimeException error) {
        Metadata trailers = Status.trailersFromThrowable(error);
        String reason = trailer(trailers, "xianjie-reason");
        String advice = trailer(trailers, "xianjie-advice");
        if (reason == null || "RESEND".equals(advice)) {
            return;
        }
        String why = reason + " (" + advice + "): " + error.getStatus().getDescription();
        throw "NEW_DOCUMENT".equals(advice) ? new Refused(why) : new Stop(why);
    }

    private static String trailer(Metadata trailers, String name) {
        var key = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
        return trailers == null ? null : trailers.get(key);
    }

    static void rest(long millis) {
        try {
            Thread.sleep(millis + RANDOM.nextInt((int) millis));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new Stop("interrupted");
        }
    }

    // --- documents

    /** RFC 9562, version 7: 48 bits of milliseconds, then randomness, in lower case. */
    private static String uuid7() {
        long high = System.currentTimeMillis() << 16 | 0x7000 | RANDOM.nextInt(0x1000);
        long low = RANDOM.nextLong() >>> 2 | 1L << 63;
        return new UUID(high, low).toString();
    }

    /** A document file's fields: what begins with # is a comment, what is empty is not stated. */
    private static JsonElement withoutComments(JsonElement value) {
        if (value.isJsonArray()) {
            var kept = new JsonArray();
            value.getAsJsonArray().forEach(item -> kept.add(withoutComments(item)));
            return kept;
        }
        if (!value.isJsonObject()) {
            return value;
        }
        var kept = new JsonObject();
        value.getAsJsonObject().entrySet().forEach(field -> {
            JsonElement inner = withoutComments(field.getValue());
            boolean empty = inner.isJsonNull() || List.of("\"\"", "[]").contains(inner.toString());
            if (!field.getKey().startsWith("#") && !empty) {
                kept.add(field.getKey(), inner);
            }
        });
        return kept;
    }

    public static void main(String[] arguments) throws Exception {
        var words = List.of(arguments);
        String command = words.size() > 2 && words.get(0).equals("--profile") ? words.get(2) : "";
        String last = words.isEmpty() ? "" : words.get(words.size() - 1);
        boolean complete = !command.equals("query") || words.size() == 7;
        if (!complete || !List.of("send", "watch", "ping", "query").contains(command)) {
            System.err.println("usage: xianjie-java --profile DIR"
                    + " send FILE.json | watch [--count N] | ping AGENCY"
                    + " | query TOPIC CASE PURPOSE ARTICLE");
            System.exit(2);
        }
        try (var client = new Client(Path.of(words.get(1)))) {
            client.start();
            if (command.equals("watch")) {
                boolean counted = words.contains("--count");
                new Inbox(client).watch(counted ? Integer.parseInt(last) : Integer.MAX_VALUE);
                return;
            }
            if (command.equals("query")) {
                var query = new Query(client, words.get(3), words.get(4), words.get(5), words.get(6));
                query.tell();
                return;
            }
            var answer = command.equals("send") ? client.send(Path.of(last)) : client.ping(last);
            System.out.println("record " + answer.getReceipt().getIndex() + ", case "
                    + (answer.getCorrectionCase().isEmpty() ? "-" : answer.getCorrectionCase()));
        } catch (Stop stop) {
            System.err.println("STOP: " + stop.getMessage());
            System.exit(1);
        }
    }
}

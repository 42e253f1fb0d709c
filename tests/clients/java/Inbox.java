import com.google.protobuf.ByteString;
import com.google.protobuf.util.Timestamps;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.xianjie.v1.AcknowledgedDelivery;
import org.xianjie.v1.Acknowledgement;
import org.xianjie.v1.AcknowledgementResult;
import org.xianjie.v1.Advice;
import org.xianjie.v1.CertificatePurpose;
import org.xianjie.v1.Delivery;
import org.xianjie.v1.DirectoryServiceGrpc;
import org.xianjie.v1.Heartbeat;
import org.xianjie.v1.InboxServiceGrpc;
import org.xianjie.v1.LedgerRecord;
import org.xianjie.v1.ListAgencyCertificatesRequest;
import org.xianjie.v1.Seen;
import org.xianjie.v1.SignedAcknowledgement;
import org.xianjie.v1.SignedDocument;
import org.xianjie.v1.SubscribeOpen;
import org.xianjie.v1.SubscribeRequest;
import org.xianjie.v1.SubscribeResponse;

/** Receives an agency's deliveries: stores, verifies, and signs for each (签收). */
final class Inbox {
    private static final int CREDITS = 64;
    private static final int HEARTBEAT_SECONDS = 15;
    private static final int SILENCE_SECONDS = 45;

    private final Client client;
    private final Path folder;
    private final Map<ByteString, X509Certificate> certificates = new HashMap<>();

    Inbox(Client client) {
        this.client = client;
        folder = client.files.resolve("inbox");
    }

    /**
     * Receives until so many deliveries are settled. A broken stream is opened again from the last number
     * stored; what is stored but not settled is signed for again.
     */
    void watch(int count) throws Exception {
        long pause = 500;
        for (int settled = 0; settled < count; ) {
            int before = settled;
            try (var stream = new Stream()) {
                while (settled < count) {
                    settled += stream.next();
                }
            } catch (StatusRuntimeException error) {
                Client.sort(error);
                System.err.println(error.getStatus() + ": again");
                pause = settled > before ? 500 : Math.min(pause * 2, 30_000);
                Client.rest(pause);
            }
        }
    }

    /** One subscription. */
    private final class Stream implements AutoCloseable, StreamObserver<SubscribeResponse> {
        /** What the hub said: responses, and at last the error that ended the stream. */
        private final BlockingQueue<Object> said = new LinkedBlockingQueue<>();
        private final Map<ByteString, Long> open = new HashMap<>();
        private final StreamObserver<SubscribeRequest> requests;
        private final ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor();

        Stream() throws Exception {
            List<Long> numbers = stored();
            long last = numbers.isEmpty() ? 0 : numbers.get(numbers.size() - 1);
            requests = InboxServiceGrpc.newStub(client.channel).subscribe(this);
            ask(SubscribeRequest.newBuilder().setOpen(SubscribeOpen.newBuilder()
                    .setAgency(client.agency)
                    .setAfterInboxNumber(last)
                    .setCredits(CREDITS)
                    .setConsumer("java")));
            for (long number : numbers) {
                if (!Files.exists(file(number, "receipt"))) {
                    acknowledge(number);
                }
            }
            heart.scheduleAtFixedRate(
                    () -> ask(SubscribeRequest.newBuilder().setHeartbeat(Heartbeat.getDefaultInstance())),
                    HEARTBEAT_SECONDS, HEARTBEAT_SECONDS, TimeUnit.SECONDS);
        }

        /** Takes what the hub says next; returns how many deliveries that settled. */
        int next() throws Exception {
            Object message = said.poll(SILENCE_SECONDS, TimeUnit.SECONDS);
            if (message == null) {
                throw Status.UNAVAILABLE.withDescription("silence").asRuntimeException();
            }
            if (message instanceof StatusRuntimeException) {
                throw (StatusRuntimeException) message;
            }
            var response = (SubscribeResponse) message;
            switch (response.getMessageCase()) {
                case DELIVERY:
                    Delivery delivery = response.getDelivery();
                    // Verified or not, what was sent must not be lost.
                    Disk.store(file(delivery.getInboxNumber(), "delivery"), delivery.toByteArray());
                    System.out.println(delivery.getInboxNumber() + ": " + delivery.getDocumentType());
                    ask(SubscribeRequest.newBuilder().setAddCredits(1));
                    acknowledge(delivery.getInboxNumber());
                    return 0;
                case RESULT:
                    return settle(response.getResult());
                default: // opened, heartbeats, and what a later version may say
                    return 0;
            }
        }

        /** Signs for a stored delivery: encoded once, stored, then sent until it is answered. */
        private void acknowledge(long number) throws Exception {
            Path path = file(number, "statement");
            if (!Files.exists(path)) {
                var delivery = Delivery.parseFrom(Files.readAllBytes(file(number, "delivery")));
                check(delivery);
                Disk.store(path, statement(delivery).toByteArray());
            }
            var signed = SignedAcknowledgement.parseFrom(Files.readAllBytes(path));
            byte[] digest = Receipts.sha256(signed.getAcknowledgement().toByteArray());
            open.put(ByteString.copyFrom(digest), number);
            ask(SubscribeRequest.newBuilder().setAcknowledgement(signed));
        }

        /** The answer to a statement: only a receipt ends its retries. */
        private int settle(AcknowledgementResult result) throws Exception {
            if (result.hasRefusal()) {
                if (result.getRefusal().getAdvice() == Advice.ADVICE_RESEND) {
                    return 0; // with the next stream
                }
                throw new Client.Stop(open.get(result.getPayloadSha256()) + ": "
                        + result.getRefusal().getReason() + ": " + result.getRefusal().getMessage());
            }
            int settled = 0;
            for (var settlement : result.getSettlementsList()) {
                client.verify(settlement.getReceipt(), null);
                for (long number : settlement.getInboxNumbersList()) {
                    Disk.store(file(number, "receipt"), settlement.getReceipt().toByteArray());
                    System.out.println(number + ": signed for and settled");
                    settled++;
                }
            }
            return settled;
        }

        /** A stream of requests is not made for two threads, and the heart is one. */
        private synchronized void ask(SubscribeRequest.Builder request) {
            requests.onNext(request.build());
        }

        @Override
        public void onNext(SubscribeResponse response) {
            said.add(response); // as many deliveries as it has credits
        }

        @Override
        public void onError(Throwable error) {
            said.add(Status.fromThrowable(error)
                    .asRuntimeException(Status.trailersFromThrowable(error)));
        }

        @Override
        public void onCompleted() {
            said.add(Status.UNAVAILABLE.withDescription("the stream ended").asRuntimeException());
        }

        @Override
        public void close() {
            heart.shutdownNow();
            requests.onError(Status.CANCELLED.asRuntimeException());
        }
    }

    /** The receipt, that it delivers this here, and every signature under a certificate of the sender. */
    private void check(Delivery delivery) throws Exception {
        var signed = delivery.getSignedDocument();
        byte[] document = delivery.hasSignedDocument() ? signed.getDocument().toByteArray() : null;
        client.verify(delivery.getReceipt(), document);
        var record = LedgerRecord.parseFrom(delivery.getReceipt().getRecord());
        boolean here = record.getEffectsList().stream().anyMatch(effect ->
                effect.getDeliveryOpened().getAgency().equals(client.agency)
                        && effect.getDeliveryOpened().getInboxNumber() == delivery.getInboxNumber());
        Receipts.expect(here, "the record does not deliver this here");
        if (document != null) {
            checkSignatures(record.getDocument().getDocument().getSender(), signed);
        }
    }

    /** Every signature, each under a certificate of the sender. */
    void checkSignatures(String sender, SignedDocument signed) throws Exception {
        byte[] document = signed.getDocument().toByteArray();
        Receipts.expect(signed.getSignaturesCount() > 0, "5: no signature");
        for (var signature : signed.getSignaturesList()) {
            var key = certificate(sender, signature.getCertificateSha256()).getPublicKey();
            Receipts.expect(Identity.verifies(key, Identity.DOCUMENT, document, signature), "5: signature");
        }
    }

    private X509Certificate certificate(String agency, ByteString digest) throws Exception {
        if (!certificates.containsKey(digest)) {
            var request = ListAgencyCertificatesRequest.newBuilder()
                    .setCode(agency)
                    .setPageSize(1000)
                    .build();
            var answer = Client.retry(() -> DirectoryServiceGrpc.newBlockingStub(client.channel)
                    .withDeadlineAfter(30, TimeUnit.SECONDS)
                    .listAgencyCertificates(request));
            for (var one : answer.getCertificatesList()) {
                byte[] der = one.getDer().toByteArray();
                if (one.getAgency().equals(agency)
                        && one.getPurpose() == CertificatePurpose.CERTIFICATE_PURPOSE_DOCUMENT) {
                    certificates.put(ByteString.copyFrom(Receipts.sha256(der)), Identity.certificate(der));
                }
            }
        }
        Receipts.expect(certificates.containsKey(digest), "5: a certificate that the sender does not have");
        return certificates.get(digest);
    }

    private SignedAcknowledgement statement(Delivery delivery) throws Exception {
        long number = delivery.getInboxNumber();
        var statement = Acknowledgement.newBuilder()
                .setLedger(client.trust.origin)
                .setAgency(client.agency)
                .setSignedBy(client.acknowledgement.signedBy)
                .setStoredTime(Timestamps.fromMillis(
                        Files.getLastModifiedTime(file(number, "delivery")).toMillis()))
                .addItems(AcknowledgedDelivery.newBuilder()
                        .setInboxNumber(number)
                        .setCommitment(delivery.getReceipt().getLeaf().substring(9)));
        Seen seen = client.seen();
        if (seen != null) {
            statement.setSeen(seen);
        }
        ByteString payload = statement.build().toByteString();
        return SignedAcknowledgement.newBuilder()
                .setAcknowledgement(payload)
                .addSignatures(client.acknowledgement.sign(Identity.ACKNOWLEDGEMENT, payload.toByteArray()))
                .build();
    }

    private Path file(long number, String kind) {
        return folder.resolve(String.format("%08d.%s", number, kind));
    }

    /** The numbers of the deliveries that are stored, in order. */
    private List<Long> stored() throws Exception {
        var numbers = new ArrayList<Long>();
        Files.createDirectories(folder);
        try (var paths = Files.newDirectoryStream(folder, "*.delivery")) {
            for (Path path : paths) {
                numbers.add(Long.parseLong(path.getFileName().toString().split("\\.")[0]));
            }
        }
        numbers.sort(null);
        return numbers;
    }
}

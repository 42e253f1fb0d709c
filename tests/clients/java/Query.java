import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.xianjie.v1.Document;
import org.xianjie.v1.ExchangeServiceGrpc;
import org.xianjie.v1.FoundDocument;
import org.xianjie.v1.GetDocumentRequest;
import org.xianjie.v1.LedgerRecord;
import org.xianjie.v1.LegalGround;
import org.xianjie.v1.QueryPersonRequest;
import org.xianjie.v1.QueryPurpose;
import org.xianjie.v1.QueryServiceGrpc;
import org.xianjie.v1.Receipt;

/**
 * A query about a person (查询): which documents of a topic there are, and what stands in each. It is a
 * record of the ledger, with its ground, before it is answered. A call whose outcome is unknown is made
 * again, and then two such records may stand there: each is true.
 */
final class Query {
    private final Client client;
    private final QueryPersonRequest.Builder request;

    Query(Client client, String topic, String correctionCase, String purpose, String article) {
        this.client = client;
        var ground = LegalGround.newBuilder()
                .setPurpose(QueryPurpose.valueOf("QUERY_PURPOSE_" + purpose.toUpperCase(Locale.ROOT)))
                .setArticle(article);
        request = QueryPersonRequest.newBuilder()
                .setAgency(client.agency)
                .setTopic(topic)
                .setCorrectionCase(correctionCase)
                .setGround(ground);
    }

    /** Asks, and prints the query's record and each document. */
    void tell() throws Exception {
        List<FoundDocument> found = new ArrayList<>();
        Receipt receipt;
        do {
            var page = Client.retry(() -> QueryServiceGrpc.newBlockingStub(client.channel)
                    .withDeadlineAfter(30, TimeUnit.SECONDS)
                    .queryPerson(request.build()));
            found.addAll(page.getDocumentsList());
            receipt = page.getQuery();
            request.setPageToken(page.getNextPageToken());
        } while (!request.getPageToken().isEmpty());
        client.verify(receipt, null);
        var access = LedgerRecord.parseFrom(receipt.getRecord()).getAccess();
        boolean same = access.getAgency().equals(client.agency)
                && access.getQuery().getTopic().equals(request.getTopic())
                && access.getQuery().getGround().equals(request.getGround());
        Receipts.expect(same, "the record tells of another query");
        System.out.println("query " + receipt.getIndex() + ": " + found.size() + " found");
        for (var one : found) {
            var document = read(one, receipt.getIndex());
            String type = document.getBodyCase().name().toLowerCase(Locale.ROOT);
            String date = document.getIssueDate().isEmpty() ? "-" : document.getIssueDate();
            System.out.println(one.getIndex() + " " + type + " " + date);
        }
    }

    /** A document that the query opens, verified like any that is delivered. */
    private Document read(FoundDocument one, long query) throws Exception {
        var wanted = GetDocumentRequest.newBuilder()
                .setAgency(client.agency)
                .setDocument(one.getDocument())
                .setQuery(query)
                .build();
        var answer = Client.retry(() -> ExchangeServiceGrpc.newBlockingStub(client.channel)
                .withDeadlineAfter(30, TimeUnit.SECONDS)
                .getDocument(wanted));
        var signed = answer.getSignedDocument();
        client.verify(answer.getReceipt(), signed.getDocument().toByteArray());
        new Inbox(client).checkSignatures(one.getDocument().getSender(), signed);
        return Document.parseFrom(signed.getDocument());
    }
}

#!/usr/bin/env python3
"""A query about a person (查询), beside client.py: which documents of a topic there are, and what
stands in each.

  python query.py --profile DIR supervision CASE case_handling "刑诉法 286"

The query is a record of the ledger, with its ground, before it is answered. A call whose outcome is
unknown is made again, and then two such records may stand there: each is true.
"""

import argparse
import sys
from pathlib import Path

from client import Client, Stop, document_pb2, exchange_pb2, expect, record_pb2, retry
from xianjie.v1 import query_pb2, query_pb2_grpc

PURPOSES = ("execution", "supervision", "case_handling", "state_provision")


def ask(client, topic, case, ground):
    """All pages of one query: the index of its record, and the documents that it found."""
    queries = query_pb2_grpc.QueryServiceStub(client.channel)
    request = query_pb2.QueryPersonRequest(
        agency=client.agency, topic=topic, correction_case=case, ground=ground
    )
    found = []
    while True:
        page = retry(lambda: queries.QueryPerson(request, timeout=30))
        found.extend(page.documents)
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    client.verify(page.query)
    access = record_pb2.LedgerRecord.FromString(page.query.record).access
    asked = (access.agency, access.query.topic, access.query.ground)
    expect(asked == (client.agency, topic, ground), "the record tells of another query")
    return page.query.index, found


def read(client, reference, query):
    """A document that a query opens, verified like any that is delivered."""
    request = exchange_pb2.GetDocumentRequest(
        agency=client.agency, document=reference, query=query
    )
    answer = retry(lambda: client.exchange.GetDocument(request, timeout=30))
    signed = answer.signed_document
    client.verify(answer.receipt, signed.document)
    client.check_signatures(reference.sender, signed)
    return document_pb2.Document.FromString(signed.document)


def main():
    parser = argparse.ArgumentParser(description="A query about a person.")
    parser.add_argument("--profile", type=Path, required=True, help="folder of profile.toml")
    parser.add_argument("topic")
    parser.add_argument("case", help="the correction case (矫正案件)")
    parser.add_argument("purpose", choices=PURPOSES)
    parser.add_argument("article", help="the article that allows it; nothing of the person")
    options = parser.parse_args()
    ground = query_pb2.LegalGround(
        purpose=f"QUERY_PURPOSE_{options.purpose.upper()}", article=options.article
    )
    try:
        client = Client(options.profile)
        client.start()
        query, found = ask(client, options.topic, options.case, ground)
        print(f"query {query}: {len(found)} found")
        for one in found:
            document = read(client, one.document, query)
            print(f"{one.index} {document.WhichOneof('body')} {document.issue_date or '-'}")
    except Stop as stop:
        print(f"STOP: {stop}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

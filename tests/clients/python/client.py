#!/usr/bin/env python3
"""A whole client of a xianjie hub in one file, with nothing of the project but proto/.

  ./generate.sh                                    once: messages and stubs from proto/
  python client.py --profile DIR send FILE.json    a document; sending the file again is safe
  python client.py --profile DIR watch             receive, store, verify and sign (签收), for ever
  python client.py --profile DIR ping AGENCY       a connection test

query.py has the query about a person (查询).

DIR holds profile.toml: the agency, the hub, the trust file and three keys, for the connection, for
documents and for acknowledgements. What must survive a crash is kept in DIR/python.
"""

import argparse
import base64
import glob
import hashlib
import json
import mimetypes
import os
import queue
import random
import secrets
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from google.protobuf import json_format

sys.path.insert(0, os.environ.get("XIANJIE_PYTHON", f"{tempfile.gettempdir()}/xianjie-python"))
from xianjie.v1 import (  # noqa: E402
    attachment_pb2,
    attachment_pb2_grpc,
    directory_pb2,
    directory_pb2_grpc,
    document_pb2,
    exchange_pb2,
    exchange_pb2_grpc,
    inbox_pb2,
    inbox_pb2_grpc,
    ledger_pb2,
    ledger_pb2_grpc,
    record_pb2,
)

CHUNK = 256 * 1024
CREDITS = 64
HEARTBEAT_SECONDS = 15
SILENCE_SECONDS = 45
DOCUMENT = "application/vnd.xianjie.document.v1+protobuf"
ACKNOWLEDGEMENT = "application/vnd.xianjie.acknowledgement.v1+protobuf"
mimetypes.add_type("application/ofd", ".ofd")


class Stop(Exception):
    """A person has to look: retrying the same bytes would never help."""


class Refused(Stop):
    """These bytes will never be accepted; a mended document needs a new id."""


# --- keys, identifiers, signatures -----------------------------------------------------------


def uuid7():
    """RFC 9562, version 7: 48 bits of milliseconds, then randomness, in lower case."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def pae(payload_type, payload):
    """DSSE v1 pre-authentication encoding: what is signed instead of the payload itself."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


class Identity:
    """A certificate and its key."""

    def __init__(self, folder, names):
        certificate = x509.load_pem_x509_certificate((folder / names["certificate"]).read_bytes())
        der = certificate.public_bytes(serialization.Encoding.DER)
        self.sha256 = hashlib.sha256(der).digest()
        self.key = serialization.load_pem_private_key((folder / names["key"]).read_bytes(), None)
        self.signed_by = names.get("signed_by", "")

    def sign(self, payload_type, payload):
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            algorithm = document_pb2.ALGORITHM_ED25519
            value = self.key.sign(pae(payload_type, payload))
        else:  # ECDSA on P-256; this library gives ASN.1 DER, as the hub asks
            algorithm = document_pb2.ALGORITHM_ECDSA_P256_SHA256
            value = self.key.sign(pae(payload_type, payload), ec.ECDSA(hashes.SHA256()))
        return document_pb2.Signature(
            algorithm=algorithm, certificate_sha256=self.sha256, value=value
        )


def check_signature(der, payload_type, payload, signature):
    key = x509.load_der_x509_certificate(der).public_key()
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature.value, pae(payload_type, payload))
        else:
            key.verify(signature.value, pae(payload_type, payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Stop("a signature does not verify") from None


# --- receipts: four steps, offline -----------------------------------------------------------


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def check_receipt(receipt, trust, document=None):
    """Verifies a receipt with the trust file alone. Returns the checkpoint: (size, root)."""
    leaf = receipt.leaf
    commitment = sha256(b"xianjie/record/v1\0", receipt.salt, receipt.record)
    expect(len(leaf) == 41 and leaf[0] == 1 and leaf[9:] == commitment, "1: commitment")
    size, root = check_note(receipt.checkpoint, trust)
    expect(receipt.index < size, "2: index")
    _, found = climb(receipt.index, size - 1, sha256(b"\0", leaf), receipt.path)
    expect(found == root, "2: inclusion path")
    if document is not None:
        record = record_pb2.LedgerRecord.FromString(receipt.record).document
        salted = sha256(b"xianjie/document/v1\0", receipt.document_salt, sha256(document))
        expect(record.document_commitment == salted, "4: document commitment")
    return size, root


def check_note(note, trust):
    """Step 3: a checkpoint is a signed note of three lines by the ledger's own key."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    verified = False
    for line in lines.splitlines():
        _, name, payload = line.split(" ")
        payload = base64.b64decode(payload)
        for known in trust["checkpoint_keys"]:
            known_name, key_id, key = known.split("+", 2)
            if (known_name, bytes.fromhex(key_id)) == (name, payload[:4]):
                public = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
                try:
                    public.verify(payload[4:], text.encode())
                except InvalidSignature:
                    raise Stop("receipt, step 3: a false signature") from None
                verified = verified or name == trust["origin"]
    origin, size, root = text.splitlines()
    expect(verified and origin == trust["origin"], "3: checkpoint")
    return int(size), base64.b64decode(root)


def climb(node, last, start, path):
    """Up an inclusion or consistency path (RFC 9162, 2.1.3.2 and 2.1.4.2): the root over what lies
    to the left of `node`, and the root over all."""
    left = whole = start
    for sibling in path:
        expect(last, "2: path too long")
        if node & 1 or node == last:
            left, whole = sha256(b"\1", sibling, left), sha256(b"\1", sibling, whole)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            whole = sha256(b"\1", whole, sibling)
        node, last = node >> 1, last >> 1
    expect(last == 0, "2: path too short")
    return left, whole


def check_consistency(old, old_root, new, new_root, path):
    """That the tree of size `new` continues that of size `old`."""
    path = list(path) if old & (old - 1) else [old_root, *path]
    expect(path, "consistency")
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    roots = climb(node, last, path[0], path[1:])
    expect(roots == (old_root, new_root), "consistency: a forked ledger")


def expect(holds, step):
    if not holds:
        raise Stop(f"a proof does not hold, step {step}")


def proof_file(receipt):
    """The receipt as a C2SP tlog-proof file, which verify.py and others read."""
    opening = receipt.leaf + receipt.salt + receipt.document_salt + receipt.record
    lines = ["c2sp.org/tlog-proof@v1", f"extra {base64.b64encode(opening).decode()}"]
    lines += [f"index {receipt.index}"]
    lines += [base64.b64encode(sibling).decode() for sibling in receipt.path]
    return ("\n".join(lines) + "\n\n" + receipt.checkpoint).encode()


# --- files that must survive -----------------------------------------------------------------


def store(path, data):
    """Writes a file so that it is whole and on stable storage, or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


# --- the client ------------------------------------------------------------------------------


class Client:
    def __init__(self, folder):
        profile = tomllib.loads((folder / "profile.toml").read_text("utf-8"))
        self.agency = profile["agency"]
        self.trust = json.loads((folder / profile["trust"]).read_text("utf-8"))
        self.document = Identity(folder, profile["document"])
        self.acknowledgement = Identity(folder, profile["acknowledgement"])
        self.files = folder / "python"
        credentials = grpc.ssl_channel_credentials(
            root_certificates=self.trust["ca"].encode(),
            private_key=(folder / profile["transport"]["key"]).read_bytes(),
            certificate_chain=(folder / profile["transport"]["certificate"]).read_bytes(),
        )
        options = [("grpc.ssl_target_name_override", profile["server_name"])]
        address = profile["hub"].removeprefix("https://")
        self.channel = channel = grpc.secure_channel(address, credentials, options)
        self.exchange = exchange_pb2_grpc.ExchangeServiceStub(channel)
        self.inbox = inbox_pb2_grpc.InboxServiceStub(channel)
        self.attachments = attachment_pb2_grpc.AttachmentServiceStub(channel)
        self.ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
        self.directory = directory_pb2_grpc.DirectoryServiceStub(channel)
        self.certificates = {}

    def start(self):
        """The hub must be the one that the trust file names."""
        hub = retry(lambda: self.directory.GetHub(directory_pb2.GetHubRequest(), timeout=30))
        if hub.ledger != self.trust["origin"]:
            raise Stop("the hub has another ledger: history was lost, or it is another hub")

    def verify(self, receipt, document=None):
        """Checks a receipt, and that its tree continues the last one seen."""
        size, root = check_receipt(receipt, self.trust, document)
        seen = self.seen()
        if seen:
            (old, old_root), (new, new_root) = sorted([(seen.size, seen.root), (size, root)])
            if old == new:
                expect(old_root == new_root, "consistency: two trees of one size")
            else:
                request = ledger_pb2.GetConsistencyProofRequest(old_size=old, new_size=new)
                proof = retry(lambda: self.ledger.GetConsistencyProof(request, timeout=30))
                check_consistency(old, old_root, new, new_root, proof.path)
        if not seen or seen.size < size:
            newest = document_pb2.Seen(size=size, root=root)
            store(self.files / "seen", newest.SerializeToString())

    def seen(self):
        path = self.files / "seen"
        return document_pb2.Seen.FromString(path.read_bytes()) if path.exists() else None

    # sending

    def send(self, path):
        """Sends the document of a JSON file. Bytes and signature are stored before the first
        attempt, and those are sent until there is an answer: never encode a document twice."""
        source = path.read_bytes()
        fields = without_comments(json.loads(source))
        files = [path.parent / item["name"] for item in fields.get("attachments", [])]
        digest = sha256(source, *(sha256(file.read_bytes()) for file in files)).hex()
        key = f"{path.stem}-{sha256(str(path.resolve()).encode()).hex()[:8]}"
        outbox = self.files / "outbox"
        if (outbox / f"{key}.signed").exists():
            if (outbox / f"{key}.source").read_text() != digest:
                raise Stop(f"{path} has changed since it was sent: use another file for a new one")
        else:
            document = self.complete(fields, files)
            signed = self.sign(document.SerializeToString())
            store(outbox / f"{key}.source", digest.encode())
            store(outbox / f"{key}.signed", signed.SerializeToString())
        signed = document_pb2.SignedDocument.FromString((outbox / f"{key}.signed").read_bytes())
        try:
            answer = self.submit(signed, files)
        except Refused:
            (outbox / f"{key}.signed").unlink()  # only acceptance binds an id: mend, send again
            raise
        self.verify(answer.receipt, signed.document)
        store(outbox / f"{key}.receipt", proof_file(answer.receipt))
        return answer, outbox / f"{key}.receipt"

    def complete(self, fields, files):
        """Fills in what the file leaves out; values in the file win."""
        for item, file in zip(fields.get("attachments", []), files):
            data = file.read_bytes()
            item["name"] = file.name
            item.setdefault("media_type", mimetypes.guess_type(file.name)[0])
            item.setdefault("size_bytes", str(len(data)))
            item.setdefault("sha256", base64.b64encode(sha256(data)).decode())
        document = json_format.ParseDict(fields, document_pb2.Document())
        document.document_id = document.document_id or uuid7()
        document.ledger = document.ledger or self.trust["origin"]
        document.sender = document.sender or self.agency
        if not document.HasField("create_time"):
            document.create_time.GetCurrentTime()
        seen = self.seen()
        if seen and not document.HasField("seen"):
            document.seen.CopyFrom(seen)
        return document

    def sign(self, document):
        signature = self.document.sign(DOCUMENT, document)
        return document_pb2.SignedDocument(document=document, signatures=[signature])

    def submit(self, signed, files):
        request = exchange_pb2.SubmitDocumentRequest(agency=self.agency, signed_document=signed)
        for file in files:
            self.upload(file)
        while True:
            try:
                return retry(lambda: self.exchange.SubmitDocument(request, timeout=30))
            except UploadFirst:
                for file in files:
                    self.upload(file)
            except Stop as stop:
                raise type(stop)(f"{stop}\n{self.explain(signed)}") from None

    def upload(self, file):
        """Uploads a file in chunks, from where the hub stands; held files are not sent again."""
        data = file.read_bytes()
        digest = sha256(data)
        ask = attachment_pb2.GetUploadRequest(agency=self.agency, sha256=digest)

        def rest():
            held = self.attachments.GetUpload(ask, timeout=30)
            return held if held.complete else self.attachments.UploadAttachment(
                messages(held.bytes_held), timeout=600
            )

        def messages(offset):
            yield attachment_pb2.UploadAttachmentRequest(
                open=attachment_pb2.UploadOpen(
                    agency=self.agency, sha256=digest, size_bytes=len(data), offset=offset
                )
            )
            for at in range(offset, len(data), CHUNK):
                yield attachment_pb2.UploadAttachmentRequest(chunk=data[at : at + CHUNK])

        while not retry(rest).complete:
            pass

    def explain(self, signed):
        """Everything that is wrong with a refused document, in the hub's words."""
        request = exchange_pb2.CheckDocumentRequest(agency=self.agency, signed_document=signed)
        try:
            check = self.exchange.CheckDocument(request, timeout=30)
        except grpc.RpcError as error:
            return f"(no details: {error.details()})"
        lines = []
        for wrong in check.violations:
            texts = [wrong.message_zh, wrong.message, wrong.help, *wrong.articles]
            lines.append(f"  {wrong.field or '-'}: {wrong.reason}: {'; '.join(filter(None, texts))}")
        for signature in check.signatures:
            if not signature.valid:
                lines.append(f"  signature: {signature.reason}; must sign the bytes with SHA-256 "
                             f"{signature.signed_sha256.hex()}, signed "
                             f"{sha256(pae(DOCUMENT, signed.document)).hex()}")
        return "\n".join(lines)

    def ping(self, agency):
        fields = {
            "original_form": "ORIGINAL_FORM_ELECTRONIC",
            "classification": "CLASSIFICATION_UNCLASSIFIED",
            "chosen_agencies": [agency],
            "ping": {"text": "ping"},
        }
        signed = self.sign(self.complete(fields, []).SerializeToString())
        answer = self.submit(signed, [])
        self.verify(answer.receipt, signed.document)
        return answer

    # receiving

    def watch(self, count=None):
        """Receives for ever, or until so many deliveries are settled. A broken stream is opened
        again from the last number stored; what is stored but not settled is signed for again."""
        pause, settled = 0.5, 0
        while count is None or settled < count:
            try:
                for number in self.subscribe():
                    pause, settled = 0.5, settled + 1
                    print(f"{number}: signed for and settled", flush=True)
                    if settled == count:
                        return
            except grpc.RpcError as error:
                reason(error)
            time.sleep(pause + random.random() * pause)
            pause = min(pause * 2, 60)

    def subscribe(self):
        """One stream; gives the number of each delivery that is settled."""
        inbox = self.files / "inbox"
        numbers = [int(Path(p).stem) for p in glob.glob(f"{inbox}/*.delivery")]
        requests = queue.SimpleQueue()
        opened = inbox_pb2.SubscribeOpen(
            agency=self.agency, after_inbox_number=max(numbers, default=0),
            credits=CREDITS, consumer="python",
        )
        requests.put(inbox_pb2.SubscribeRequest(open=opened))
        open_statements = {}
        for number in sorted(numbers):
            if not (inbox / f"{number:08}.receipt").exists():
                self.acknowledge(number, requests, open_statements)
        stream = self.inbox.Subscribe(iter(requests.get, None))
        closed, heard = threading.Event(), [time.monotonic()]

        def heartbeats():
            while not closed.wait(HEARTBEAT_SECONDS):
                requests.put(inbox_pb2.SubscribeRequest(heartbeat=inbox_pb2.Heartbeat()))
                if time.monotonic() - heard[0] > SILENCE_SECONDS:
                    stream.cancel()

        threading.Thread(target=heartbeats, daemon=True).start()
        try:
            for message in stream:
                heard[0] = time.monotonic()
                kind = message.WhichOneof("message")
                if kind == "delivery":
                    self.receive(message.delivery)
                    requests.put(inbox_pb2.SubscribeRequest(add_credits=1))
                    self.acknowledge(message.delivery.inbox_number, requests, open_statements)
                elif kind == "result":
                    yield from self.settle(message.result, open_statements)
        finally:
            closed.set()
            requests.put(None)
            stream.cancel()

    def receive(self, delivery):
        """Stores a delivery; verified or not, what was sent must not be lost."""
        store(self.files / "inbox" / f"{delivery.inbox_number:08}.delivery",
              delivery.SerializeToString())
        who = "copy" if delivery.copy else "main"
        print(f"{delivery.inbox_number}: {delivery.document_type} ({who})", flush=True)

    def check(self, delivery):
        """The receipt, and every signature under a certificate registered for the sender."""
        signed = delivery.signed_document
        erased = not delivery.HasField("signed_document")
        self.verify(delivery.receipt, None if erased else signed.document)
        record = record_pb2.LedgerRecord.FromString(delivery.receipt.record).document
        expect(any(
            effect.delivery_opened.agency == self.agency
            and effect.delivery_opened.inbox_number == delivery.inbox_number
            for effect in record_pb2.LedgerRecord.FromString(delivery.receipt.record).effects
        ), "the record does not deliver this here")
        sender = record.document.sender
        if not erased:
            self.check_signatures(sender, signed)
        return sender

    def check_signatures(self, sender, signed):
        """Every signature, each under a certificate registered for the sender."""
        expect(signed.signatures, "5: no signature")
        for signature in signed.signatures:
            der = self.certificate(sender, signature.certificate_sha256)
            check_signature(der, DOCUMENT, signed.document, signature)

    def certificate(self, agency, digest):
        if digest not in self.certificates:
            request = directory_pb2.ListAgencyCertificatesRequest(code=agency, page_size=1000)
            answer = retry(lambda: self.directory.ListAgencyCertificates(request, timeout=30))
            documents = directory_pb2.CERTIFICATE_PURPOSE_DOCUMENT
            for one in answer.certificates:
                if one.agency == agency and one.purpose == documents:
                    self.certificates[sha256(one.der)] = one.der
        if digest not in self.certificates:
            raise Stop("signed with a certificate that the sender does not have")
        return self.certificates[digest]

    def acknowledge(self, number, requests, open_statements):
        """Signs for a stored delivery: encoded once, stored, then sent until it is answered."""
        path = self.files / "inbox" / f"{number:08}.statement"
        if path.exists():
            signed = inbox_pb2.SignedAcknowledgement.FromString(path.read_bytes())
        else:
            stored = path.with_suffix(".delivery")
            delivery = inbox_pb2.Delivery.FromString(stored.read_bytes())
            self.check(delivery)
            statement = inbox_pb2.Acknowledgement(
                ledger=self.trust["origin"], agency=self.agency, seen=self.seen(),
                signed_by=self.acknowledgement.signed_by,
            )
            statement.stored_time.FromNanoseconds(int(stored.stat().st_mtime * 1000) * 1_000_000)
            statement.items.add(inbox_number=number, commitment=delivery.receipt.leaf[9:])
            payload = statement.SerializeToString()
            signature = self.acknowledgement.sign(ACKNOWLEDGEMENT, payload)
            signed = inbox_pb2.SignedAcknowledgement(
                acknowledgement=payload, signatures=[signature]
            )
            store(path, signed.SerializeToString())
        open_statements[sha256(signed.acknowledgement)] = number
        requests.put(inbox_pb2.SubscribeRequest(acknowledgement=signed))

    def settle(self, result, open_statements):
        """The answer to a statement: only a receipt ends its retries."""
        if result.HasField("refusal"):
            number = open_statements.get(result.payload_sha256)
            if result.refusal.advice == 1:  # ADVICE_RESEND: with the next stream
                return
            raise Stop(f"{number}: {result.refusal.reason}: {result.refusal.message}")
        for settlement in result.settlements:
            self.verify(settlement.receipt)
            for number in settlement.inbox_numbers:
                path = self.files / "inbox" / f"{number:08}.receipt"
                store(path, proof_file(settlement.receipt))
                yield number


# --- errors ----------------------------------------------------------------------------------


class UploadFirst(Exception):
    """The hub lacks an attachment."""


def reason(error):
    """Sorts an error by its trailers: returns if the same call should be made again."""
    trailers = dict(error.trailing_metadata() or ())
    advice = trailers.get("xianjie-advice")
    if "xianjie-reason" not in trailers or advice == "RESEND":
        return  # outcome unknown, or not now
    if advice == "UPLOAD_THEN_RESEND":
        raise UploadFirst
    stop = Refused if advice == "NEW_DOCUMENT" else Stop
    raise stop(f"{trailers['xianjie-reason']} ({advice}): {error.details()}")


def retry(call):
    """Makes a call until it is answered, 0.5 to 60 seconds apart with jitter."""
    pause = 0.5
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            reason(error)
        time.sleep(pause + random.random() * pause)
        pause = min(pause * 2, 30)


def without_comments(value):
    """A document file's fields: what begins with # is a comment, what is empty is not stated."""
    if isinstance(value, dict):
        kept = {k: without_comments(v) for k, v in value.items() if not k.startswith("#")}
        return {k: v for k, v in kept.items() if v not in ("", None) and v != []}
    return [without_comments(v) for v in value] if isinstance(value, list) else value


def main():
    parser = argparse.ArgumentParser(description="A client of a xianjie hub.")
    parser.add_argument("--profile", type=Path, required=True, help="folder of profile.toml")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("send").add_argument("file", type=Path)
    watch = commands.add_parser("watch")
    watch.add_argument("--count", type=int, help="stop after so many settled deliveries")
    commands.add_parser("ping").add_argument("agency")
    options = parser.parse_args()
    try:
        client = Client(options.profile)
        client.start()
        if options.command == "watch":
            client.watch(options.count)
            return 0
        if options.command == "send":
            answer, path = client.send(options.file)
            print(f"receipt: {path}")
        else:
            answer = client.ping(options.agency)
        print(f"record {answer.receipt.index}, case {answer.correction_case or '-'}")
    except Stop as stop:
        print(f"STOP: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

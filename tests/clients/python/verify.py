#!/usr/bin/env python3
"""Verifies what a xianjie hub proves, with no code of the hub: RFC 6962 and the C2SP formats
signed-note, tlog-checkpoint, tlog-tiles and tlog-proof, written out here from their definitions.

  verify.py receipt FILE --trust trust.json [--document BYTES]
      a receipt (存证) as a tlog-proof file, offline; with the document's exact bytes, that the
      record commits to them
  verify.py log URL --trust trust.json [--old CHECKPOINT]
      the public ledger over HTTP: its checkpoint, every tile and every leaf; and that it continues
      the tree of an earlier checkpoint, kept in a file
  verify.py self-test
      known answers of the specifications, and that every flipped bit is noticed

It doesn't verify the sender's signature over a document: client.py does, when it receives one.
"""

import argparse
import base64
import hashlib
import json
import sys
import urllib.request
from collections import namedtuple
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Checkpoint = namedtuple("Checkpoint", "origin size root")
Receipt = namedtuple("Receipt", "leaf salt document_salt record index path checkpoint")
Verified = namedtuple("Verified", "checkpoint index time_ms")


class Refused(Exception):
    """Something doesn't verify; the text says what."""


def need(holds, what):
    if not holds:
        raise Refused(what)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text):
    """Base64 with padding, in its one canonical spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("malformed base64") from None
    need(base64.b64encode(data).decode() == text, "base64 that is not canonical")
    return data


def decimal(text):
    need(text.isascii() and text.isdigit() and str(int(text)) == text, "malformed number")
    return int(text)


# --- RFC 6962, section 2.1: the tree ---------------------------------------------------------


def leaf_hash(leaf):
    return sha256(b"\0", leaf)


def node_hash(left, right):
    return sha256(b"\1", left, right)


def split(size):
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def root_of(hashes):
    """The root of the tree over these leaf hashes."""
    if not hashes:
        return sha256()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return node_hash(root_of(hashes[:k]), root_of(hashes[k:]))


def climb(node, last, start, path):
    """Up an inclusion or consistency path (RFC 9162, 2.1.3.2 and 2.1.4.2): the root over what lies
    to the left of `node`, and the root over all."""
    left = whole = start
    for sibling in path:
        need(last, "the path is too long")
        if node & 1 or node == last:
            left, whole = node_hash(sibling, left), node_hash(sibling, whole)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            whole = node_hash(whole, sibling)
        node, last = node >> 1, last >> 1
    need(last == 0, "the path is too short")
    return left, whole


def root_from_inclusion(index, size, leaf, path):
    """The root that an inclusion path leads to."""
    need(index < size, "the index is not in the tree")
    return climb(index, size - 1, leaf, path)[1]


def inclusion_path(index, hashes):
    """The inclusion path of a leaf (RFC 6962, 2.1.1), lowest sibling first."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if index < k:
        return inclusion_path(index, hashes[:k]) + [root_of(hashes[k:])]
    return inclusion_path(index - k, hashes[k:]) + [root_of(hashes[:k])]


def consistency_path(old, hashes, whole=True):
    """The proof that these leaves continue their first `old` (RFC 6962, 2.1.2)."""
    if old == len(hashes):
        return [] if whole else [root_of(hashes)]
    k = split(len(hashes))
    if old <= k:
        return consistency_path(old, hashes[:k], whole) + [root_of(hashes[k:])]
    return consistency_path(old - k, hashes[k:], False) + [root_of(hashes[:k])]


def check_consistency(old, new, path):
    """That the tree of checkpoint `new` continues that of `old`."""
    need(old.size <= new.size, "the newer tree is smaller")
    if old.size in (0, new.size):
        need(not path, "the path is too long")
        need(old.size == 0 or old.root == new.root, "two roots of one size: a fork")
        return
    path = list(path) if old.size & (old.size - 1) else [old.root, *path]
    need(path, "the path is too short")
    node, last = old.size - 1, new.size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    roots = climb(node, last, path[0], path[1:])
    need(roots == (old.root, new.root), "the newer tree rewrites the older: a fork")


# --- signed-note and tlog-checkpoint ---------------------------------------------------------


def read_key(text):
    """A verifier key `name+id+base64`: name, id, public key."""
    name, key_id, key = text.split("+", 2)
    key = unbase64(key)
    need(len(key) == 33 and key[0] == 1, "not an Ed25519 verifier key")
    need(sha256(name.encode(), b"\n", key)[:4].hex() == key_id, "the key's id is not its own")
    return name, bytes.fromhex(key_id), Ed25519PublicKey.from_public_bytes(key[1:])


def open_note(note, keys):
    """The text of a signed note, and the names of the known keys that signed it. A line that
    claims to be by a known key, and is not, condemns the note."""
    need(not any(c < " " and c != "\n" for c in note), "a control character in the note")
    end = note.rfind("\n\n")
    need(end > 0 and note.endswith("\n"), "the note has no signatures")
    text, lines = note[: end + 1], note[end + 2 : -1].split("\n")
    signers = set()
    for line in lines:
        need(line.startswith("— ") and line.count(" ") == 2, "a malformed signature line")
        _, name, payload = line.split(" ")
        payload = unbase64(payload)
        for key_name, key_id, key in map(read_key, keys):
            if (key_name, key_id) == (name, payload[:4]):
                try:
                    key.verify(payload[4:], text.encode())
                except InvalidSignature:
                    raise Refused(f"the signature by {name} is wrong") from None
                signers.add(name)
    need(signers, "the note is not signed by any known key")
    return text, signers


def open_checkpoint(note, keys):
    """A checkpoint that its own ledger has signed."""
    text, signers = open_note(note, keys)
    lines = text.split("\n")
    need(len(lines) == 4 and lines[3] == "", "a checkpoint has three lines")
    need(lines[0] in signers, "the checkpoint is not signed by its ledger")
    root = unbase64(lines[2])
    need(len(root) == 32, "the root is not 32 bytes")
    return Checkpoint(lines[0], decimal(lines[1]), root)


# --- receipts: tlog-proof with the opening as extra data -------------------------------------


def parse_receipt(text):
    """A receipt file. The opening is leaf (41) ‖ salt (32) ‖ document salt (32) ‖ record."""
    head, sep, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    need(sep and len(lines) >= 3 and lines[0] == "c2sp.org/tlog-proof@v1", "no tlog-proof file")
    need(lines[1].startswith("extra ") and lines[2].startswith("index "), "no receipt's proof")
    opening = unbase64(lines[1][len("extra ") :])
    need(len(opening) >= 105, "the opening is cut off")
    path = [unbase64(line) for line in lines[3:]]
    need(len(path) <= 64 and all(len(h) == 32 for h in path), "a malformed path")
    leaf, salt, document_salt = opening[:41], opening[41:73], opening[73:105]
    index = decimal(lines[2][len("index ") :])
    return Receipt(leaf, salt, document_salt, opening[105:], index, path, checkpoint)


def verify_receipt(receipt, keys, document=None):
    """The four steps: the leaf commits to the record; the checkpoint is signed; the path leads
    from the leaf to its root; the record commits to the document."""
    leaf = receipt.leaf
    need(len(leaf) == 41 and leaf[0] == 1, "an unknown kind of leaf")
    commitment = sha256(b"xianjie/record/v1\0", receipt.salt, receipt.record)
    need(leaf[9:] == commitment, "the leaf does not commit to this record")
    checkpoint = open_checkpoint(receipt.checkpoint, keys)
    root = root_from_inclusion(receipt.index, checkpoint.size, leaf_hash(leaf), receipt.path)
    need(root == checkpoint.root, "the leaf is not in the checkpoint's tree")
    if document is not None:
        said = field(field(receipt.record, 2), 4)
        salted = sha256(b"xianjie/document/v1\0", receipt.document_salt, sha256(document))
        need(said == salted, "the record does not commit to this document")
    return Verified(checkpoint, receipt.index, int.from_bytes(leaf[1:9], "big"))


def field(message, wanted):
    """The bytes of one length-delimited field of a protobuf message: `LedgerRecord.document` is
    2, `DocumentRecord.document_commitment` is 4."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            need(at < len(message) and shift < 64, "a malformed record")
            byte, at = message[at], at + 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        wire = tag & 7
        if wire == 2:
            length = varint()
            value, at = message[at : at + length], at + length
            need(len(value) == length, "a malformed record")
            if tag >> 3 == wanted:
                return value
        elif wire == 0:
            varint()
        else:
            need(wire in (1, 5), "a malformed record")
            at += 8 if wire == 1 else 4
    raise Refused("the record is not a document's")


# --- tlog-tiles over HTTP --------------------------------------------------------------------


def tile_path(level, index, width):
    """`tile/0/x001/067`, with `.p/<width>` unless it is full."""
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{level}/{'/'.join(groups)}" + ("" if width == 256 else f".p/{width}")


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def read_row(url, level, length):
    """One level of tiles: so many hashes of 32 bytes."""
    hashes = []
    for index in range((length + 255) // 256):
        width = min(256, length - 256 * index)
        tile = get(f"{url}/{tile_path(level, index, width)}")
        need(len(tile) == 32 * width, f"tile {level}/{index} has a wrong length")
        hashes += [tile[at : at + 32] for at in range(0, len(tile), 32)]
    return hashes


def read_leaves(url, size):
    """Every leaf, from the entry bundles: two bytes of length before each."""
    leaves = []
    for index in range((size + 255) // 256):
        width = min(256, size - 256 * index)
        bundle, at = get(f"{url}/{tile_path('entries', index, width)}"), 0
        for _ in range(width):
            length = int.from_bytes(bundle[at : at + 2], "big")
            leaves.append(bundle[at + 2 : at + 2 + length])
            at += 2 + length
        need(at == len(bundle), f"bundle {index} has a wrong length")
    return leaves


def verify_log(url, keys, old_note=None):
    """The whole public ledger: tiles of every level, leaves, checkpoint, and the older one."""
    url = url.rstrip("/")
    head = open_checkpoint(get(f"{url}/checkpoint").decode(), keys)
    row = hashes = read_row(url, 0, head.size)
    for level in range(1, 8):
        above = [root_of(row[at : at + 256]) for at in range(0, len(row) - 255, 256)]
        if not above:
            break
        row = read_row(url, level, len(above))
        need(row == above, f"the tiles of level {level} do not fit those below")
    need(root_of(hashes) == head.root, "the tiles do not give the checkpoint's root")
    leaves = read_leaves(url, head.size)
    need([leaf_hash(leaf) for leaf in leaves] == hashes, "the leaves do not fit the tiles")
    times = [leaf[1:9] for leaf in leaves]
    need(times == sorted(times), "time runs backwards")
    if old_note is not None:
        old = open_checkpoint(old_note, keys)
        need(old.origin == head.origin, "the older checkpoint is of another ledger")
        need(old.size <= head.size, "the ledger is shorter than it was: lost history")
        check_consistency(old, head, consistency_path(old.size, hashes) if old.size else [])
    return head


# --- command line ----------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description="Verifies what a xianjie hub proves.")
    commands = parser.add_subparsers(dest="command", required=True)
    receipt = commands.add_parser("receipt", help="a receipt, offline")
    receipt.add_argument("file", type=Path)
    receipt.add_argument("--document", type=Path, help="the document's exact bytes")
    log = commands.add_parser("log", help="the public ledger, over HTTP")
    log.add_argument("url")
    log.add_argument("--old", type=Path, help="an earlier checkpoint, in a file")
    for command in (receipt, log):
        command.add_argument("--trust", type=Path, required=True, help="the hub's trust.json")
    commands.add_parser("self-test", help="known answers, flipped bits")
    options = parser.parse_args()
    if options.command == "self-test":
        import verify_test

        return verify_test.run()
    trust = json.loads(options.trust.read_text("utf-8"))
    try:
        if options.command == "receipt":
            document = options.document.read_bytes() if options.document else None
            parts = parse_receipt(options.file.read_text("utf-8"))
            verified = verify_receipt(parts, trust["checkpoint_keys"], document)
            head = verified.checkpoint
            print(f"{head.origin}: record {verified.index} at {verified.time_ms} ms holds", end="")
        else:
            old = options.old.read_text("utf-8") if options.old else None
            head = verify_log(options.url, trust["checkpoint_keys"], old)
            print(f"{head.origin}: every tile and leaf fits", end="")
        need(head.origin == trust["origin"], "another ledger than the trust file's")
        print(f", size {head.size}, root {base64.b64encode(head.root).decode()}")
    except Refused as refused:
        print(f"REFUSED: {refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

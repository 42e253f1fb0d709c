"""What verify.py must know and must notice: `python verify.py self-test`."""

import base64
import http.server
import threading

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import verify as v

ORIGIN = "hub.example/ledger/1"

# Certificate Transparency's reference leaves, and the root after each.
CT = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
]
# The example of signed-note, and the reference note of Go's sumdb/note.
NOTES = [
    (
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi"
        "2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
    ),
    (
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "If you think cryptography is the answer to your problem,\nthen you don't know what your "
        "problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p"
        "ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
    ),
]
# The hub's frozen leaf: record "record", salt 0, 1, 2 …, time 1,767,225,600,123 ms.
LEAF = "010000019b76daa87b46f19cd4585af5be62d0d98f8a1e8749d733eac26b1259f497030cef138a464c"
LEAF_HASH = "602a710c57dfc52d8ef2a18be4819231ef532ce02d6e08ebce3fb3430a69f278"
DOCUMENT = "fa81ab9d3e6c7ded1646b76994c08f7f0bab144fbb11d6f17e491af274ff33fe"


class Signer:
    """A hub's checkpoint key."""

    def __init__(self, seed):
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        public = b"\1" + self.key.public_key().public_bytes_raw()
        self.key_id = v.sha256(ORIGIN.encode(), b"\n", public)[:4]
        self.verifier = f"{ORIGIN}+{self.key_id.hex()}+{base64.b64encode(public).decode()}"

    def checkpoint(self, hashes):
        text = f"{ORIGIN}\n{len(hashes)}\n{base64.b64encode(v.root_of(hashes)).decode()}\n"
        signature = base64.b64encode(self.key_id + self.key.sign(text.encode())).decode()
        return f"{text}\n— {ORIGIN} {signature}\n"


SIGNER = Signer(b"\1" * 32)
KEYS = [SIGNER.verifier]


def refused(action, *arguments):
    try:
        action(*arguments)
    except v.Refused:
        return True
    return False


def opening(number, document=b"document"):
    """Leaf, salt, document salt and record of one document's record."""
    salt, document_salt = bytes([number % 256]) * 32, bytes([255 - number % 256]) * 32
    commitment = v.sha256(b"xianjie/document/v1\0", document_salt, v.sha256(document))
    inner = b"\x1a\x04type" + b"\x22\x20" + commitment + b"\x40\x01"
    record = b"\x12" + bytes([len(inner)]) + inner
    leaf = b"\1" + (1000 + number).to_bytes(8, "big")
    return leaf + v.sha256(b"xianjie/record/v1\0", salt, record), salt, document_salt, record


def receipt_text(index, size):
    hashes = [v.leaf_hash(opening(number)[0]) for number in range(size)]
    extra = base64.b64encode(b"".join(opening(index))).decode()
    lines = ["c2sp.org/tlog-proof@v1", f"extra {extra}", f"index {index}"]
    lines += [base64.b64encode(h).decode() for h in v.inclusion_path(index, hashes)]
    return "\n".join(lines) + "\n\n" + SIGNER.checkpoint(hashes)


def check(text, document=b"document"):
    return v.verify_receipt(v.parse_receipt(text), KEYS, document)


def test_known_answers():
    hashes = []
    for leaf, root in CT:
        hashes.append(v.leaf_hash(bytes.fromhex(leaf)))
        assert v.root_of(hashes).hex() == root
    for key, note in NOTES:
        text, signers = v.open_note(note, [key])
        assert signers == {key.split("+")[0]} and note.startswith(text)
    commitment = v.sha256(b"xianjie/record/v1\0", bytes(range(32)), b"record")
    assert LEAF == (b"\1" + (1767225600123).to_bytes(8, "big") + commitment).hex()
    assert v.leaf_hash(bytes.fromhex(LEAF)).hex() == LEAF_HASH
    salted = v.sha256(b"xianjie/document/v1\0", b"\xa5" * 32, v.sha256("文书".encode()))
    assert salted.hex() == DOCUMENT
    assert v.tile_path(0, 1234067, 256) == "tile/0/x001/x234/067"
    assert v.tile_path("entries", 0, 8) == "tile/entries/000.p/8"


def test_proofs():
    hashes = [v.leaf_hash(bytes([number])) for number in range(70)]
    for size in range(1, 70):
        new = v.Checkpoint(ORIGIN, size, v.root_of(hashes[:size]))
        for index in range(size):
            path = v.inclusion_path(index, hashes[:size])
            assert v.root_from_inclusion(index, size, hashes[index], path) == new.root
        for old_size in range(1, size + 1):
            old = v.Checkpoint(ORIGIN, old_size, v.root_of(hashes[:old_size]))
            path = v.consistency_path(old_size, hashes[:size])
            v.check_consistency(old, new, path)
            assert refused(v.check_consistency, old._replace(root=bytes(32)), new, path)
            assert refused(v.check_consistency, old, new, path + [bytes(32)])
            assert not path or refused(v.check_consistency, old, new, path[:-1])


def test_every_flipped_bit():
    good = receipt_text(5, 11)
    verified = check(good)
    assert (verified.index, verified.time_ms, verified.checkpoint.size) == (5, 1005, 11)
    for bit in range(len(good.encode()) * 8):
        changed = bytearray(good.encode())
        changed[bit // 8] ^= 1 << bit % 8
        try:
            text = changed.decode()
        except UnicodeDecodeError:
            continue
        assert refused(check, text), f"bit {bit}"
    assert refused(check, good, b"another document")
    assert refused(v.open_checkpoint, SIGNER.checkpoint([]), [Signer(b"\2" * 32).verifier])


def test_a_ledger_over_http():
    leaves = [opening(number)[0] for number in range(600)]
    files = tiles(leaves)
    with served(files) as url:
        old = SIGNER.checkpoint([v.leaf_hash(leaf) for leaf in leaves[:300]])
        assert v.verify_log(url, KEYS, old).size == 600
        forked = [v.leaf_hash(leaf) for leaf in leaves[:299] + leaves[:1]]
        assert refused(v.verify_log, url, KEYS, SIGNER.checkpoint(forked))
        for path in ("/tile/0/001", "/tile/1/000.p/2", "/tile/entries/002.p/88"):
            whole = files[path]
            files[path] = whole[:-1] + bytes([whole[-1] ^ 1])
            assert refused(v.verify_log, url, KEYS), path
            files[path] = whole


def tiles(leaves):
    """The files of a ledger's public face, by path."""
    row = [v.leaf_hash(leaf) for leaf in leaves]
    files = {"/checkpoint": SIGNER.checkpoint(row).encode()}
    for at in range(0, len(leaves), 256):
        bundle = leaves[at : at + 256]
        data = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in bundle)
        files["/" + v.tile_path("entries", at // 256, len(bundle))] = data
    level = 0
    while row:
        for at in range(0, len(row), 256):
            tile = row[at : at + 256]
            files["/" + v.tile_path(level, at // 256, len(tile))] = b"".join(tile)
        row = [v.root_of(row[at : at + 256]) for at in range(0, len(row) - 255, 256)]
        level += 1
    return files


class served:
    """Serves files on a port of this machine while the block runs."""

    def __init__(self, files):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path in files else 404)
                self.end_headers()
                self.wfile.write(files.get(self.path, b""))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()


def run():
    for test in (test_known_answers, test_proofs, test_every_flipped_bit, test_a_ledger_over_http):
        test()
        print(f"{test.__name__}: holds")
    return 0

-- The store, schema 1. Integers are non-negative; blobs are the bytes that the core writes.

-- Which programs may use this file, and whose ledger it is.
CREATE TABLE meta (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    schema     INTEGER NOT NULL,
    min_reader INTEGER NOT NULL,
    min_writer INTEGER NOT NULL,
    origin     TEXT    NOT NULL
);

-- The ledger's head.
CREATE TABLE head (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    size    INTEGER NOT NULL CHECK (size >= 0),
    time_ms INTEGER NOT NULL,
    root    BLOB    NOT NULL,
    epoch   INTEGER NOT NULL CHECK (epoch >= 0)
);
INSERT INTO head (one, size, time_ms, root, epoch) VALUES (1, 0, 0, zeroblob(32), 0);

-- The ledger: append-only. What is small stands first: it is read without the rest.
CREATE TABLE entry (
    idx             INTEGER PRIMARY KEY CHECK (idx >= 0),
    leaf            BLOB NOT NULL,
    salt            BLOB NOT NULL,
    document_salt   BLOB NOT NULL,
    record          BLOB NOT NULL,
    signed_document BLOB NOT NULL
);

-- The state: every row by its key's bytes.
CREATE TABLE state (
    key BLOB NOT NULL PRIMARY KEY,
    row BLOB NOT NULL
) WITHOUT ROWID;

-- From a person to their cases: outside the state, for it can't be derived from records alone.
CREATE TABLE person (
    person   BLOB NOT NULL,
    case_ref BLOB NOT NULL,
    PRIMARY KEY (person, case_ref)
) WITHOUT ROWID;

-- Full tiles of the tree. With rows of 8 KiB a table with a rowid and an index is the smaller one.
CREATE TABLE tile (
    level INTEGER NOT NULL,
    idx   INTEGER NOT NULL,
    bytes BLOB    NOT NULL,
    PRIMARY KEY (level, idx)
);

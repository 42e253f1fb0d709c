//! Every bound, with its arithmetic. A limit that is not here does not exist.
//!
//! Over a quota means "later" (with a time), never "no"; over a size means "no" with the size named.

/// A document's bytes: judgments are attachments, so 256 KiB is a very long form.
pub const DOCUMENT_BYTES: usize = 256 * 1024;
/// A unary request: one document of 256 KiB with signatures, or an acknowledgement of 256 items
/// (about 50 B each), with room; gRPC clients default to 4 MiB.
pub const REQUEST_BYTES: usize = 1024 * 1024;
/// A response: a page of 1 MiB of documents with a receipt (about 2 KiB) each.
pub const RESPONSE_BYTES: usize = 3 * 1024 * 1024;
/// One chunk of an attachment on the wire.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// One attachment: a scanned file bundle.
pub const ATTACHMENT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Attachments of one document.
pub const ATTACHMENTS: usize = 64;
/// Elements (fields and list items) of one document: two-byte empty elements would otherwise
/// inflate 256 KiB to tens of megabytes.
pub const ELEMENTS: usize = 4096;
/// Nesting of messages in one document.
pub const NESTING: usize = 16;
/// Signatures on one payload.
pub const SIGNATURES: usize = 4;
/// Characters of a text field that a rule or a key reads (names, numbers, titles).
pub const TEXT_CHARS: usize = 8192;
/// Agencies that one document may name where the law leaves a choice.
pub const CHOSEN_AGENCIES: usize = 1024;
/// Agencies named as help where a document must choose: 64 codes of 40 B stay under 3 KiB.
pub const CANDIDATES: usize = 64;
/// Documents that one document may be ordered after.
pub const AFTER_DOCUMENTS: usize = 64;
/// A ledger record's bytes.
pub const RECORD_BYTES: usize = 256 * 1024;
/// Addressees of one record; more means several documents.
pub const ADDRESSEES: usize = 4096;
/// Violations in one refusal: with texts in two languages they stay under 4 KiB, since some gRPC
/// clients replace an error whose details exceed 8 KiB.
pub const VIOLATIONS: usize = 16;
/// HTTP/2 request headers.
pub const HEADER_BYTES: u32 = 8 * 1024;
/// Streams of one connection.
pub const STREAMS_PER_CONNECTION: u32 = 128;
/// Streams of one connection of a gateway system.
pub const STREAMS_PER_GATEWAY: u32 = 1024;
/// Connections of one client key.
pub const CONNECTIONS_PER_KEY: usize = 8;
/// Connections of all systems of one agency.
pub const CONNECTIONS_PER_AGENCY: usize = 32;
/// Connections in all: 11,400 subscribers of a nation's agencies, and room.
pub const CONNECTIONS: usize = 16_384;
/// TLS handshakes under way at once.
pub const PENDING_HANDSHAKES: usize = 512;
/// TLS handshakes under way at once from one address.
pub const PENDING_HANDSHAKES_PER_SOURCE: usize = 64;
/// Seconds from accepting a connection to the end of its TLS handshake.
pub const HANDSHAKE_SECONDS: u64 = 5;
/// Seconds from the handshake to the first request.
pub const FIRST_REQUEST_SECONDS: u64 = 10;
/// HTTP/2 receive window of a stream.
pub const STREAM_WINDOW: u32 = 256 * 1024;
/// HTTP/2 receive window of a connection.
pub const CONNECTION_WINDOW: u32 = 512 * 1024;
/// HTTP/2 send buffer of a stream.
pub const SEND_BUFFER: usize = 64 * 1024;
/// Seconds for a unary call.
pub const UNARY_SECONDS: u64 = 30;
/// Seconds after which a connection is asked to retire with GOAWAY (the hub adds up to as much
/// again, spread by connection).
pub const CONNECTION_SECONDS: u64 = 30 * 60;
/// Inputs waiting for the sequencer.
pub const QUEUE: usize = 1024;
/// Bytes of inputs waiting for the sequencer.
pub const QUEUE_BYTES: usize = 16 * 1024 * 1024;
/// Inputs of one agency waiting for the sequencer.
pub const QUEUE_PER_AGENCY: usize = 64;
/// Bytes of one agency's inputs waiting for the sequencer.
pub const QUEUE_BYTES_PER_AGENCY: usize = 4 * 1024 * 1024;
/// Inputs of one transaction.
pub const BATCH: usize = 256;
/// Bytes of one transaction's inputs.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// Entries of a page unless asked otherwise.
pub const PAGE: usize = 100;
/// Entries of a page at most.
pub const PAGE_MAX: usize = 1000;
/// Bytes of a page at most.
pub const PAGE_BYTES: usize = 1024 * 1024;
/// Deliveries in one acknowledgement statement.
pub const ACKNOWLEDGED_ITEMS: usize = 256;
/// Delivery credits outstanding on one stream.
pub const CREDITS: u32 = 4096;
/// Streams that mirror one inbox.
pub const MIRRORS: usize = 8;
/// Streams that watch what becomes of one agency's documents: as many as mirror its inbox.
pub const WATCHERS: usize = 8;
/// Watchers of all agencies that read a page of the ledger at a time: half of the store's readers, so
/// that whoever reads everything leaves the other half to everybody else.
pub const WATCHERS_READING: usize = 2;
/// Statistics that are counted at a time: one of the store's four readers, and no more.
pub const COUNTERS: usize = 1;
/// Connections to the public listener: monitors and metrics, a descriptor each.
pub const PUBLIC_CONNECTIONS: usize = 256;
/// Tiles that strangers are read at a time: one of the store's four readers, and no more.
pub const PUBLIC_READING: usize = 1;
/// Seconds between heartbeats.
pub const HEARTBEAT_SECONDS: u64 = 15;
/// Seconds of silence after which a stream is closed: three heartbeats.
pub const SILENCE_SECONDS: u64 = 45;
/// Undecided documents of one bulk stream.
pub const UNDECIDED: usize = 256;
/// Seconds that `ListDeliveries` may wait for news: less than a unary call may take.
pub const WAIT_SECONDS: u32 = 20;
/// Refusals put in the ledger for one agency and minute; the rest is a count.
pub const REFUSALS_PER_MINUTE: usize = 64;
/// Accesses of one agency in a minute, queries and showings of what is protected: a page of what a query
/// found, read at once, and some more. Whoever uses them up day and night adds 172,800 records of at most
/// 1 KiB a day, 170 MB, and its supervisor sees each.
pub const ACCESSES_PER_MINUTE: usize = 120;
/// Disk kept free: acknowledgements and recovery must still fit.
pub const DISK_RESERVE_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Write-ahead log size that alarms.
pub const WAL_ALARM_BYTES: u64 = 256 * 1024 * 1024;
/// Characters of the article that a query cites: a citation, and no room for a story.
pub const ARTICLE_CHARS: usize = 60;
/// Hours after which an attachment that no document names is collected.
pub const ORPHAN_HOURS: u64 = 24;
/// Signing certificates of one agency.
pub const CERTIFICATES_PER_AGENCY: usize = 16;
/// Changes in one signed directory change.
pub const DIRECTORY_CHANGES: usize = 256;
/// Agencies that one system carries: a vendor's gateway for every agency of a province.
pub const AGENCIES_PER_SYSTEM: usize = 4096;
/// Milliseconds by which the wall clock may step forward against the monotonic clock before
/// commits pause: a monotone ledger cannot come back from the future.
pub const CLOCK_STEP_MS: i64 = 60_000;

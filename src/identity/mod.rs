//! Who speaks: certificates, keys and signatures, and the TLS that they open.
//!
//! A connection is let in when its certificate chains to a trusted authority **and** its digest is
//! registered as a transport key; a document counts when the signature over its exact bytes
//! verifies under a registered certificate. This folder does the cryptography of both.
//!
//! It is not the directory: it does not know which certificate belongs to which system or agency,
//! and it takes no decision about rights. It reads no clock; times are passed in.

pub mod files;
pub mod lists;
pub mod peer;
pub mod pki;
pub mod signature;
pub mod tls;
pub mod trust;

//! xianjie (衔接): the exchange hub for community corrections (社区矫正).
//!
//! Courts, procuratorates, police, detention centres, prisons and corrections agencies hand over
//! documents; the hub carries each to everyone the law names, proves it with a ledger that nobody can
//! rewrite, and knows at every moment who answers for a person. `ARCHITECTURE.md` is the map; the law
//! and the ledger's arithmetic are in the crate `xianjie-core`.

pub mod bench;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod demo;
pub mod entropy;
pub mod http;
pub mod hub;
pub mod identity;
pub mod server;
pub mod services;
pub mod store;
pub mod telemetry;
pub mod wire;

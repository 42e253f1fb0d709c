//! The hub as its users meet it: one binary of tests over real databases, real TLS, real processes.

mod store;
mod tidy;

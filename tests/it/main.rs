//! The hub as its users meet it: one binary of tests over real databases, real TLS, real processes.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod client;
mod clients;
mod decided_again;
mod demo;
mod extension;
mod faults;
mod full;
mod gateway;
mod harness;
mod hostile;
mod house;
mod kill;
mod people;
mod process;
mod random;
mod revocations;
mod services;
mod store;
mod thread;
mod tidy;
mod traces;
mod vectors;

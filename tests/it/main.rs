//! The hub as its users meet it: one binary of tests over real databases, real TLS, real processes.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod checking;
mod client;
mod clients;
mod commands;
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
mod law;
mod people;
mod process;
mod query;
mod random;
mod revocations;
mod rulebooks;
mod services;
mod store;
mod supervision;
mod thread;
mod tidy;
mod time;
mod traces;
mod vectors;

//! The pure part of xianjie (衔接): the law, the decision, the ledger's arithmetic. No network, no
//! disk, no clock, no randomness: everything that matters comes in as a value.

pub mod domain;
pub mod ids;
pub mod ledger;
pub mod limits;
pub mod refusal;

#[cfg(test)]
mod testing;

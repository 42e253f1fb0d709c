//! `xianjie law check`: the hub's answer to a document that is not sent.

use std::path::Path;

use crate::cli::{CliError, Globals};
use crate::client::checked::describe;

/// Asks the hub, and prints its answer.
pub(super) async fn run(file: &Path, globals: &Globals) -> Result<(), CliError> {
    let client = globals.client().await?;
    let answer = client.check(file).await?;
    print!("{}", describe(&answer));
    match answer.violations.len() {
        0 => Ok(()),
        count => Err(CliError::refused(
            format!("the hub would refuse this document: {count} things are wrong"),
            format!("平台将不予接收此文书：有{count}处问题"),
        )),
    }
}

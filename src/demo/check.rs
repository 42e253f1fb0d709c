//! Compares what happens with what the story says of it.

use xianjie_core::domain::record::Record;

use super::DemoError;
use super::story::{Expect, Step};
use super::timeline::{addressees, custody};
use crate::client::query::Found;

/// Whether a record does what the step says: to whom it goes, and who answers for the person.
///
/// # Errors
/// [`DemoError::Other`].
pub(super) fn check(step: &Step, record: &Record) -> Result<(), DemoError> {
    let expect = &step.expect;
    let codes = |copies| -> Vec<String> {
        addressees(record, copies).into_iter().map(|(code, _)| code.to_owned()).collect()
    };
    let found = (codes(false), codes(true));
    let expected = (expect.to.clone(), expect.copies.clone());
    same(step, &format!("{expected:?}"), &format!("{found:?}"))?;
    if let (Some(state), Some(answers)) = (&expect.state, &expect.answers) {
        let found = custody(record).map(|(state, answers)| {
            let who = answers.map(ToString::to_string).unwrap_or_default();
            format!("{} {who}", state.word())
        });
        same(step, &format!("{state} {answers}"), &found.unwrap_or_default())?;
    }
    match &expect.refused {
        Some(reason) => same(step, reason, "it was taken"),
        None => Ok(()),
    }
}

/// Whether a query finds what the step says.
///
/// # Errors
/// [`DemoError::Other`].
pub(super) fn check_found(step: &Step, found: &Found) -> Result<(), DemoError> {
    let types: Vec<_> = found.documents.iter().map(|document| &document.document_type).collect();
    same(step, &format!("{:?}", step.expect.found), &format!("{types:?}"))
}

/// Whether a refusal is the one that the step says.
///
/// # Errors
/// [`DemoError::Other`].
pub(super) fn check_refusal(
    expect: &Expect,
    reason: &str,
    mut fields: Vec<String>,
) -> Result<(), DemoError> {
    let mut expected = expect.fields.clone();
    expected.sort();
    fields.sort();
    let wanted = format!("{} {expected:?}", expect.refused.as_deref().unwrap_or("no refusal"));
    let found = format!("{reason} {fields:?}");
    if wanted == found {
        return Ok(());
    }
    Err(DemoError::Other { step: "refusal".to_owned(), expected: wanted, found })
}

fn same(step: &Step, expected: &str, found: &str) -> Result<(), DemoError> {
    if expected == found {
        return Ok(());
    }
    let step = step.en.clone();
    Err(DemoError::Other { step, expected: expected.to_owned(), found: found.to_owned() })
}

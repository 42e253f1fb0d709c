//! What would become of a document that isn't sent yet. The stages are those of its decision; only who
//! signed, what it says of itself, and what becomes of it in its case are asked one by one, since some
//! of it may be missing, or not for whoever asks to know.

use super::super::{Decision, DocumentInput, World, signers, thread};
use super::{known, missing_fields, rule, table, take};
use crate::domain::agency::Purpose;
use crate::domain::document::Document;
use crate::domain::state::View;
use crate::refusal::{Refusal, Violation};

/// What would become of a document, whoever signed it: its signatures may still be missing.
///
/// # Errors
/// All else that is wrong at once.
pub fn foresee(
    view: &View<'_>,
    world: &World<'_>,
    input: &DocumentInput,
) -> Result<Decision, Refusal> {
    match known(view, world, input)? {
        Some(known) => Ok(known),
        None => take(view, world, input, Vec::new()),
    }
}

/// Whether all who signed a document may.
///
/// # Errors
/// None signed, or what is wrong with the first that may not.
pub fn check_signers(world: &World<'_>, input: &DocumentInput) -> Result<(), Violation> {
    let sender = &input.document.sender;
    signers::bindings(world, sender, &input.signers, Purpose::Document).map(drop)
}

/// What a document says of itself, and of documents that its sender knows, held against the rule of its
/// day. The answer is the same whatever stands in its case, and whether it has one.
///
/// # Errors
/// All that is wrong at once.
pub fn check_form(view: &View<'_>, world: &World<'_>, document: &Document) -> Result<(), Refusal> {
    let table = rule(world, document)?;
    let mut violations = missing_fields(document, table);
    thread::find(view, world, document, table, &mut violations);
    Refusal::of(violations).map_or(Ok(()), Err)
}

/// Whether the case of a document is sought among all of its person's, and not among those alone that
/// its sender is party to.
#[must_use]
pub fn finds_person(world: &World<'_>, document: &Document) -> bool {
    table(world, document).is_some_and(|table| table.base.finds_person)
}

//! What relations and conditions are evaluated against: one document, in one case, at one time.

use std::collections::BTreeMap;

use crate::domain::directory::{Directory, Divisions};
use crate::domain::document::Document;
use crate::domain::role::Role;
use crate::domain::state::{Case, DocumentRow};
use crate::ids::{AgencyCode, DocumentRef, DocumentType, Time};

/// The document that is being answered.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// Its sender and id.
    pub document: &'a DocumentRef,
    /// What the state remembers of it.
    pub row: &'a DocumentRow,
}

/// One document, in one case, at one time.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// Who there is.
    pub directory: &'a Directory,
    /// Where.
    pub divisions: &'a Divisions,
    /// The instant for which agencies are chosen: that of the commit.
    pub time: Time,
    /// The document.
    pub document: &'a Document,
    /// What it answers.
    pub answered: Option<Answered<'a>>,
    /// The case that it belongs to, as it stands at this point of the decision: a case about to
    /// open is already here with what the document tells of it.
    pub case: Option<&'a Case>,
    /// The document's first primary addressee, once routing has found it.
    pub addressee: Option<AgencyCode>,
    /// Who made the proposal that the ruling decided to which the answered document objects.
    pub proposer: Option<AgencyCode>,
    /// Roles that the document itself gives (`sets`, chosen agencies), before the case has them.
    pub given: BTreeMap<Role, AgencyCode>,
    /// For each type with an open document in the case: that document's sender and its first
    /// primary addressee. Open: a duty that it opened on its addressee is still owed.
    pub open: BTreeMap<DocumentType, (AgencyCode, AgencyCode)>,
}

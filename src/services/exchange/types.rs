//! `ListDocumentTypes`: what the law of a day asks of each document type.

use jiff::civil::Date;
use xianjie_core::domain::agency::Agency;
use xianjie_core::domain::decide::admits;
use xianjie_core::domain::policy::Rpc;
use xianjie_core::domain::rulebook::{Answers, Law, Table};
use xianjie_core::domain::term::shanghai_date;
use xianjie_core::ids::DocumentType;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::super::encode;
use super::super::peer::Caller;
use crate::wire::pb;

pub(super) fn list(
    caller: &Caller,
    request: &pb::ListDocumentTypesRequest,
) -> Result<pb::ListDocumentTypesResponse, Refusal> {
    let code = caller.agency(Rpc::ListDocumentTypes, &request.agency)?;
    let directory = caller.hub.directory();
    let agency =
        directory.agency(&code).ok_or_else(|| Violation::new(Reason::UnknownSender, "agency"))?;
    let day: Date = match request.law_date.as_str() {
        "" => shanghai_date(caller.hub.now().0),
        text => text.parse().map_err(|_| Violation::new(Reason::Format, "law_date"))?,
    };
    let law = caller.hub.law();
    let limit = encode::page_size(request.page_size);
    let mut types = law
        .on(day)
        .documents
        .iter()
        .filter(|(name, _)| name.as_str() > request.page_token.as_str())
        .map(|(name, table)| message(&law, day, agency, name, table))
        .filter(|message| message.sendable || !request.only_sendable);
    let document_types: Vec<_> = types.by_ref().take(limit).collect();
    let last = document_types.last().filter(|_| types.next().is_some());
    let next_page_token = last.map(|last| last.name.clone()).unwrap_or_default();
    Ok(pb::ListDocumentTypesResponse { document_types, next_page_token })
}

fn message(
    law: &Law,
    day: Date,
    agency: &Agency,
    name: &DocumentType,
    table: &Table,
) -> pb::DocumentType {
    let speaking = law.books().iter().filter(|book| {
        book.from <= day
            && book.until.is_none_or(|until| day <= until)
            && book.documents.iter().any(|(other, _)| other == name)
    });
    pb::DocumentType {
        name: name.to_string(),
        name_zh: table.base.name.clone(),
        document_class: table.base.class.word().to_owned(),
        rulebooks: speaking.map(|book| book.name.clone()).collect(),
        sendable: table.senders.iter().any(|kind| admits(kind, agency)),
        required: table.required.clone(),
        attachment_kinds: table.needs.iter().map(|need| need.kind.clone()).collect(),
        answers: words(&table.answers),
        may_answer: words(&table.may_answer),
        opens_case: table.base.opens_case,
        unique: table.base.unique,
        articles: table.articles.clone(),
    }
}

/// The types, or `any`.
fn words(answers: &Answers) -> Vec<String> {
    match answers {
        Answers::Nothing => Vec::new(),
        Answers::Any => vec!["any".to_owned()],
        Answers::Types(types) => types.iter().map(ToString::to_string).collect(),
    }
}

//! An access to what is not the asker's by delivery alone: a query of a topic, or the showing of what
//! concerns a protected person. Its record is written before anything is shown.

use std::collections::BTreeSet;

use super::{AccessInput, Decided, Decision, World, admits};
use crate::domain::access::{Access, Allowed, Query};
use crate::domain::policy::supervisor;
use crate::domain::record::{Kind, Record};
use crate::domain::state::{Key, Row, View};
use crate::domain::term::shanghai_date;
use crate::ids::{AgencyCode, TopicName};
use crate::refusal::{Reason, Refusal, Violation};

pub(super) fn decide(
    view: &View<'_>,
    world: &World<'_>,
    input: &AccessInput,
) -> Result<Decision, Refusal> {
    let query = input.query.as_ref().map(|query| allowed(world, &input.agency, query));
    let access = Access {
        agency: input.agency.clone(),
        system: input.system.clone(),
        method: input.method.clone(),
        cases: input.cases.clone(),
        document: input.document,
        query: query.transpose()?,
        by_query: input.by_query,
        supervisors: supervisors(view, world, input),
    };
    let record = Record { kind: Kind::Access(Box::new(access)), effects: Vec::new() };
    Ok(Decision::Record(Box::new(Decided { record, flagged: None, known: Vec::new(), link: None })))
}

/// What a query opens, if the law of today lets an agency of this kind query the topic.
fn allowed(world: &World<'_>, agency: &AgencyCode, query: &Query) -> Result<Allowed, Violation> {
    let topics = &world.law.on(shanghai_date(world.time.0)).topics;
    let Some(topic) = topics.get(&query.topic) else {
        let known: Vec<_> = topics.keys().map(TopicName::as_str).collect();
        let (english, chinese) = (known.join(", "), known.join("、"));
        return Err(Violation::new(Reason::Format, "topic")
            .help_in(format!("one of: {english}"), format!("须为下列之一：{chinese}")));
    };
    let agency = world.directory.agency(agency).filter(|agency| agency.is_active(world.time));
    let agency = agency.ok_or_else(|| Violation::new(Reason::UnknownSender, "agency"))?;
    if topic.item.queried_by.iter().any(|kind| admits(kind, agency)) {
        let opens = topic.item.documents.iter().cloned().collect();
        return Ok(Allowed { query: query.clone(), opens });
    }
    Err(Violation::new(Reason::TopicClosed, "topic").articles(&topic.articles))
}

/// The procuratorates that supervise the asker and those whom the persons concern now.
fn supervisors(view: &View<'_>, world: &World<'_>, input: &AccessInput) -> BTreeSet<AgencyCode> {
    let directory = world.directory;
    let mut found: BTreeSet<AgencyCode> =
        supervisor(directory, &input.agency).cloned().into_iter().collect();
    for case in &input.cases {
        if let Some(Row::Case(case)) = view.get(&Key::Case(*case)) {
            found.extend(case.concerned().filter_map(|code| supervisor(directory, code)).cloned());
        }
    }
    found
}

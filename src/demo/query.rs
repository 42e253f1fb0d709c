//! A query (查询) of the story: what an entitled agency asks about a person beside what it was sent.

use xianjie_core::domain::access::{Ground, Purpose};

use super::DemoError;
use super::check::check_found;
use super::story::{Question, Step};
use super::timeline::Timeline;
use crate::client::Client;
use crate::client::query::About;

/// Asks about the person of `case`, and tells what was found.
///
/// # Errors
/// [`DemoError`]: the step asks nothing that can be asked, or finds something else than it says.
pub(super) async fn ask(
    client: &Client,
    step: &Step,
    case: &str,
    timeline: &Timeline,
) -> Result<(), DemoError> {
    let who = step.who()?;
    let wrong = |what: &str| DemoError::Story(format!("no {what} to ask at {}", step.when()));
    let question = step.query.as_ref().ok_or_else(|| wrong("question"))?;
    let about = About::Case(case.parse().map_err(|_| wrong("case"))?);
    let topic = question.topic.parse().map_err(|_| wrong("topic"))?;
    let ground = ground(question).ok_or_else(|| wrong("ground"))?;
    let found = client.query(&about, &topic, &ground).await;
    let found = found.map_err(|error| DemoError::client(&who, error))?;
    timeline.queried(question, &found);
    check_found(step, &found)
}

fn ground(question: &Question) -> Option<Ground> {
    let known = |(_, word): &&(Purpose, &str)| *word == question.purpose;
    let (purpose, _) = Purpose::WORDS.iter().find(known)?;
    Some(Ground { purpose: *purpose, article: question.article.parse().ok()? })
}

//! Supervision (检察监督): what is owed, who is between two agencies, who answers for whom, how the
//! duties of a month were met, and alarms as they come.
//!
//! It gives the hub's own answers, in the messages of the protocol. An alarm is a reminder, never a
//! finding: it tells what the hub has not seen.

use std::time::Duration;

use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::timeout;
use xianjie_core::ids::{AgencyCode, CaseRef, Time};
use xianjie_core::limits::SILENCE_SECONDS;

use super::backoff::Backoff;
use super::connect::{Client, ProfileLacks, unary};
use super::error::CallError;
use super::seen::SeenError;
use super::status::QueryError;
use super::verify::{Report, Step, verify_receipt};
use crate::wire::receipt::{self, ReceiptFormError};
use crate::wire::time::{read_time, write_time};

use crate::wire::pb;
pub use pb::owed_duty::Owner;
use pb::watch_alarms_response::Message;
pub use pb::{
    AlarmRaised, CustodyNow, DutyStanding, Gap, GapKind, GetCustodyResponse, MissingPerson,
    OwedDuty, PastStep, StatisticsRow,
};

/// How many a page holds at most: the hub gives no more.
const PAGE: u32 = 1000;

/// Which duties are asked for. All that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct DutyFilter {
    /// Only those that this agency owes, watches or is owed.
    pub of_agency: Option<AgencyCode>,
    /// Only those whose limit has passed undone, without reminders and rights.
    pub missed: bool,
    /// Only those of this correction case (矫正案件).
    pub correction_case: Option<CaseRef>,
}

/// What is heard while alarms are watched.
#[derive(Debug)]
pub enum Heard {
    /// An alarm, whose receipt verified.
    Alarm(Box<AlarmRaised>),
    /// Every alarm below this index has been heard.
    UpTo(u64),
    /// The stream broke; it is opened again after the wait.
    Broken {
        /// Why.
        why: CallError,
        /// The wait.
        wait: Duration,
    },
}

/// Something that ends the watching of alarms.
#[derive(Debug, Error)]
pub enum WatchError {
    /// The call did not succeed, and trying again would not help.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The profile is no agency's.
    #[error(transparent)]
    Profile(#[from] ProfileLacks),
    /// What the hub gave with an alarm is no receipt.
    #[error("what the hub gave with an alarm is no receipt")]
    ReceiptForm(#[from] ReceiptFormError),
    /// The receipt of an alarm does not verify.
    #[error("the receipt of an alarm does not verify")]
    DoubtfulReceipt(Box<Report>),
    /// A checkpoint contradicts one seen before.
    #[error(transparent)]
    Seen(#[from] SeenError),
}

impl Client {
    /// The duties (期限义务) that are owed now: those of one agency together, the oldest first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn duties(&self, filter: &DutyFilter) -> Result<Vec<OwedDuty>, QueryError> {
        let mut request = pb::ListDutiesRequest {
            agency: self.agency()?.to_string(),
            of_agency: text(filter.of_agency.as_ref()),
            missed: filter.missed,
            correction_case: text(filter.correction_case.as_ref()),
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut found = Vec::new();
        loop {
            let answer = self.supervision().list_duties(unary(request.clone())).await;
            let page = answer.map_err(CallError::from)?.into_inner();
            found.extend(page.duties);
            if page.next_page_token.is_empty() {
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The persons who are between two agencies (交接中); only those whose handover was not completed
    /// in time if `missed`.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn gaps(&self, missed: bool) -> Result<Vec<Gap>, QueryError> {
        let agency = self.agency()?.to_string();
        let page_token = String::new();
        let mut request = pb::ListGapsRequest { agency, missed, page_size: PAGE, page_token };
        let mut found = Vec::new();
        loop {
            let answer = self.supervision().list_gaps(unary(request.clone())).await;
            let page = answer.map_err(CallError::from)?.into_inner();
            found.extend(page.gaps);
            if page.next_page_token.is_empty() {
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The persons whose whereabouts are unknown (下落不明) while somebody answers for them.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn missing_persons(&self) -> Result<Vec<MissingPerson>, QueryError> {
        let agency = self.agency()?.to_string();
        let page_token = String::new();
        let mut request = pb::ListMissingPersonsRequest { agency, page_size: PAGE, page_token };
        let mut found = Vec::new();
        loop {
            let answer = self.supervision().list_missing_persons(unary(request.clone())).await;
            let page = answer.map_err(CallError::from)?.into_inner();
            found.extend(page.persons);
            if page.next_page_token.is_empty() {
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Which agency answers for the person of a case (监管责任), now or at an earlier time, and the
    /// steps that led there.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn custody(
        &self,
        case: CaseRef,
        at: Option<Time>,
    ) -> Result<GetCustodyResponse, QueryError> {
        let mut request = pb::GetCustodyRequest {
            agency: self.agency()?.to_string(),
            correction_case: case.to_string(),
            at_time: at.map(write_time),
            ..pb::GetCustodyRequest::default()
        };
        let mut steps = Vec::new();
        loop {
            let answer = self.supervision().get_custody(unary(request.clone())).await;
            let mut page = answer.map_err(CallError::from)?.into_inner();
            steps.append(&mut page.steps);
            if page.next_page_token.is_empty() {
                return Ok(GetCustodyResponse { steps, ..page });
            }
            request.page_token = page.next_page_token;
        }
    }

    /// How the duties that were opened in a month, `YYYY-MM` in Asia/Shanghai, were met.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn statistics(&self, month: &str) -> Result<Vec<StatisticsRow>, QueryError> {
        let agency = self.agency()?.to_string();
        let mut request = pb::GetStatisticsRequest {
            agency,
            month: month.to_owned(),
            ..pb::GetStatisticsRequest::default()
        };
        let mut rows = Vec::new();
        loop {
            let answer = self.supervision().get_statistics(unary(request.clone())).await;
            let page = answer.map_err(CallError::from)?.into_inner();
            page.rows.into_iter().for_each(|row| add(&mut rows, row));
            if page.next_page_token.is_empty() {
                return Ok(rows);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Tells of every alarm above index `after` (of all if none is given), and then of every new one,
    /// over as many streams as it takes, until nobody listens any more or something happens that a
    /// person must see: such as that the hub doesn't take this client.
    ///
    /// # Errors
    /// [`WatchError`]; never a broken connection.
    pub async fn watch_alarms(
        &self,
        mut after: Option<u64>,
        heard: mpsc::Sender<Heard>,
    ) -> Result<(), WatchError> {
        let mut backoff = Backoff::default();
        loop {
            let began = after;
            let why = match self.alarm_stream(&mut after, &heard).await {
                Ok(()) => CallError::silence(),
                Err(WatchError::Call(why)) if why.may_pass() => why,
                // Else a person has to act, and no new stream does better.
                Err(error) => return Err(error),
            };
            if after != began {
                backoff = Backoff::default();
            }
            let wait = backoff.next(why.refused().and_then(|refused| refused.retry_after));
            if heard.send(Heard::Broken { why, wait }).await.is_err() {
                return Ok(());
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// One stream, from its opening to its end. `after` moves on with what is heard.
    async fn alarm_stream(
        &self,
        after: &mut Option<u64>,
        heard: &mpsc::Sender<Heard>,
    ) -> Result<(), WatchError> {
        let agency = self.agency()?.to_string();
        let request = pb::WatchAlarmsRequest { agency, after_index: *after };
        let answer = self.supervision().watch_alarms(request).await;
        let mut messages = answer.map_err(CallError::from)?.into_inner();
        loop {
            let next = timeout(Duration::from_secs(SILENCE_SECONDS), messages.message()).await;
            let Ok(next) = next else { return Ok(()) };
            let Some(message) = next.map_err(CallError::from)? else { return Ok(()) };
            let (index, told) = match message.message {
                Some(Message::Alarm(alarm)) => {
                    self.believe(&alarm).await?;
                    (Some(alarm.index), Heard::Alarm(alarm))
                }
                Some(Message::Heartbeat(sign)) => {
                    (sign.ledger_size.checked_sub(1), Heard::UpTo(sign.ledger_size))
                }
                None => continue,
            };
            if heard.send(told).await.is_err() {
                return Ok(());
            }
            *after = index.max(*after);
        }
    }

    /// Believes an alarm only if its receipt verifies and is that of its record.
    async fn believe(&self, alarm: &AlarmRaised) -> Result<(), WatchError> {
        let parts = receipt::parts(&alarm.receipt.clone().unwrap_or_default())?;
        let mut report = Report::default();
        let time = alarm.record_time.as_ref().and_then(read_time);
        let same = |index, time_ms| {
            index == alarm.index && time.is_some_and(|time| i64::try_from(time_ms) == Ok(time.0))
        };
        match verify_receipt(&self.profile().trust, &parts, &mut report) {
            Some(receipt) if same(receipt.index, receipt.time_ms) => {
                Ok(self.advance_if_reached(&parts.checkpoint).await?)
            }
            Some(_) => {
                let why = "the receipt is that of another record";
                report.fails(Step::Inclusion, why, "存证属于另一条记录");
                Err(WatchError::DoubtfulReceipt(Box::new(report)))
            }
            None => Err(WatchError::DoubtfulReceipt(Box::new(report))),
        }
    }
}

/// An id, or nothing where none is given.
fn text(id: Option<&impl ToString>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}

/// Adds the counts of a row to those of its like, or the row.
fn add(rows: &mut Vec<StatisticsRow>, row: StatisticsRow) {
    let same = |other: &&mut StatisticsRow| {
        (&other.division, &other.document_type, &other.duty, &other.articles, other.force)
            == (&row.division, &row.document_type, &row.duty, &row.articles, row.force)
    };
    let Some(sum) = rows.iter_mut().find(same) else {
        rows.push(row);
        return;
    };
    sum.opened += row.opened;
    sum.met += row.met;
    sum.met_late += row.met_late;
    sum.missed += row.missed;
    sum.missed_then_ended += row.missed_then_ended;
    sum.running += row.running;
    sum.ended_otherwise += row.ended_otherwise;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::profile::Profile;
    use super::super::testing::World;
    use super::*;
    use crate::clock::ManualClock;

    fn alarm(world: &World, record: usize) -> AlarmRaised {
        let parts = &world.receipts[record];
        let time_ms = i64::try_from(parts.opening.leaf.time_ms).unwrap();
        AlarmRaised {
            index: parts.index,
            record_time: Some(write_time(Time(time_ms))),
            receipt: Some(receipt::message(parts)),
            ..AlarmRaised::default()
        }
    }

    #[tokio::test]
    async fn an_alarm_is_believed_only_with_the_receipt_of_its_record() {
        let world = World::new();
        let profile = Profile::load(&world.profile()).unwrap();
        let clock = Arc::new(ManualClock::at(Time(0)));
        let client = Client::unconnected(profile, clock).await.unwrap();
        client.believe(&alarm(&world, 2)).await.unwrap();

        let other = AlarmRaised { receipt: alarm(&world, 1).receipt, ..alarm(&world, 2) };
        let refused = client.believe(&other).await;
        let Err(WatchError::DoubtfulReceipt(report)) = refused else { panic!("{refused:?}") };
        assert!(!report.is_proven());

        let later = AlarmRaised { record_time: Some(write_time(Time(9))), ..alarm(&world, 2) };
        assert!(matches!(client.believe(&later).await, Err(WatchError::DoubtfulReceipt(_))));

        let mut forged = alarm(&world, 2);
        forged.receipt.as_mut().unwrap().record = b"another".to_vec().into();
        assert!(matches!(client.believe(&forged).await, Err(WatchError::DoubtfulReceipt(_))));

        let none = AlarmRaised { receipt: None, ..alarm(&world, 2) };
        assert!(matches!(client.believe(&none).await, Err(WatchError::ReceiptForm(_))));
    }

    #[test]
    fn waiting_does_not_help_against_a_hub_without_the_method() {
        let error = |code| CallError::from(tonic::Status::new(code, ""));
        assert!(error(tonic::Code::Unavailable).may_pass());
        assert!(!error(tonic::Code::Unimplemented).may_pass());
    }
}

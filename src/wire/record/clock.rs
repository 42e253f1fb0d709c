//! What records say of time.

use xianjie_core::domain::record::{Clock, Outage};
use xianjie_core::ids::Time;

use super::base::{delivery, delivery_message, duty_id, duty_message, ids, texts};
use super::{RecordError, Word};
use crate::wire::pb;
use pb::clock_record::About;

pub(super) fn message(clock: &Clock) -> pb::ClockRecord {
    match clock {
        Clock::Outage(outage) => pb::ClockRecord {
            step: pb::ClockStep::Outage.into(),
            outage: Some(outage_message(*outage)),
            ..pb::ClockRecord::default()
        },
        Clock::Duty { duty, step, times, outage, agencies, supervisors } => pb::ClockRecord {
            step: step.number(),
            times: *times,
            about: Some(About::Duty(duty_message(*duty))),
            outage: outage.map(outage_message),
            agencies: texts(agencies),
            supervisors: texts(supervisors),
        },
        Clock::Unacknowledged { agency, number, agencies, supervisors } => pb::ClockRecord {
            step: pb::ClockStep::DeliveryUnacknowledged.into(),
            about: Some(About::Delivery(delivery_message(agency, *number))),
            agencies: texts(agencies),
            supervisors: texts(supervisors),
            ..pb::ClockRecord::default()
        },
    }
}

pub(super) fn read(message: pb::ClockRecord) -> Result<Clock, RecordError> {
    let (outage, times) = (message.outage.map(read_outage), message.times);
    let agencies = ids(&message.agencies, "agencies")?;
    let supervisors = ids(&message.supervisors, "supervisors")?;
    let step = message.step();
    match (message.about, step) {
        (None, pb::ClockStep::Outage) => {
            Ok(Clock::Outage(outage.ok_or(RecordError::Missing("outage"))?))
        }
        (Some(About::Delivery(about)), pb::ClockStep::DeliveryUnacknowledged) => {
            let (agency, number) = delivery(Some(about))?;
            Ok(Clock::Unacknowledged { agency, number, agencies, supervisors })
        }
        (Some(About::Duty(about)), step) => Ok(Clock::Duty {
            duty: duty_id(Some(about))?,
            step: Word::from_number(step.into())?,
            times,
            outage,
            agencies,
            supervisors,
        }),
        _ => Err(RecordError::UnknownKind),
    }
}

fn outage_message(outage: Outage) -> pb::Outage {
    pb::Outage { start_ms: outage.from.0, end_ms: outage.until.0 }
}

fn read_outage(message: pb::Outage) -> Outage {
    Outage { from: Time(message.start_ms), until: Time(message.end_ms) }
}

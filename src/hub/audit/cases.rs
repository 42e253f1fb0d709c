//! Nobody between (P8): for each open case the fold names who answers for the person, and while a
//! handover is under way, by when it is due.

use xianjie_core::domain::custody::State;
use xianjie_core::domain::state::{Case, Key, Range, Row};
use xianjie_core::ids::CaseRef;
use xianjie_core::limits;

use super::findings::wrong;
use super::{Audit, AuditError};
use crate::store::{Loaded, Wants, prefix_end};

impl Audit<'_> {
    /// Checks every case that the fold made.
    pub(super) async fn check_cases(&mut self) -> Result<(), AuditError> {
        let mut from = Key::Case(CaseRef([0; 16])).to_bytes();
        let to = prefix_end(&from[..1]);
        loop {
            let page = self.scratch.scan(&from, &to, limits::PAGE_MAX).await;
            let page = page.map_err(AuditError::Scratch)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            from = [last.as_slice(), &[0]].concat();
            let cases = page.iter().filter_map(|(key, row)| {
                match (Key::from_bytes(key).ok()?, Row::from_bytes(row).ok()?) {
                    (Key::Case(reference), Row::Case(case)) => Some((reference, *case)),
                    _ => None,
                }
            });
            self.check_page(cases.collect()).await?;
        }
    }

    async fn check_page(&mut self, cases: Vec<(CaseRef, Case)>) -> Result<(), AuditError> {
        let mut wants = Wants::default();
        for (reference, case) in &cases {
            wants.ranges.insert(Range::OwedInCase(*reference));
            wants.keys.extend(case.custody.answers.clone().map(Key::Agency));
        }
        let mut loaded = self.load(&wants).await?;
        let owed = loaded.ranges.values().flatten().filter_map(|key| match key {
            Key::OwedInCase(_, duty) => Some(Key::Duty(*duty)),
            _ => None,
        });
        let duties = Wants { keys: owed.collect(), ..Wants::default() };
        loaded.extend(self.load(&duties).await?);
        for (reference, case) in &cases {
            self.check_case(*reference, case, &loaded);
        }
        Ok(())
    }

    fn check_case(&mut self, reference: CaseRef, case: &Case, loaded: &Loaded) {
        let state = case.custody.state;
        let index = Some(case.opened);
        let what = format!("{reference} {}", state.word());
        let answers = case.custody.answers.as_ref().is_some_and(|agency| {
            loaded.rows.get(&Key::Agency(agency.clone())).is_some_and(Option::is_some)
        });
        match state {
            State::Imprisoned | State::Released | State::Dead => return,
            State::None if !answers => self.notes.add(wrong::CASE_NOBODY, index, &what),
            _ if !answers => self.findings.add(wrong::CASE_UNANSWERED, index, &what),
            _ => {}
        }
        if self.law.custody().is_handover(state) && !has_limit(reference, loaded) {
            self.notes.add(wrong::CASE_UNLIMITED, index, what);
        }
    }

    async fn load(&self, wants: &Wants) -> Result<Loaded, AuditError> {
        self.scratch.load(wants).await.map_err(AuditError::Scratch)
    }
}

/// Whether a duty to hand the person over is owed.
fn has_limit(reference: CaseRef, loaded: &Loaded) -> bool {
    let owed = loaded.ranges.get(&Range::OwedInCase(reference)).into_iter().flatten();
    owed.filter_map(|key| match key {
        Key::OwedInCase(_, duty) => loaded.rows.get(&Key::Duty(*duty))?.as_ref(),
        _ => None,
    })
    .any(|row| matches!(row, Row::Duty(duty) if duty.handover && duty.is_owed()))
}

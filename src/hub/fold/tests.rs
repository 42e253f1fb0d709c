//! An input that can't be applied: it alone is set aside.

use std::sync::LazyLock;

use xianjie_core::domain::record::{Clock, Kind, Outage, RuledEffect};

use super::*;

static LAW: LazyLock<Law> = LazyLock::new(Law::built_in);
static DIVISIONS: LazyLock<Divisions> = LazyLock::new(Divisions::default);

/// A record of an outage, with this effect besides.
fn noted(effect: Option<Effect>) -> Item {
    let ruled = |effect| RuledEffect { rule: "hub/test".to_owned(), articles: Vec::new(), effect };
    let record = Record {
        kind: Kind::Clock(Clock::Outage(Outage { from: Time(1), until: Time(2) })),
        effects: effect.into_iter().map(ruled).collect(),
    };
    Item::bare(Input::Noted(Box::new(record))).unwrap()
}

/// Folds onto an empty ledger in which no row is found.
fn folded(fold: &mut BatchFold<'_>) -> Arc<Batch> {
    let mut loaded = Loaded::default();
    loop {
        match fold.step(&Head::default(), &loaded) {
            Step::Load(wants) => {
                loaded.rows.extend(wants.keys.into_iter().map(|key| (key, None)));
                loaded.ranges.extend(wants.ranges.into_iter().map(|range| (range, Vec::new())));
            }
            Step::Write(batch) => return batch,
        }
    }
}

#[test]
fn what_does_not_apply_is_set_aside_and_the_batch_goes_on() {
    let nobody = "nobody".parse().unwrap();
    let unfit = Effect::AgencySuspended { agency: nobody, suspended: true };
    let items = [noted(None), noted(Some(unfit)), noted(None)];
    let ground = Ground {
        divisions: &DIVISIONS,
        law: &LAW,
        reminders: Reminders::default(),
        now: Time(1_000),
    };
    let cache = Cache::default();
    let mut fold = BatchFold::new(ground, &items, Arc::default(), Edge::new(), &cache);
    let batch = folded(&mut fold);
    assert!(fold.has_set_aside());
    assert_eq!(batch.entries.len(), 2);
    let outcomes = fold.into_folded().unwrap().outcomes;
    let reasons: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Refused(refusal) => Some(refusal.reason()),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [None, Some(Reason::Quarantined), None]);
}

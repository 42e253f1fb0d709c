use super::*;
use crate::domain::custody::CustodyChange;
use crate::domain::rulebook::RulebookError;
use Step::*;

const TEXT: &str = include_str!("../../rules/custody.toml");

fn table() -> CustodyTable {
    CustodyTable::parse("custody.toml", TEXT).unwrap()
}

fn in_state(state: State) -> Custody {
    Custody { state, ..Custody::default() }
}

/// The case after these steps, all of which must be possible.
fn after(steps: &[Step]) -> Custody {
    let table = table();
    steps.iter().fold(Custody::default(), |custody, step| {
        let Taken::Moved(moved) = table.take(&custody, *step) else {
            panic!("{} refuses or flags {}", custody.state.word(), step.word());
        };
        custody.after(&CustodyChange {
            moved: moved.state.map(|state| (state, None)),
            missing: moved.missing,
            proposal: moved.proposal,
            ..CustodyChange::default()
        })
    })
}

#[test]
fn a_case_goes_its_ordinary_ways() {
    for (steps, state) in [
        (&[Papers, Accept, Release][..], State::Released),
        (&[Decide, Offer, Accept, Move, Accept, Release], State::Released),
        (&[Decide, Offer, Refuse], State::Confined),
        (&[Papers, Accept, Pending, Revoke, Deliver, Imprison], State::Imprisoned),
        (&[Papers, Accept, Missing, Pending, Revoke, Capture, Deliver, Refuse], State::Revoked),
        (&[Papers, Accept, Move, Recall, Die], State::Dead),
    ] {
        assert_eq!(after(steps).state, state, "{steps:?}");
    }
}

#[test]
fn who_is_missing_is_at_large_when_revoked() {
    assert_eq!(after(&[Papers, Accept, Revoke]).state, State::Revoked);
    assert_eq!(after(&[Papers, Accept, Missing, Revoke]).state, State::AtLarge);
    assert_eq!(after(&[Papers, Accept, Missing, Found, Revoke]).state, State::Revoked);
}

#[test]
fn flags_stand_beside_the_state() {
    let arrested = after(&[Papers, Accept, Missing, Pending, Arrest]);
    assert!(arrested.proposal && !arrested.missing);
    assert_eq!(arrested.state, State::InCorrection);
    assert!(!after(&[Papers, Accept, Pending, Arrest, Resume, Undetain]).proposal);
    let Taken::Moved(moved) = table().take(&in_state(State::InCorrection), Detain) else {
        panic!("a step of flags only is always taken");
    };
    assert_eq!((moved.state, moved.guard), (None, Some(true)));
}

#[test]
fn a_contradiction_changes_flags_but_no_state_and_no_role() {
    let custody = Custody { missing: true, ..in_state(State::Released) };
    let Taken::Flagged(moved) = table().take(&custody, Accept) else {
        panic!("a registration after the end is taken and flagged");
    };
    assert_eq!((moved.state, moved.missing), (None, Some(false)));
    assert!(moved.roles.is_empty());
    let Taken::Flagged(moved) = table().take(&in_state(State::Released), Detain) else {
        panic!("even a step of flags only may be a contradiction");
    };
    assert_eq!(moved.guard, Some(true));
}

#[test]
fn what_stands_nowhere_is_refused() {
    assert_eq!(table().take(&in_state(State::None), Release), Taken::Refused);
    assert_eq!(table().take(&in_state(State::Dead), Imprison), Taken::Refused);
}

#[test]
fn roles_pass_on_with_a_step() {
    let Taken::Moved(moved) = table().take(&in_state(State::Offered), Accept) else {
        panic!("what is offered can be accepted");
    };
    assert!(moved.roles.contains(&(Role::ResponsibleAgency, Some(RoleRef::Sender))));
    assert!(moved.roles.contains(&(Role::FormerCustodian, Some(RoleRef::Case(Role::Custodian)))));
    assert!(moved.roles.contains(&(Role::Custodian, None)));
}

#[test]
fn every_state_before_the_end_has_who_answers() {
    let table = table();
    for (state, word) in State::WORDS {
        let nobody =
            matches!(state, State::None | State::Imprisoned | State::Released | State::Dead);
        assert_eq!(table.answers_entries(*state).is_empty(), nobody, "{word}");
        assert!(!nobody || !table.is_handover(*state), "{word}");
    }
    assert!(table.answers_entries(State::Revoked)[0].when.is_some(), "in the order of the file");
}

#[test]
fn every_pair_is_taken_by_what_the_file_says() {
    let table = table();
    for (step, _) in Step::WORDS {
        for (state, _) in State::WORDS {
            let in_table = table.steps[step].contains_key(state) || table.steps[step].is_empty();
            let flagged = table.flagged.get(step).is_some_and(|states| states.contains(state));
            match table.take(&in_state(*state), *step) {
                Taken::Moved(_) => assert!(in_table && !flagged),
                Taken::Flagged(_) => assert!(flagged),
                Taken::Refused => assert!(!in_table && !flagged),
            }
        }
    }
}

#[test]
fn a_broken_table_is_refused_where_it_breaks() {
    for (right, wrong, message) in [
        ("[step.papers]", "[step.paper]", "`paper` is no key here"),
        ("none = []\n", "none = [\"nobody\"]\n", "\"nobody\" is no relation"),
        ("moving = [\"old agency\"]", "moving = [\"any agency\"]", "stands in `fits` only"),
        (
            "moving = [\"old agency\"]",
            "moving = [{ to = \"sender\", when = \"answers x\" }]",
            "answers x: there is no document here",
        ),
        ("moving = [\"old agency\"]", "moved = [\"old agency\"]", "`moved` is no key here"),
        ("in_correction = \"moving\"", "in_correction = \"movin\"", "\"movin\" is none of: none,"),
        ("in_correction = \"moving\"", "at_home = \"moving\"", "\"at_home\" is none of: none,"),
        ("in_correction = \"moving\"", "in_correction = [\"moving\"]", "needs two states"),
        (
            "{ \"deliverer\" = \"sender\" }",
            "{ \"courier\" = \"sender\" }",
            "\"courier\" is none of:",
        ),
        (
            "{ \"deliverer\" = \"sender\" }",
            "{ \"deliverer\" = \"any agency\" }",
            "\"any agency\" is no role",
        ),
        (
            "cleared_by = [\"resume\",",
            "cleared_by = [\"pending\", \"resume\",",
            "pending sets it and clears it",
        ),
        ("guard = [\"police\",", "guard = [\"guard\",", "\"guard\" is none of:"),
        ("guard = [\"police\",", "courier = [\"police\",", "\"courier\" is none of:"),
        ("detain = [\"none\",", "detained = [\"none\",", "\"detained\" is none of: decide,"),
        (
            "release = [\"awaiting\",",
            "release = [\"moving\", \"awaiting\",",
            "release from moving stands in its table",
        ),
    ] {
        let at = TEXT.find(right).unwrap_or_else(|| panic!("{right:?} is not in the table"));
        let line = 1 + TEXT[..at].matches('\n').count();
        let text = TEXT.replacen(right, wrong, 1);
        let errors: Vec<RulebookError> = CustodyTable::parse("custody.toml", &text).unwrap_err();
        assert!(
            errors.iter().any(|error| error.line == line && error.message.contains(message)),
            "no {message:?} in line {line}: {errors:#?}"
        );
    }
}

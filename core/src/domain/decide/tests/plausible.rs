//! Dates and terms that the statutes don't allow: taken, and shown to the procuratorate.

use super::*;
use crate::domain::record::CaseSet;

fn flags(nation: &mut Nation, paper: Paper) -> Vec<String> {
    let sent = nation.send(paper).unwrap();
    sent.flags().into_iter().map(ToOwned::to_owned).collect()
}

fn flagged(change: impl FnOnce(Paper) -> Paper) -> Vec<String> {
    let mut nation = Nation::new();
    flags(&mut nation, change(verdict("liwan-court", "440103", 1)))
}

fn day(year: i16, month: i8, day: i8) -> Fact {
    Fact::Date(jiff::civil::Date::new(year, month, day).unwrap())
}

#[test]
fn a_verdict_whose_dates_fit_is_not_flagged() {
    assert!(flagged(|paper| paper.with("term_expiry_date", day(2027, 1, 1))).is_empty());
}

#[test]
fn an_effect_before_its_decision_and_a_decision_to_come_are_flagged() {
    let early = |paper: Paper| {
        paper.with("effective_date", date(10, 20)).with("term_start_date", date(10, 20))
    };
    assert_eq!(flagged(early), ["EFFECTIVE_BEFORE_DECISION"]);
    let late = |paper: Paper| {
        paper
            .with("decision_date", date(11, 4))
            .with("effective_date", date(11, 16))
            .with("term_start_date", date(11, 16))
            .with("term_expiry_date", day(2027, 11, 15))
    };
    assert_eq!(flagged(late), ["DECIDED_IN_THE_FUTURE"]);
}

#[test]
fn probation_is_two_months_to_five_years_and_begins_with_effect() {
    // 2 November and two months: the last day is 1 January.
    let expiry = |fact| move |paper: Paper| paper.with("term_expiry_date", fact);
    assert_eq!(flagged(expiry(date(12, 31))), ["TERM_TOO_SHORT"]);
    assert!(flagged(expiry(day(2031, 11, 1))).is_empty());
    assert_eq!(flagged(expiry(day(2031, 11, 2))), ["TERM_TOO_LONG"]);
    assert_eq!(flagged(expiry(date(11, 1))), ["TERM_ENDS_BEFORE_IT_BEGINS"]);
    let another = |paper: Paper| {
        paper.with("term_start_date", date(11, 3)).with("term_expiry_date", day(2027, 11, 2))
    };
    assert_eq!(flagged(another), ["TERM_BEGINS_ON_ANOTHER_DAY"]);
}

#[test]
fn public_surveillance_is_three_years_at_most() {
    let surveillance = |expiry| {
        let paper = verdict("liwan-court", "440103", 1).about(1, Category::PublicSurveillance);
        flags(&mut Nation::new(), paper.with("term_expiry_date", expiry))
    };
    // What was served before the verdict is deducted twofold: a short rest is no mistake.
    assert!(surveillance(date(11, 30)).is_empty());
    assert!(surveillance(day(2029, 11, 1)).is_empty());
    assert_eq!(surveillance(day(2029, 11, 2)), ["TERM_TOO_LONG"]);
}

#[test]
fn a_release_before_expiry_and_a_report_before_effect_are_flagged() {
    let mut nation = Nation::new();
    let paper = verdict("liwan-court", "440103", 1).with("term_expiry_date", day(2027, 11, 1));
    let sent = nation.send(paper).unwrap();
    let registered = Paper::new("liwan-corrections", "registration_record")
        .answering(&sent)
        .with("reported_date", date(11, 1));
    assert_eq!(flags(&mut nation, registered), ["REPORTED_BEFORE_EFFECT"]);
    nation.time = on(12, 1);
    let release = Paper::new("liwan-corrections", "release_notice").about(1, Category::Probation);
    assert!(flags(&mut nation, release).contains(&"RELEASED_BEFORE_EXPIRY".to_owned()));
}

#[test]
fn an_amnesty_does_not_wait_for_the_expiry() {
    let mut nation = Nation::new();
    let paper = verdict("liwan-court", "440103", 1).with("term_expiry_date", day(2027, 11, 1));
    let sent = nation.send(paper).unwrap();
    nation.send(Paper::new("liwan-corrections", "registration_record").answering(&sent)).unwrap();
    let release = Paper::new("liwan-corrections", "release_notice")
        .about(1, Category::Probation)
        .word("release_ground", "amnesty");
    assert!(flags(&mut nation, release).is_empty());
}

#[test]
fn what_has_happened_is_not_dated_in_the_future_and_nothing_is_issued_before_it_is_decided() {
    let signed = |paper: Paper| paper.with("notice_signed_date", day(2030, 1, 1));
    assert_eq!(flagged(signed), ["IN_THE_FUTURE notice_signed_date"]);
    let issued = |paper: Paper| paper.with("issue_date", day(2026, 1, 1));
    assert_eq!(flagged(issued), ["ISSUED_BEFORE_DECISION"]);
    let leave = |from, until| {
        move |paper: Paper| paper.with("leave_start_date", from).with("leave_end_date", until)
    };
    assert!(flagged(leave(day(2026, 12, 20), day(2026, 12, 20))).is_empty());
    let ends_first = flagged(leave(day(2026, 12, 20), day(2026, 2, 20)));
    assert_eq!(ends_first, ["ENDS_BEFORE_IT_BEGINS leave"]);
}

#[test]
fn who_is_under_eighteen_was_a_juvenile_at_the_offence() {
    let born = |born: jiff::civil::Date| {
        let mut nation = Nation::new();
        let mut paper = verdict("liwan-court", "440103", 1);
        paper.0.subject.as_mut().unwrap().born = Some(born);
        let sent = nation.send(paper).unwrap();
        let juvenile = sent.record.effects.iter().find_map(|ruled| match &ruled.effect {
            Effect::CaseSet { set: CaseSet::Juvenile(juvenile), .. } => Some(*juvenile),
            _ => None,
        });
        let flags: Vec<String> = sent.flags().into_iter().map(ToOwned::to_owned).collect();
        (juvenile, flags)
    };
    // The papers are of 2 November 2026, the eighteenth birthday.
    let born_then = jiff::civil::Date::new(2008, 11, 2).unwrap();
    assert_eq!(born(born_then), (Some(true), vec!["JUVENILE_BY_BIRTH".to_owned()]));
    assert_eq!(born(born_then.yesterday().unwrap()), (Some(false), Vec::new()));
}

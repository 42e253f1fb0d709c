//! A refusal says in both languages what a person needs to mend it: which field, whom the rule seeks, who
//! fits, and what is in the way.

use super::*;
use crate::domain::agency::Agency;

/// Field, help and Chinese help of all that is wrong.
fn told<T>(refused: Result<T, Refusal>) -> Vec<(String, String, String)> {
    let Err(refusal) = refused else { panic!("it was taken") };
    refusal.violations.into_iter().map(|v| (v.field, v.help, v.help_zh)).collect()
}

fn with(nation: &mut Nation, code: &str, change: impl FnOnce(&mut Agency)) {
    let mut agency = (**nation.directory.agency(&testing::code(code)).unwrap()).clone();
    change(&mut agency);
    nation.directory.put_agency(agency);
}

#[test]
fn an_agency_that_is_not_there_is_named_by_field_place_and_kind() {
    let mut nation = Nation::new();
    with(&mut nation, "liwan-police", |police| police.valid_until = Some(on(1, 1)));
    let refused = told(nation.send(verdict("liwan-court", "440103", 1)));
    let police = refused.iter().find(|(_, help, _)| help.contains("police")).unwrap();
    assert_eq!(police.0, "execution_place");
    assert_eq!(police.1, "county police of the place of execution");
    assert_eq!(police.2, "执行地县级公安机关");
}

#[test]
fn several_that_fit_are_named_in_both_languages() {
    let mut nation = Nation::new();
    with(&mut nation, "yuexiu-police", |police| {
        police.serves.insert(testing::division("440103"));
    });
    let refused = told(nation.send(verdict("liwan-court", "440103", 1)));
    let [(field, english, chinese)] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!(field, "chosen_agencies");
    assert_eq!(english, "county police of the place of execution: liwan-police, yuexiu-police");
    assert_eq!(chinese, "执行地县级公安机关：liwan-police、yuexiu-police");
}

#[test]
fn what_is_still_open_is_named() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.send(Paper::new("liwan-corrections", "registration_record").answering(&sent)).unwrap();
    let proposal = || {
        Paper::new("liwan-corrections", "revocation_proposal")
            .about(1, Category::Probation)
            .choosing(&["liwan-court"])
    };
    nation.send(proposal()).unwrap();
    let refused = told(nation.send(proposal()));
    let open = refused.iter().find(|(_, help, _)| help.starts_with("STILL_OPEN: ")).unwrap();
    assert!(open.1.contains("the case has an open revocation_proposal ("), "{}", open.1);
    assert!(open.2.starts_with("案件中有在办的《"), "{}", open.2);
}

#[test]
fn who_corrects_anothers_document_is_told_whose_it_is_to_correct() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let answer = Paper::new("liwan-corrections", "registration_record").answering(&sent);
    let registered = nation.send(answer).unwrap();
    for answered in [&sent, &registered] {
        let slip = Paper::new("liwan-procuratorate", "correction_of_document").answering(answered);
        let refusal = nation.send(slip).err().unwrap();
        assert_eq!(refusal.reason(), Reason::NotEntitled, "{refusal}");
        assert_eq!(refusal.gravest().help_zh, "来文单位");
    }
}

use super::*;
use crate::testing::{Stage, code, document_row};

fn entry(carries: &[&str]) -> Ruled<Entry> {
    Ruled {
        path: format!("book/notice/copies/{}", carries.len()),
        line: 1,
        articles: vec!["某法 1".to_owned()],
        verified: true,
        item: Entry {
            who: Who::Relation(Relation::Any),
            when: None,
            carries: carries.iter().map(|kind| (*kind).to_owned()).collect(),
        },
    }
}

/// What goes along to the police, whom these entries name one after the other.
fn along(entries: &[&[&str]]) -> BTreeSet<String> {
    let stage = Stage::new("yuexiu-court", "440104");
    let mut route = Route::default();
    for carries in entries {
        let found = Found { agency: code("yuexiu-police"), in_lieu: false };
        route.add(&stage.scene(), &entry(carries), found, true);
    }
    assert_eq!(route.addressees.len(), 1);
    route.addressees.remove(0).carries
}

#[test]
fn an_agency_that_several_entries_name_gets_what_any_of_them_carries() {
    let both = ["判决书", "执行通知书"].map(str::to_owned).into();
    assert_eq!(along(&[&["判决书"], &["执行通知书"]]), both);
    assert!(along(&[&["判决书"], &[]]).is_empty(), "all");
    assert!(along(&[&[], &["判决书"]]).is_empty(), "all");
}

#[test]
fn who_gets_a_replacement_gets_of_it_what_it_got_of_the_old() {
    let stage = Stage::new("yuexiu-court", "440104");
    let mut old = document_row("notice", &["yuexiu-corrections"], &["yuexiu-police"]);
    old.addressed[1].carries = ["判决书".to_owned()].into();
    let mut route = Route::default();
    route.add_old(&stage.scene(), &old, &[]);
    let carries: Vec<_> = route.addressees.iter().map(|to| to.carries.len()).collect();
    assert_eq!(carries, [0, 1]);
}

use super::*;

const RULES: &[&str] = &[
    include_str!("../../rules/act_2020.toml"),
    include_str!("../../rules/criminal_procedure.toml"),
    include_str!("../../rules/custody.toml"),
    include_str!("../../rules/hub.toml"),
    include_str!("../../rules/measures_2012.toml"),
    include_str!("../../rules/prison_law_2026.toml"),
    include_str!("../../rules/temporary_release_2014.toml"),
];

/// Every string of the rules: what stands between two quotation marks of a line's code.
fn strings() -> impl Iterator<Item = &'static str> {
    let lines = RULES.iter().flat_map(|text| text.lines());
    lines.flat_map(|line| line.split('"').skip(1).step_by(2))
}

#[test]
fn every_relation_and_condition_of_the_rules_is_written_as_it_was_read() {
    let mut relations: Vec<&str> = Vec::new();
    let mut conditions: Vec<&str> = Vec::new();
    for text in strings() {
        if let Ok(relation) = Relation::parse(text) {
            assert_eq!(relation.to_string(), text);
            relations.push(text);
        }
        if let Ok(condition) = Condition::parse(text) {
            assert_eq!(condition.to_string(), text);
            conditions.push(text);
        }
    }
    for seen in [&mut relations, &mut conditions] {
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 20, "the rules have more than these: {seen:?}");
    }
}

#[test]
fn every_form_with_every_word_is_written_as_it_was_read() {
    let levels = ["", "county ", "city ", "provincial "];
    let mut texts = Vec::new();
    for (_, place) in Place::WORDS {
        for (_, kind) in Kind::WORDS {
            texts.extend(levels.map(|level| format!("{level}{kind} of the {place}")));
            texts.extend(levels.map(|level| format!("{level}{kind} within the {place}")));
            texts.push(format!("{kind} level with the asked in the {place}"));
        }
        texts.push(format!("same kind level with the decision organ in the {place}"));
    }
    for role in role_words() {
        texts.push(role.to_owned());
        texts.push(format!("superior of the {role}"));
        texts.push(format!("supervising procuratorate of the {role}"));
        texts.push(format!("court under the {role}"));
        texts.push(format!("police at city level or above over the {role}"));
        texts.push(format!("prison administration at provincial level over the {role}"));
    }
    texts.push("addressee of the open revocation_proposal".to_owned());
    texts.extend(words_of(Relation::PHRASES).map(str::to_owned));
    for text in texts {
        assert_eq!(Relation::parse(&text).unwrap().to_string(), text);
    }
}

#[test]
fn a_relation_says_what_it_says() {
    let parse = |text| Relation::parse(text).unwrap();
    assert_eq!(
        parse("county police of the place of the new case"),
        Relation::OfPlace(Some(Level::County), Kinds(vec![Kind::Police]), Place::NewCase)
    );
    let Relation::Over(kinds, Level::City, RoleRef::Case(Role::Custodian)) =
        parse("court at city level or above over the custodian")
    else {
        panic!("not the nearest above");
    };
    assert_eq!(kinds.0.len(), 4, "\"court\" fits courts of all levels");
    assert_eq!(
        parse("same kind level with the addressee in the new place"),
        Relation::LevelWith(None, RoleRef::Addressee, Place::New)
    );
}

#[test]
fn a_condition_says_what_it_says() {
    let parse = |text| Condition::parse(text).unwrap();
    assert_eq!(
        parse("field escalate to is superior organ and not arrested"),
        Condition::All(vec![
            (true, Atom::FieldIs("escalate_to".to_owned(), "superior organ".to_owned())),
            (false, Atom::Arrested),
        ])
    );
    assert_eq!(
        parse("category is parole or category is probation"),
        Condition::Any(vec![
            (true, Atom::CategoryIs(Category::Parole)),
            (true, Atom::CategoryIs(Category::Probation)),
        ])
    );
    for text in [
        "places differ",
        "not provinces differ",
        "court in another province",
        "decided by prison administration",
        "subject is juvenile or person is missing",
        "sender is court",
        "answers verdict_handover",
        "not received verdict_handover",
        "field file moves is true",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn what_is_no_relation_is_refused_with_the_nearest() {
    for (text, message, suggestion) in [
        ("decision orgn", "\"decision orgn\" is no relation", Some("decision organ")),
        ("Sender", "\"Sender\" is no relation", Some("sender")),
        ("", "\"\" is no relation", None),
        ("superior of the sendr", "\"sendr\" is no role", Some("sender")),
        ("county polce of the old place", "\"polce\" is no kind of agency", Some("police")),
        ("national court of the old place", "\"national court\" is no kind of agency", None),
        (
            "police of the place of exeution",
            "\"place of exeution\" is no place",
            Some("place of execution"),
        ),
        ("police  of the old place", "\"police \" is no kind of agency", Some("police")),
        ("police level with the sender", "\"police level with the sender\" is no relation", None),
        (
            "police at county level over the sender",
            "\"police at county level over the sender\" is no relation",
            None,
        ),
        ("addressee of the open Proposal", "\"Proposal\" is no document type", None),
        ("any agencies", "\"any agencies\" is no relation", Some("any agency")),
    ] {
        let error = Relation::parse(text).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.suggestion()), (message, suggestion));
    }
}

#[test]
fn what_is_no_condition_is_refused_with_the_nearest() {
    for (text, message, suggestion) in [
        ("place differ", "\"place differ\" is no condition", Some("places differ")),
        ("not not arrested", "\"not arrested\" is no condition", Some("arrested")),
        ("arrested and places differ or arrested", "\"and\" and \"or\" in one condition", None),
        ("category is paroles", "\"paroles\" is no category", Some("parole")),
        ("decided by prison", "\"prison\" is no organ that decides", None),
        ("sender is polise", "\"polise\" is no kind of agency", Some("police")),
        ("field is true", "\"field is true\" is no condition", None),
        ("field file_moves is true", "\"field file_moves is true\" is no condition", None),
        ("field outcome is Refused", "\"field outcome is Refused\" is no condition", None),
        ("answers", "\"answers\" is no condition", None),
    ] {
        let error = Condition::parse(text).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.suggestion()), (message, suggestion));
    }
}

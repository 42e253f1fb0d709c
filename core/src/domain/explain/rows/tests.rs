use super::*;

fn row(number: &str) -> CarriedRow {
    let rows = Law::built_in().carried_rows(&Rows::built_in());
    rows.into_iter().find(|row| row.number == number).unwrap()
}

#[test]
fn a_report_by_the_person_is_a_duty_that_the_registration_closes() {
    for number in ["A6", "B5"] {
        let row = row(number);
        assert_eq!(row.standing(), Standing::Duty, "{number}");
        let duties: Vec<_> = row.carriers.iter().filter_map(|c| c.duty.as_ref()).collect();
        assert!(duties.iter().all(|duty| duty.closed_by[0].as_str() == "registration_record"));
        assert_eq!(row.not_documents.len(), 1, "{number}");
    }
}

#[test]
fn a_row_that_is_no_paper_says_what_the_hub_does_instead() {
    let rows = Law::built_in().carried_rows(&Rows::built_in());
    let none: Vec<_> = rows.iter().filter(|r| r.standing() == Standing::NotADocument).collect();
    assert!(none.len() > 10);
    for row in none {
        let [words] = row.not_documents.as_slice() else { panic!("{}: not once", row.number) };
        assert!(
            words.english.contains("The hub") || words.english.contains("a general notification")
        );
        assert!(words.chinese.contains("平台") || words.chinese.contains("通报、告知"));
    }
}

#[test]
fn a_row_knows_every_book_and_article_that_carries_it() {
    let d3 = row("D3");
    let types: Vec<_> = d3.carriers.iter().map(|c| c.document_type.as_str()).collect();
    assert_eq!(
        types,
        ["recommitment_proposal", "recommitment_decision", "full_term_release", "death_notice"]
    );
    assert!(d3.carriers.iter().all(|c| c.source.articles == ["监狱法2026 48"]));
    assert_eq!(d3.reading(), Some(Reading::Read));
    let n3 = row("N3");
    assert_eq!(n3.standing(), Standing::Document);
    assert!(n3.carriers.iter().any(|carrier| carrier.duty.is_some()));
    assert_eq!(row("N18").reading(), Some(Reading::Recalled));
    assert_eq!(row("C28").reading(), Some(Reading::Partly), "its copies are recalled");
    assert_eq!(row("B8").reading(), None);
}

use jiff::civil::date;

use super::*;

const TODAY: Date = date(2026, 11, 24);

/// The built-in law with pieces of its files replaced.
fn changed(pieces: &[(&str, &str, &str)]) -> Law {
    let mut files: Vec<_> = Law::built_in_files()
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    for (name, right, wrong) in pieces {
        let (_, text) = files.iter_mut().find(|(other, _)| other == name).unwrap();
        assert!(text.contains(right), "{right}");
        *text = text.replacen(right, wrong, 1);
    }
    let holidays = files.iter().position(|(name, _)| name == "holidays.toml").unwrap();
    let (_, holidays) = files.remove(holidays);
    files.retain(|(name, _)| name != "rows.toml");
    Law::load(&files, &holidays).unwrap()
}

fn lines(differences: &[Difference]) -> Vec<String> {
    let mut lines = Vec::new();
    for difference in differences {
        lines.push(format!("{:?} {}", difference.change, difference.document_type));
        for section in &difference.sections {
            lines.push(section.heading.english.clone());
            lines.extend(section.removed.iter().map(|line| format!("- {}", line.english)));
            lines.extend(section.added.iter().map(|line| format!("+ {}", line.english)));
        }
    }
    lines
}

#[test]
fn a_law_does_not_differ_from_itself() {
    let law = Law::built_in();
    for day in law.changes() {
        assert_eq!(law.differences(&law, day), []);
    }
}

#[test]
fn a_changed_limit_copy_and_test_are_told_under_their_questions() {
    let new = changed(&[
        ("act_2020.toml", "within = \"48 hours\"", "within = \"24 hours\""),
        (
            "act_2020.toml",
            "copies = [\n  { to = \"county procuratorate of the place of execution\", \
             articles = [\"2020办法 48\"], verified = false },\n]\n",
            "",
        ),
        (
            "act_2020.toml",
            "articles = [\"社区矫正法 47\", \"2020办法 48\"",
            "articles = [\"社区矫正法 47\", \"2020办法 48(2)\"",
        ),
        (
            "act_2020.toml",
            "same_sender = true\non_break = \"refuse\"",
            "same_sender = true\non_break = \"flag\"",
        ),
    ]);
    assert_eq!(
        lines(&Law::built_in().differences(&new, TODAY)),
        [
            "Changed arrest_request",
            "Tests that it must pass",
            "- refused if: the case has no open revocation_proposal of this sender",
            "+ taken and flagged if: the case has no open revocation_proposal of this sender",
            "Duties that it opens",
            "- 是否逮捕的决定 › limit: within 48 hours from receipt",
            "+ 是否逮捕的决定 › limit: within 24 hours from receipt",
            "Articles",
            "- 2020办法 48",
            "+ 2020办法 48(2)",
            "Copies",
            "- county procuratorate of the place of execution",
        ]
    );
}

#[test]
fn a_type_comes_and_goes_on_its_own_days() {
    let ended = "name = \"prison_law_2026\"\nfrom = 2026-11-01\nuntil = 2027-12-31";
    let new = changed(&[(
        "prison_law_2026.toml",
        "name = \"prison_law_2026\"\nfrom = 2026-11-01",
        ended,
    )]);
    let law = Law::built_in();
    assert_eq!(law.differences(&new, TODAY), [], "the same until the end of 2027");
    let then = law.differences(&new, date(2028, 1, 1));
    let gone = then.iter().find(|d| d.document_type.as_str() == "intake_documents").unwrap();
    assert_eq!((gone.change, gone.sections.len()), (Change::Gone, 0));
    let back = new.differences(&law, date(2028, 1, 1));
    let come = back.iter().find(|d| d.document_type.as_str() == "intake_documents").unwrap();
    assert_eq!(come.change, Change::New);
    assert!(come.sections.iter().all(|section| section.removed.is_empty()));
    assert!(come.sections.iter().any(|section| section.heading.english == "Primary addressees"));
}

use super::super::Answers;
use super::*;

const CUSTODY_TEXT: &str = include_str!("../../rules/custody.toml");

const FIRST: &str = r#"[rulebook]
name = "first"
from = 2020-07-01
[document.paper]
name = "文书"
class = "notice"
senders = ["court"]
answers = ["reply"]
to = ["county police of the place of execution"]
articles = ["第一 1"]
[[document.paper.duties]]
name = "回执"
owner = "addressee"
within = "5 days"
from = "receipt"
closed_by = ["reply"]
articles = ["第一 2"]
[document.reply]
name = "回复"
class = "record"
senders = ["any agency"]
to = []
articles = ["第一 3"]
"#;

const SECOND: &str = r#"[rulebook]
name = "a_second"
from = 2026-11-01
until = 2027-12-31
[document.paper]
senders = ["prison", "court"]
answers = ["paper"]
to = ["county police of the place of execution"]
copies = ["decision organ"]
articles = ["第二 1"]
verified = false
[[document.paper.duties]]
name = "再报"
owner = "addressee"
soft = "at once"
closed_by = ["self"]
articles = ["第二 2"]
"#;

fn load(books: &[(&str, &str)]) -> Result<Law, Vec<RulebookError>> {
    let files = [books, &[(CUSTODY, CUSTODY_TEXT)]].concat();
    Law::load_files(&files, BUILT_IN_HOLIDAYS)
}

fn errors(books: &[(&str, &str)]) -> Vec<String> {
    load(books).unwrap_err().iter().map(ToString::to_string).collect()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn the_built_in_law_is_right() {
    if let Err(errors) = Law::load_files(BUILT_IN, BUILT_IN_HOLIDAYS) {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"));
    }
}

#[test]
fn the_built_in_law_changes_on_the_days_of_its_books() {
    let law = Law::built_in();
    let decision = "verdict_handover".parse().unwrap();
    assert!(law.on(Date::MIN).table(&decision).is_none(), "before all books");
    for book in law.books() {
        assert!(law.on(book.from).from == book.from);
        assert!(law.on(book.from.yesterday().unwrap()).from < book.from);
    }
    assert!(law.on(day("2020-07-01")).table(&decision).is_some());
    assert!(!law.case_opening().is_empty());
    assert!(law.types().contains(&decision));
    assert!(law.calendar().is_working_day(day("2026-02-28")) == Some(true));
}

#[test]
fn each_instrument_counts_from_its_own_day() {
    let law = Law::built_in();
    let copies = |name: &str, on: &str| {
        law.on(day(on)).table(&name.parse().unwrap()).map_or(0, |table| table.copies.len())
    };
    assert_eq!(copies("handover_attendance_notice", "2012-12-31"), 0);
    assert_eq!(copies("handover_attendance_notice", "2013-01-01"), 2);
    assert_eq!(copies("assessment_opinion", "2016-08-29"), 0);
    assert_eq!(copies("assessment_opinion", "2016-08-30"), 1);

    let limits = |name: &str, on: &str| {
        let table = law.on(day(on)).table(&name.parse().unwrap());
        let duties = table.map(|table| table.duties.as_slice()).unwrap_or_default();
        duties.iter().map(|duty| duty.item.limit.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(limits("revocation_proposal", "2026-10-31"), ["30 days"]);
    assert_eq!(limits("revocation_proposal", "2026-11-01"), ["30 days", "1 month"]);
    assert_eq!(limits("temporary_release_decision", "2020-06-30"), [""; 0]);
    assert_eq!(
        limits("temporary_release_decision", "2020-07-01"),
        [
            "10 days",
            "1 month",
            "5 days",
            "10 days",
            "5 days",
            "promptly",
            "5 working days",
            "7 days"
        ],
        "the Act's days to tell, to serve and to hand over from its first day"
    );
    assert_eq!(limits("supplement_notice", "2021-02-28"), [""; 0]);
    assert_eq!(limits("supplement_notice", "2021-03-01"), ["3 days"]);
}

#[test]
fn every_step_of_custody_is_taken_by_a_document() {
    use super::super::CustodyRule;
    let law = Law::built_in();
    let mut used = BTreeSet::new();
    for base in law.books.iter().flat_map(|b| &b.documents).filter_map(|(_, t)| t.base.as_ref()) {
        match &base.custody {
            CustodyRule::Nothing => {}
            CustodyRule::Step(step) => used.extend([*step]),
            CustodyRule::ByField(_, steps) => used.extend(steps.iter().map(|(_, step)| *step)),
            CustodyRule::ByAnswer(steps) => used.extend(steps.iter().map(|(_, step)| *step)),
        }
    }
    for (step, word) in crate::domain::custody::Step::WORDS {
        assert!(used.contains(step), "no document takes the step {word}");
    }
}

#[test]
fn additions_append_while_their_book_is_in_force() {
    let law = load(&[("first.toml", FIRST), ("a_second.toml", SECOND)]).unwrap();
    let paper = "paper".parse().unwrap();
    let before = law.on(day("2026-10-31")).table(&paper).unwrap();
    assert_eq!((before.duties.len(), before.senders.len()), (1, 1));
    assert!(before.verified && !before.is_urgent());

    for within in ["2026-11-01", "2027-12-31"] {
        let merged = law.on(day(within)).table(&paper).unwrap();
        assert_eq!(merged.senders.len(), 2, "court only once");
        assert_eq!(merged.to.len(), 1, "the same addressee only once");
        assert_eq!(merged.to[0].path, "first/paper/to/0");
        assert_eq!(merged.copies[0].path, "a_second/paper/copies/0");
        assert_eq!(merged.to[0].articles, ["第一 1", "第二 1"], "it rests on both");
        assert_eq!((merged.copies[0].verified, merged.to[0].verified), (false, false));
        assert_eq!(merged.copies[0].articles, ["第二 1"]);
        assert_eq!(merged.articles, ["第一 1", "第二 1"]);
        let names: Vec<_> = merged.duties.iter().map(|duty| duty.item.name.as_str()).collect();
        assert_eq!(names, ["回执", "再报"], "the base first, whatever the books' names");
        assert!(!merged.verified && merged.is_urgent());
        let both = ["reply", "paper"].map(|name| name.parse().unwrap());
        assert_eq!(merged.answers, Answers::Types(both.to_vec()));
    }
    let after = law.on(day("2028-01-01")).table(&paper).unwrap();
    assert_eq!(after, before);
}

#[test]
fn what_is_named_must_be_somewhere() {
    let text = FIRST.replace("closed_by = [\"reply\"]", "closed_by = [\"repli\"]");
    assert_eq!(
        errors(&[("first.toml", &text)]),
        [
            "first.toml:16: document.paper.duties[0].closed_by[0]: no book has a document type repli; \
          did you mean \"reply\"?"
        ]
    );
    let text = FIRST.replace("to = [\"county", "to = [\"addressee of the open lost\", \"county");
    assert_eq!(
        errors(&[("first.toml", &text)]),
        ["first.toml:9: document.paper.to[0]: no book has a document type lost"]
    );
    let text = FIRST.replace("articles = [\"第一 2\"]", "when = \"answers x\"\nverified = false");
    assert_eq!(
        errors(&[("first.toml", &text)]),
        ["first.toml:17: document.paper.duties[0].when: no book has a document type x"]
    );
    let rule =
        "[[document.paper.rules]]\nexpect_owed = \"无\"\non_break = \"flag\"\nverified = false\n";
    let found = errors(&[("first.toml", &format!("{FIRST}{rule}"))]);
    assert!(found.iter().any(|error| error.ends_with("no book has a duty \"无\"")), "{found:?}");
}

const TOPIC: &str = r#"[topic.handover]
name = "交付接收"
documents = ["paper"]
queried_by = ["court"]
articles = ["第一 4"]
"#;

#[test]
fn a_topic_names_types_that_are_somewhere_and_stands_in_one_book_a_day() {
    let lost = format!("{FIRST}{}", TOPIC.replace("\"paper\"", "\"papre\""));
    assert_eq!(
        errors(&[("first.toml", &lost)]),
        ["first.toml:26: topic.handover.documents[0]: no book has a document type papre; \
          did you mean \"paper\"?"]
    );
    let (first, second) = (format!("{FIRST}{TOPIC}"), format!("{SECOND}{TOPIC}"));
    assert_eq!(
        errors(&[("first.toml", &first), ("a_second.toml", &second)]),
        ["first.toml:24: topic.handover: stands in a_second, in force on the same days"]
    );
    let ended = first.replace("from = 2020-07-01", "from = 2020-07-01\nuntil = 2026-10-31");
    let ended = ended.replace("answers = [\"reply\"]", "may_answer = [\"reply\"]");
    let third = format!("[rulebook]\nname = \"third\"\nfrom = 2026-11-01\n{TOPIC}");
    let law = load(&[("first.toml", &ended), ("third.toml", &third)]).unwrap();
    let topics = |at: &str| {
        let paper = "paper".parse().unwrap();
        law.on(day(at)).topics_of(&paper).map(|topic| topic.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(topics("2026-10-31"), ["first/topic/handover"]);
    assert_eq!(topics("2026-11-01"), ["third/topic/handover"]);
}

#[test]
fn the_measures_of_2020_have_their_eight_topics() {
    let law = Law::built_in();
    let titles = |at: &str| -> BTreeSet<String> {
        law.on(day(at)).topics.values().map(|topic| topic.item.title.clone()).collect()
    };
    let eight = [
        "交付接收",
        "监督管理",
        "教育帮扶",
        "脱离监管",
        "被治安管理处罚",
        "被采取强制措施",
        "变更刑事执行",
        "办理再犯罪案件",
    ];
    assert_eq!(titles("2026-11-24"), eight.map(str::to_owned).into());
    assert!(titles("2020-06-30").is_empty());
}

#[test]
fn an_addition_needs_a_base_in_its_time() {
    let ended = FIRST.replace("from = 2020-07-01", "from = 2020-07-01\nuntil = 2026-10-31");
    assert_eq!(
        errors(&[("first.toml", &ended), ("a_second.toml", SECOND)]),
        ["a_second.toml:5: document.paper: adds to a base that no book has while this one is in \
          force; did you mean \"paper\"?"]
    );
}

#[test]
fn two_bases_on_one_day_are_one_too_many() {
    let again = FIRST.replace("\"first\"", "\"old\"").replace("2020-07-01", "2012-03-01");
    assert_eq!(
        errors(&[("old.toml", &again), ("first.toml", FIRST)]),
        [
            "old.toml:4: document.paper: has a base in first, in force on the same days",
            "old.toml:18: document.reply: has a base in first, in force on the same days",
        ]
    );
    let ended = again.replace("from = 2012-03-01", "from = 2012-03-01\nuntil = 2020-06-30");
    let law = load(&[("old.toml", &ended), ("first.toml", FIRST)]).unwrap();
    let paper = "paper".parse().unwrap();
    assert_eq!(law.on(day("2020-06-30")).table(&paper).unwrap().to[0].path, "old/paper/to/0");
    assert_eq!(law.on(day("2020-07-01")).table(&paper).unwrap().to[0].path, "first/paper/to/0");
}

#[test]
fn a_duty_that_nothing_can_close_is_found() {
    let reply = FIRST.find("[document.reply]").unwrap();
    let old = FIRST[reply..].replace("第一", "旧");
    let old = format!("[rulebook]\nname = \"old\"\nfrom = 2012-03-01\nuntil = 2020-06-30\n{old}");
    let text = FIRST[..reply].replace("answers = [\"reply\"]\n", "");
    assert_eq!(
        errors(&[("old.toml", &old), ("first.toml", &text)]),
        [
            "first.toml:10: document.paper: nothing can close the duty \"回执\": from 2020-07-01 on no \
          book in force has reply"
        ]
    );
    let later = old.replace("2012-03-01", "2030-01-01").replace("until = 2020-06-30\n", "");
    load(&[("old.toml", &later), ("first.toml", &text)]).unwrap();
    let missed = text.replace("closed_by = [\"reply\"]", "closed_by = [\"self\"]")
        + "[document.paper.duties.if_missed]\nname = \"催\"\nowner = \"sender\"\n\
           soft = \"promptly\"\nclosed_by = [\"reply\"]\n";
    assert_eq!(
        errors(&[("old.toml", &old), ("first.toml", &missed)]),
        [
            "first.toml:17: document.paper: nothing can close the duty \"催\": from 2020-07-01 on no \
          book in force has reply"
        ]
    );
}

#[test]
fn duties_of_one_day_have_names_of_their_own() {
    let second = SECOND.replace("再报", "回执");
    assert_eq!(
        errors(&[("first.toml", FIRST), ("a_second.toml", &second)]),
        ["a_second.toml:12: document.paper: the duty \"回执\" stands in first/paper/duties/0 \
          already"]
    );
    let second = second.replace("soft =", "when = \"places differ\"\nsoft =");
    load(&[("first.toml", FIRST), ("a_second.toml", &second)]).unwrap();
}

#[test]
fn a_reply_is_asked_for_or_allowed_but_not_both() {
    let second = SECOND.replace("answers =", "may_answer =");
    assert_eq!(
        errors(&[("first.toml", FIRST), ("a_second.toml", &second)]),
        ["first.toml:4: document.paper: has both `answers` and `may_answer`, here or in an \
          addition"]
    );
}

#[test]
fn the_files_must_be_all_there_and_once() {
    let missing = Law::load(&[("first.toml".to_owned(), FIRST.to_owned())], BUILT_IN_HOLIDAYS);
    assert_eq!(missing.unwrap_err()[0].to_string(), "custody.toml:1: : is missing");
    assert_eq!(
        errors(&[("first.toml", FIRST), ("first.toml", FIRST)]),
        ["first.toml:1: : is there twice"]
    );
    let holidays = Law::load_files(&[(CUSTODY, CUSTODY_TEXT)], "[national.2012]\nof = []\n");
    let error = &holidays.unwrap_err()[0];
    assert_eq!((error.file.as_str(), error.line), (HOLIDAYS, 2));
}

#[test]
fn the_law_of_one_day_can_be_that_of_all() {
    let (law, then) = (Law::built_in(), day("2015-03-01"));
    let documents = law.on(then).documents.clone();
    assert_ne!(law.on(day("2026-11-24")).documents, documents);
    let law = law.as_of(then);
    for day in [Date::MIN, then, Date::MAX] {
        assert_eq!(law.on(day).documents, documents);
    }
}

#[test]
fn the_digest_tells_any_two_laws_apart() {
    let law = digest(BUILT_IN, BUILT_IN_HOLIDAYS);
    let mut reversed = BUILT_IN.to_vec();
    reversed.reverse();
    assert_eq!(digest(&reversed, BUILT_IN_HOLIDAYS), law, "the order of files says nothing");
    assert_ne!(digest(BUILT_IN, &format!("{BUILT_IN_HOLIDAYS} ")), law);
    assert_ne!(digest(&BUILT_IN[1..], BUILT_IN_HOLIDAYS), law);
    for (i, (name, text)) in BUILT_IN.iter().enumerate() {
        for (name, text) in [
            (format!("{name}x"), (*text).to_owned()),
            ((*name).to_owned(), format!("{text}\n")),
            ((*name).to_owned(), text.replacen('#', "%", 1)),
            ((*name).to_owned(), text[..text.len() - 1].to_owned()),
        ] {
            let mut files = BUILT_IN.to_vec();
            files[i] = (&name, &text);
            assert_ne!(digest(&files, BUILT_IN_HOLIDAYS), law, "{name}");
        }
    }
    assert_ne!(digest(&[("ab", "c")], ""), digest(&[("a", "bc")], ""), "lengths are hashed");
}

#[test]
fn the_law_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Law>();
}

use super::super::{Limit, OwnerRule, SubjectRule, TestKind};
use super::*;
use crate::domain::duty::RollRule;

/// A right book, with the number of each line.
const RIGHT: &str = r#"[rulebook]
name = "book"
from = 2020-07-01

[document.verdict]
name = "法律文书送达"
rows = ["B3"]
class = "service"
senders = ["court", "police (city+)"]
subjects = ["probation"]
to = ["county corrections agency of the place of execution"]
copies = [
  { to = "county police of the place of execution", when = "places differ" },
  { named = "chosen", fits = ["social organisation of the old place", "any agency"] },
]
required = ["case_number"]
needs = ["判决书"]
outcomes = ["revoked", "refused"]
custody = { by = "outcome", revoked = "revoke" }
sets = ["term expiry"]
articles = ["社区矫正法 20"]
[[document.verdict.duties]]
name = "送达回执"
owner = "addressee"
within = "5 days"
from = "receipt"
closed_by = ["receipt"]
articles = ["2020办法 16"]
[[document.verdict.rules]]
needs_open = "receipt"
on_break = "flag"
articles = ["2020办法 16"]

[document.receipt]
name = "送达回执"
class = "record"
senders = ["any agency"]
answers = ["verdict"]
to = []
articles = []
verified = false

[document.other]
to = ["sender"]
articles = ["社区矫正法 20"]

[topic.handover]
name = "交付接收"
documents = ["verdict", "receipt"]
queried_by = ["court", "police (city+)"]
articles = ["2020办法 11"]
"#;

const BROKEN_TOPICS: &[Broken] = &[
    ("[topic.handover]", "[topic.Handover]", 47, "\"Handover\" is no name of a topic"),
    ("name = \"交付接收\"", "", 47, "needs `name`"),
    ("documents = [\"verdict\", \"receipt\"]", "", 47, "needs `documents`"),
    ("\"verdict\", \"receipt\"", "\"receipt\", \"receipt\"", 49, "stands in the list twice"),
    ("\"verdict\", \"receipt\"", "\"Verdict\"", 49, "\"Verdict\" is no document type"),
    ("queried_by = [\"court\"", "queried_by = [\"judge\"", 50, "\"judge\" is none of: court,"),
    ("articles = [\"2020办法 11\"]", "", 47, "needs `articles`, or `verified = false`"),
    ("[\"2020办法 11\"]", "[\"2020办法 11\"]\nwhen = \"x\"", 52, "`when` is no key here"),
];

/// A piece of the right book, what stands there instead, the line of the error, the error.
type Broken = (&'static str, &'static str, usize, &'static str);

const BROKEN_HEADS: &[Broken] = &[
    ("[rulebook]", "[rulebok]", 1, "needs `rulebook`"),
    ("name = \"book\"", "name = \"other\"", 2, "\"other\" is not the stem of book.toml"),
    ("name = \"book\"", "", 1, "needs `name`"),
    ("from = 2020-07-01", "from = \"2020-07-01\"", 3, "is a string, not a date such as 2020-07-01"),
    ("from = 2020-07-01", "from = 2020-07-01T00:00:00", 3, "is a date or time, not a date such as"),
    ("from = 2020-07-01", "from = 2020-07-01\nuntil = 2020-06-30", 4, "ends before it begins"),
    ("from = 2020-07-01", "from = 2020-07-01\nadds_to = \"x\"", 4, "`adds_to` is no key here"),
    (
        "from = 2020-07-01\n",
        "from = 2020-07-01\n[case]\nopening = [\"x\"]",
        4,
        "stands in hub.toml only",
    ),
    (
        "from = 2020-07-01\n",
        "from = 2020-07-01\n[not_a_document]\nB = \"x\"",
        5,
        "\"B\" is no row of the law",
    ),
];

const BROKEN_TABLES: &[Broken] = &[
    ("[document.verdict]", "[document.Verdict]", 5, "\"Verdict\" is no document type"),
    ("rows = [\"B3\"]", "rows = [\"3\"]", 7, "\"3\" is no row of the law"),
    ("rows = [\"B3\"]", "rowz = [\"B3\"]", 7, "`rowz` is no key here"),
    ("name = \"法律文书送达\"", "", 5, "needs `name`"),
    ("name = \"法律文书送达\"", "name = \" \"", 6, "is empty, or has spaces around it"),
    ("class = \"service\"", "class = \"servis\"", 8, "\"servis\" is none of: service, notice,"),
    ("class = \"service\"", "class = \"record\"", 11, "is empty for class record, and only there"),
    ("class = \"record\"", "", 35, "belongs to a base, a table with `class`"),
    ("senders = [\"any agency\"]\n", "", 34, "needs `senders`"),
    ("to = []\n", "", 34, "needs `to`"),
    (
        "\"police (city+)\"",
        "\"police (village)\"",
        9,
        "\"village\" is none of: county, city, provincial",
    ),
    ("\"police (city+)\"", "\"polis (city+)\"", 9, "\"polis\" is none of: court,"),
    ("\"police (city+)\"", "\"court\"", 9, "stands in the list twice"),
    ("senders = [\"court\", \"police (city+)\"]", "senders = []", 9, "is empty: leave it out"),
    (
        "senders = [\"court\", \"police (city+)\"]",
        "senders = \"court\"",
        9,
        "is a string, not a list",
    ),
    ("subjects = [\"probation\"]", "subjects = [\"adults\"]", 10, "\"adults\" is none of: public"),
    (
        "subjects = [\"probation\"]",
        "subject = \"cases\"",
        10,
        "\"cases\" is none of: case, person,",
    ),
    ("subjects = [\"probation\"]", "unique = false", 10, "may only be true; else leave it out"),
    ("to = [\"county", "to = [\"count", 11, "\"count corrections agency\" is no kind of agency"),
    (
        "to = [\"county corrections agency of the place of execution\"]",
        "to = [\"addressee\"]",
        11,
        "there is no addressee yet in `to`",
    ),
    (
        "to = [\"county corrections agency of the place of execution\"]",
        "to = [\"any agency\"]",
        11,
        "stands in `fits` only",
    ),
    (
        "when = \"places differ\"",
        "when = \"a and b or c\"",
        13,
        "\"and\" and \"or\" in one condition",
    ),
    (", when = \"places differ\"", "", 13, "needs `when`"),
    (
        "when = \"places differ\"",
        "when = \"places differ\", verified = true",
        13,
        "may only be false; else leave it out",
    ),
    ("when = \"places differ\"", "articles = []", 13, "needs `articles`, or `verified = false`"),
    (
        "fits = [\"social organisation of the old place\", \"any agency\"]",
        "fit = []",
        14,
        "`fit` is no key here",
    ),
    (
        "required = [\"case_number\"]",
        "required = [\"sender\"]",
        16,
        "\"sender\" is required of all documents",
    ),
    (
        "when = \"places differ\" }",
        "when = \"places differ\", carries = [] }",
        13,
        "is empty: leave it out",
    ),
    (
        "when = \"places differ\" }",
        "carries = [\"判决书\", \"判决书\"] }",
        13,
        "stands in the list twice",
    ),
    ("needs = [\"判决书\"]", "needs = [{ kind = \"判决书\" }]", 17, "needs `when`"),
    ("revoked = \"revoke\"", "granted = \"revoke\"", 19, "\"granted\" is not in `outcomes`"),
    ("revoked = \"revoke\"", "revoked = \"revok\"", 19, "\"revok\" is none of: decide,"),
    (
        "custody = { by = \"outcome\", revoked = \"revoke\" }",
        "custody = { revoked = \"revoke\" }",
        19,
        "needs `by`",
    ),
    (
        "custody = { by = \"outcome\", revoked = \"revoke\" }",
        "custody = { by = \"outcome\" }",
        19,
        "names no step",
    ),
    (
        "sets = [\"term expiry\"]",
        "sets = [\"ruling organ\"]",
        20,
        "\"ruling organ\" is none of: original",
    ),
    ("verified = false", "verified = true", 41, "may only be false; else leave it out"),
    (
        "articles = []\nverified = false",
        "articles = []",
        34,
        "needs `articles`, or `verified = false`",
    ),
    (
        "answers = [\"verdict\"]",
        "answers = [\"any\", \"verdict\"]\nmay_answer = [\"any\", \"?\"]",
        39,
        "\"?\" is no document type",
    ),
    (
        "[document.other]\n",
        "[document.other]\nunique = true\n",
        44,
        "belongs to a base, a table with `class`",
    ),
];

const BROKEN_DUTIES_AND_RULES: &[Broken] = &[
    ("name = \"送达回执\"\nowner", "owner", 22, "needs `name`"),
    ("owner = \"addressee\"", "owner = \"adressee\"", 24, "\"adressee\" is no relation"),
    ("owner = \"addressee\"", "owner = \"person\"", 22, "needs `watched_by`"),
    (
        "owner = \"addressee\"",
        "owner = \"sender\"\nwatched_by = \"sender\"",
        25,
        "only a duty of the person is watched",
    ),
    ("within = \"5 days\"", "within = \"5 dayz\"", 25, "\"5 dayz\" is no time limit"),
    ("within = \"5 days\"", "within = []", 25, "is empty: leave it out"),
    ("within = \"5 days\"", "within = \"as stated\"", 22, "`as stated` counts `from` nothing"),
    (
        "within = \"5 days\"\n",
        "",
        22,
        "needs exactly one of: within, soft, at, during, not_later_than",
    ),
    (
        "within = \"5 days\"",
        "within = \"5 days\"\nsoft = \"promptly\"",
        22,
        "needs exactly one of: within,",
    ),
    ("within = \"5 days\"", "soft = \"promptly\"", 26, "belongs to `within`"),
    ("from = \"receipt\"\n", "", 22, "`within` needs `from`"),
    (
        "from = \"receipt\"",
        "from = \"receipt\"\ndone_on = \"receipt\"",
        27,
        "\"receipt\" is none of: decision date, decision time",
    ),
    (
        "within = \"5 days\"\nfrom = \"receipt\"",
        "within = \"48 hours\"\nfrom = \"receipt\"\ndone_on = \"decision date\"",
        27,
        "belongs to `within` in days or months",
    ),
    (
        "from = \"receipt\"",
        "from = \"receipt\"\ndone_on = \"decision time\"",
        27,
        "belongs to `within` in hours",
    ),
    ("from = \"receipt\"", "from = \"reciept\"", 26, "\"reciept\" is none of: effective date,"),
    (
        "from = \"receipt\"",
        "from = \"receipt\"\nroll = \"always\"",
        27,
        "\"always\" is none of: never, unless arrested",
    ),
    (
        "within = \"5 days\"\nfrom = \"receipt\"",
        "soft = \"soon\"",
        25,
        "\"soon\" is none of: at once, promptly",
    ),
    (
        "within = \"5 days\"\nfrom = \"receipt\"",
        "at = \"receipt\"",
        25,
        "\"receipt\" is none of: term expiry, stated date",
    ),
    (
        "within = \"5 days\"\nfrom = \"receipt\"",
        "during = \"1 months before the term expiry\"",
        25,
        "is no window",
    ),
    (
        "within = \"5 days\"\nfrom = \"receipt\"",
        "during = \"the last 9 hours before the term expiry\"",
        25,
        "9 hours: only days and months count backwards",
    ),
    (
        "within = \"5 days\"\nfrom = \"receipt\"",
        "not_later_than = \"1 months before the trial\"",
        25,
        "\"trial\" is none of: term expiry",
    ),
    ("closed_by = [\"receipt\"]", "close_by = [\"receipt\"]", 27, "`close_by` is no key here"),
    ("closed_by = [\"receipt\"]", "closed_by = []", 27, "is empty: leave it out"),
    (
        "closed_by = [\"receipt\"]",
        "closed_by = [\"receipt\"]\nnature = \"must\"",
        28,
        "\"must\" is none of: may",
    ),
    (
        "closed_by = [\"receipt\"]",
        "closed_by = [\"self\"]\nextend = { by = \"1 months\", with = \"receipt\", times = 0 }",
        28,
        "is a number, not a number from 1 to 255",
    ),
    (
        "closed_by = [\"receipt\"]",
        "closed_by = [\"self\"]\nsuspend = { with = \"receipt\" }",
        28,
        "needs `until`",
    ),
    (
        "closed_by = [\"receipt\"]",
        "closed_by = [\"self\"]\npasses_to = { on = \"receipt\", owner = \"person\" }",
        28,
        "\"person\" is no relation",
    ),
    (
        "closed_by = [\"receipt\"]",
        "closed_by = [\"self\"]\nif_missed = { name = \"x\", owner = \"sender\", soft = \"promptly\", closed_by = [\"receipt\"], when = \"arrested\" }",
        28,
        "`when` is no key here",
    ),
    ("needs_open = \"receipt\"\n", "", 29, "needs exactly one of: forbid, needs_open,"),
    (
        "needs_open = \"receipt\"",
        "needs_open = \"receipt\"\nalways = true",
        29,
        "needs exactly one of: forbid, needs_open,",
    ),
    (
        "needs_open = \"receipt\"",
        "always = true\nsame_sender = true",
        29,
        "`same_sender` belongs to `needs_open`",
    ),
    (
        "needs_open = \"receipt\"",
        "forbid = \"arrested\"\nwhen = \"arrested\"",
        31,
        "`forbid` is its own condition",
    ),
    (
        "on_break = \"flag\"",
        "on_break = \"ignore\"",
        31,
        "\"ignore\" is none of: refuse, no effect, flag",
    ),
    (
        "on_break = \"flag\"\narticles = [\"2020办法 16\"]",
        "on_break = \"flag\"",
        29,
        "needs `articles`, or `verified = false`",
    ),
];

fn errors_with(pieces: &[(&str, &str)]) -> Vec<RulebookError> {
    let mut text = RIGHT.to_owned();
    for (right, wrong) in pieces {
        assert!(text.contains(right), "{right:?} is not in the right book");
        text = text.replacen(right, wrong, 1);
    }
    Rulebook::parse("book.toml", &text).expect_err("a broken book was taken")
}

#[test]
fn every_break_is_found_where_it_is() {
    let broken = [BROKEN_TABLES, BROKEN_DUTIES_AND_RULES, BROKEN_HEADS, BROKEN_TOPICS].concat();
    for (right, wrong, line, message) in broken {
        let errors = errors_with(&[(right, wrong)]);
        let found = errors.iter().find(|e| e.line == line && e.message.contains(message));
        assert!(found.is_some(), "{wrong:?}: no {message:?} in line {line} but {errors:#?}");
        assert_eq!(errors[0].file, "book.toml");
    }
}

#[test]
fn a_book_that_is_no_toml_names_the_line() {
    let errors = errors_with(&[("class = \"service\"", "class = service")]);
    assert_eq!(errors[0].line, 8);
}

#[test]
fn all_errors_come_at_once_with_paths_and_suggestions() {
    let errors = errors_with(&[
        ("rows = [\"B3\"]", "rowz = [\"B3\"]"),
        ("when = \"places differ\"", "when = \"place differs\""),
        ("closed_by = [\"receipt\"]", "close_by = [\"receipt\"]"),
        ("on_break = \"flag\"", "on_break = \"flags\""),
        ("answers = [\"verdict\"]\nto = []", ""),
        ("articles = []\nverified = false", "articles = []"),
    ]);
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "book.toml:7: document.verdict.rowz: `rowz` is no key here; did you mean \"rows\"?",
            "book.toml:13: document.verdict.copies[0].when: \"place differs\" is no condition; \
             did you mean \"places differ\"?",
            "book.toml:22: document.verdict.duties[0]: needs `closed_by`",
            "book.toml:27: document.verdict.duties[0].close_by: `close_by` is no key here; \
             did you mean \"closed_by\"?",
            "book.toml:31: document.verdict.rules[0].on_break: \"flags\" is none of: refuse, no effect, flag; \
             did you mean \"flag\"?",
            "book.toml:34: document.receipt: needs `articles`, or `verified = false`",
            "book.toml:34: document.receipt: needs `to`",
        ]
    );
}

#[test]
fn a_right_book_says_what_it_says() {
    let book = Rulebook::parse("book.toml", RIGHT).unwrap();
    let names: Vec<_> = book.documents.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["verdict", "receipt", "other"], "in the order of the file");
    let (_, verdict) = &book.documents[0];
    assert_eq!((verdict.line, verdict.verified), (5, true));
    assert_eq!(verdict.copies[1].path, "book/verdict/copies/1");
    assert_eq!((verdict.copies[1].line, verdict.copies[1].articles.len()), (14, 1));
    assert!(verdict.senders[1].or_above && !verdict.senders[0].or_above);
    let duty = &verdict.duties[0];
    assert_eq!((duty.path.as_str(), duty.line), ("book/verdict/duties/0", 22));
    assert!(matches!(duty.item.owner, OwnerRule::Agency(_)));
    assert!(matches!(&duty.item.limit, Limit::Within { roll: RollRule::Holidays, .. }));
    assert_eq!(duty.item.limit.to_string(), "5 days");
    assert!(matches!(&verdict.rules[0].item.test, TestKind::NeedsOpen(_, false)));
    let (_, receipt) = &book.documents[1];
    assert_eq!(
        (receipt.verified, receipt.base.as_ref().unwrap().subject),
        (false, SubjectRule::Case)
    );
    assert!(book.documents[2].1.base.is_none());
}

#[test]
fn an_addressee_may_rest_on_articles_of_its_own() {
    let own = ", articles = [\"2020办法 47\"], verified = false }";
    let text =
        RIGHT.replace("when = \"places differ\" }", &format!("when = \"places differ\"{own}"));
    let text = text.replace("\"any agency\"] }", &format!("\"any agency\"]{own}"));
    let copies = &Rulebook::parse("book.toml", &text).unwrap().documents[0].1.copies;
    for copy in copies {
        assert_eq!(
            (copy.articles.as_slice(), copy.verified),
            (["2020办法 47".to_owned()].as_slice(), false)
        );
    }
    assert!(copies[0].item.when.is_some());
    let text = RIGHT.replace("when = \"places differ\"", "articles = [\"一 1\"]");
    let copies = &Rulebook::parse("book.toml", &text).unwrap().documents[0].1.copies;
    assert!(copies[0].verified && copies[0].item.when.is_none());
    assert_eq!(copies[1].articles, ["社区矫正法 20"], "the table's");
}

#[test]
fn what_opens_when_a_duty_is_missed_inherits_its_articles() {
    let text = RIGHT.replace(
        "closed_by = [\"receipt\"]",
        "closed_by = [\"receipt\"]\nif_missed = { name = \"催\", owner = \"sender\", \
         within = \"24 hours\", from = [\"discovery\", \"receipt\"], roll = \"never\", \
         closed_by = [\"self\"] }",
    );
    let book = Rulebook::parse("book.toml", &text).unwrap();
    let missed = book.documents[0].1.duties[0].item.if_missed.as_ref().unwrap();
    assert_eq!(missed.path, "book/verdict/duties/0/if_missed");
    assert_eq!(missed.articles, ["2020办法 16"]);
    assert!(missed.item.closed_by_self && missed.item.limit.is_urgent());
}

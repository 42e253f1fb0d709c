//! A limit in the words that records have ([`Limit`](crate::domain::rulebook::Limit)'s own), in Chinese:
//! whoever reads a duty may not have the rulebook that opened it.

use super::{Phrase, chinese};
use crate::domain::rulebook::{Event, Soft};
use crate::domain::term::Span;

/// A duty's limit in English and Chinese; words of a later rulebook language stay as they are.
#[must_use]
pub fn limit_phrase(words: &str) -> Phrase {
    Phrase::new(words, in_chinese(words).unwrap_or_else(|| words.to_owned()))
}

fn in_chinese(words: &str) -> Option<String> {
    if let Some((soft, _)) = Soft::WORDS.iter().find(|(_, word)| *word == words) {
        return Some(chinese::soft(*soft).to_owned());
    }
    if let Some(day) = words.strip_prefix("at ") {
        return Some(format!("{}终了前", event(day)?));
    }
    if let Some(window) = words.strip_prefix("the last ") {
        return Some(format!(
            "期限届满前{}内",
            span(window.strip_suffix(" before the term expiry")?)?
        ));
    }
    if let Some((length, day)) = words.split_once(" before the ") {
        return Some(format!("不迟于{}前{}", event(day)?, span(length)?));
    }
    let spans: Option<Vec<String>> = words.split(" or ").map(span).collect();
    Some(format!("{}内", spans?.join("或者")))
}

fn event(words: &str) -> Option<&'static str> {
    let event = Event::WORDS.iter().find(|(_, word)| *word == words);
    event.map(|(event, _)| chinese::event(*event))
}

fn span(words: &str) -> Option<String> {
    match words {
        "as stated" => Some("文书载明的期限".to_owned()),
        words => words.parse::<Span>().ok().map(chinese::span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rulebook::Law;

    #[test]
    fn every_limit_of_the_law_has_its_chinese() {
        let law = Law::built_in();
        let tables = law.books().iter().flat_map(|book| &book.documents);
        let duties: Vec<_> = tables.flat_map(|(_, table)| &table.duties).collect();
        assert!(duties.len() > 50);
        for duty in duties {
            let limit = limit_phrase(&duty.item.limit.to_string());
            let has_english = limit.chinese.chars().any(|c| c.is_ascii_alphabetic());
            assert!(!has_english, "{}: {}", duty.path, limit.chinese);
        }
    }

    #[test]
    fn limits_read_as_the_statutes_write_them() {
        for (words, chinese) in [
            ("5 days", "5日内"),
            ("at once", "立即"),
            ("at term expiry", "期限届满之日终了前"),
            ("the last 3 months before the term expiry", "期限届满前3个月内"),
            ("2 months or as stated", "2个月或者文书载明的期限内"),
            ("30 days before the term expiry", "不迟于期限届满之日前30日"),
            ("a while", "a while"),
        ] {
            assert_eq!(limit_phrase(words).chinese, chinese);
        }
    }
}

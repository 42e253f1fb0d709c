//! A TOML file being read: every value knows its line and path, and every error is collected, so
//! that one reading finds them all. It knows nothing of the rulebook language.

use std::cell::RefCell;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::what;
use crate::domain::relation::{RelationError, nearest};
use crate::domain::rulebook::RulebookError;
use crate::domain::rulebook::mention::{Mention, Mentioned};

/// A file, with what reading it has brought up.
pub(super) struct Source<'a> {
    name: &'a str,
    text: &'a str,
    errors: RefCell<Vec<RulebookError>>,
    mentions: RefCell<Vec<Mention>>,
}

/// Proof that an error was collected: made by collecting one, and no other way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported(());

/// A value in a file.
#[derive(Clone)]
pub(super) struct Node<'a> {
    source: &'a Source<'a>,
    path: String,
    offset: usize,
    value: &'a DeValue<'a>,
}

/// A table in a file whose keys are all known.
pub(super) struct Keys<'a> {
    node: Node<'a>,
    table: &'a DeTable<'a>,
}

/// The line, from 1, of a byte of the text.
pub(in crate::domain::rulebook) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

impl<'a> Source<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, errors: RefCell::default(), mentions: RefCell::default() }
    }

    /// Reads the whole file: what `read` makes of it and all that it mentions, or all errors.
    pub(super) fn read<T>(
        self,
        read: impl FnOnce(&Node<'_>) -> Result<T, Reported>,
    ) -> Result<(T, Vec<Mention>), Vec<RulebookError>> {
        let (root, syntax_errors) = DeTable::parse_recoverable(self.text);
        for error in syntax_errors {
            self.report(error.span().map_or(0, |span| span.start), "", error.message(), None);
        }
        if !self.errors.borrow().is_empty() {
            return Err(self.into_errors());
        }
        let value = DeValue::Table(root.into_inner());
        let read =
            read(&Node { source: &self, path: String::new(), offset: 0, value: &value }).ok();
        match read {
            Some(read) if self.errors.borrow().is_empty() => Ok((read, self.mentions.take())),
            _ => Err(self.into_errors()),
        }
    }

    fn report(
        &self,
        offset: usize,
        path: &str,
        message: &str,
        suggestion: Option<&str>,
    ) -> Reported {
        self.errors.borrow_mut().push(RulebookError {
            file: self.name.to_owned(),
            line: line_of(self.text, offset),
            path: path.to_owned(),
            message: message.to_owned(),
            suggestion: suggestion.map(str::to_owned),
        });
        Reported(())
    }

    fn into_errors(self) -> Vec<RulebookError> {
        let mut errors = self.errors.into_inner();
        errors.sort();
        errors.dedup();
        errors
    }
}

impl<'a> Node<'a> {
    /// Its line, from 1.
    pub(super) fn line(&self) -> usize {
        line_of(self.source.text, self.offset)
    }

    /// Collects an error about it.
    pub(super) fn error(&self, message: String) -> Reported {
        self.source.report(self.offset, &self.path, &message, None)
    }

    /// Collects an error about it with what may have been meant.
    pub(super) fn error_near(&self, message: String, suggestion: Option<&str>) -> Reported {
        self.source.report(self.offset, &self.path, &message, suggestion)
    }

    /// Notes that it names something outside this file.
    pub(super) fn mention(&self, what: Mentioned) {
        self.source.mentions.borrow_mut().push(Mention {
            file: self.source.name.to_owned(),
            line: self.line(),
            path: self.path.clone(),
            what,
        });
    }

    /// Its text, not empty.
    pub(super) fn text(&self) -> Result<&'a str, Reported> {
        match self.value {
            DeValue::String(text) if text.trim() == &**text && !text.is_empty() => Ok(text),
            DeValue::String(_) => Err(self.error("is empty, or has spaces around it".to_owned())),
            _ => Err(self.not_a("a string")),
        }
    }

    /// Its text if it is one.
    pub(super) fn if_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// The item whose word its text is.
    pub(super) fn word<T: Copy>(&self, words: &[(T, &'static str)]) -> Result<T, Reported> {
        let text = self.text()?;
        let found = words.iter().find(|(_, word)| *word == text).map(|(item, _)| *item);
        found.ok_or_else(|| self.unknown(text, words.iter().map(|(_, word)| *word)))
    }

    /// The error that `text` is none of these words.
    pub(super) fn unknown(
        &self,
        text: &str,
        words: impl IntoIterator<Item = &'static str>,
    ) -> Reported {
        let words: Vec<_> = words.into_iter().collect();
        let message = format!("{text:?} is none of: {}", words.join(", "));
        self.error_near(message, nearest(text, words))
    }

    /// What `parse` makes of its text.
    pub(super) fn relation<T>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, RelationError>,
    ) -> Result<T, Reported> {
        parse(self.text()?).map_err(|error| self.error_near(error.to_string(), error.suggestion()))
    }

    /// Its day: a TOML date without time.
    pub(super) fn date(&self) -> Result<Date, Reported> {
        let date = match self.value {
            DeValue::Datetime(at) if at.time.is_none() && at.offset.is_none() => at.date,
            _ => None,
        };
        date.and_then(|day| {
            let (year, month) = (i16::try_from(day.year).ok()?, i8::try_from(day.month).ok()?);
            Date::new(year, month, i8::try_from(day.day).ok()?).ok()
        })
        .ok_or_else(|| self.not_a("a date such as 2020-07-01, without quotes"))
    }

    /// Its number, from 1 to 255.
    pub(super) fn count(&self) -> Result<u8, Reported> {
        let count = self.value.as_integer().and_then(|number| number.as_str().parse().ok());
        count.filter(|count| *count > 0).ok_or_else(|| self.not_a("a number from 1 to 255"))
    }

    /// What `read` makes of each item of the list; the list may be empty.
    pub(super) fn list<T>(
        &self,
        read: impl Fn(&Self) -> Result<T, Reported>,
    ) -> Result<Vec<T>, Reported> {
        let items = self.items()?;
        let items: Vec<_> = items.iter().map(read).collect();
        items.into_iter().collect()
    }

    /// The same of a list that has items, no two of them equal.
    pub(super) fn distinct<T: PartialEq>(
        &self,
        read: impl Fn(&Self) -> Result<T, Reported>,
    ) -> Result<Vec<T>, Reported> {
        let items = self.list(read)?;
        if items.is_empty() {
            return Err(self.error("is empty: leave it out".to_owned()));
        }
        for (i, item) in items.iter().enumerate() {
            if items[..i].contains(item) {
                return Err(self.items()?[i].error("stands in the list twice".to_owned()));
            }
        }
        Ok(items)
    }

    /// The items of the list.
    pub(super) fn items(&self) -> Result<Vec<Self>, Reported> {
        let Some(items) = self.value.as_array() else {
            return Err(self.not_a("a list"));
        };
        let item = |(i, item): (usize, &'a Spanned<DeValue<'a>>)| Self {
            source: self.source,
            path: format!("{}[{i}]", self.path),
            offset: item.span().start,
            value: item.get_ref(),
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// What `read` makes of each key and value of the table, in the order of the file.
    pub(super) fn each_entry<T>(
        &self,
        read: impl Fn(&'a str, &Self) -> Result<T, Reported>,
    ) -> Result<Vec<T>, Reported> {
        let mut entries: Vec<_> = self.table()?.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(key, value)| read(key.get_ref(), &self.child(key.get_ref(), value)))
            .collect();
        entries.into_iter().collect()
    }

    /// The table, if all its keys are known.
    pub(super) fn keys(&self, known: &[&'static str]) -> Result<Keys<'a>, Reported> {
        let table = self.table()?;
        for key in table.keys().filter(|key| !known.contains(&&**key.get_ref())) {
            let message = format!("`{}` is no key here", key.get_ref());
            let suggestion = nearest(key.get_ref(), known.iter().copied());
            let path = self.path_of(key.get_ref());
            self.source.report(key.span().start, &path, &message, suggestion);
        }
        Ok(Keys { node: self.clone(), table })
    }

    /// Whether the table has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value.as_table().is_some_and(|table| table.contains_key(key))
    }

    fn table(&self) -> Result<&'a DeTable<'a>, Reported> {
        self.value.as_table().ok_or_else(|| self.not_a("a table"))
    }

    fn not_a(&self, wanted: &str) -> Reported {
        self.error(format!("is {}, not {wanted}", what(self.value)))
    }

    fn child(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self {
            source: self.source,
            path: self.path_of(key),
            offset: value.span().start,
            value: value.get_ref(),
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl<'a> Keys<'a> {
    /// The table itself.
    pub(super) fn node(&self) -> &Node<'a> {
        &self.node
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.table.get(key).map(|value| self.node.child(key, value))
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, key: &str) -> Result<Node<'a>, Reported> {
        self.get(key).ok_or_else(|| self.node.error(format!("needs `{key}`")))
    }

    /// Whether a boolean key is there. It is only ever written with the value that is not the
    /// default: `value`.
    pub(super) fn is_set(&self, key: &str, value: bool) -> Result<bool, Reported> {
        match self.get(key) {
            None => Ok(false),
            Some(node) if node.value.as_bool() == Some(value) => Ok(true),
            Some(node) => Err(node.error(format!("may only be {value}; else leave it out"))),
        }
    }

    /// What `read` makes of the value of a key that may be absent.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Node<'a>) -> Result<T, Reported>,
    ) -> Result<Option<T>, Reported> {
        self.get(key).map(|node| read(&node)).transpose()
    }

    /// The list of a key; empty if it is absent.
    pub(super) fn distinct<T: PartialEq>(
        &self,
        key: &str,
        read: impl Fn(&Node<'a>) -> Result<T, Reported>,
    ) -> Result<Vec<T>, Reported> {
        Ok(self.optional(key, |node| node.distinct(read))?.unwrap_or_default())
    }
}

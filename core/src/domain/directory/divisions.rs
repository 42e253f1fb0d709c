//! Administrative divisions (行政区划, GB/T 2260): code, name, level and *stored* parent. No code's
//! digits are ever computed with.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::domain::agency::{Branch, Level};
use crate::ids::DivisionCode;

/// One division.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// Its code.
    pub code: DivisionCode,
    /// Its name, in Chinese.
    pub name: String,
    /// Its level: county, city or province.
    pub level: Level,
    /// What it belongs to; a province belongs to nothing.
    pub parent: Option<DivisionCode>,
    /// Whose agencies are "of the place": the local ones, or the Bingtuan's.
    pub branch: Branch,
}

/// The table of divisions, with what became of abolished ones.
#[derive(Debug, Clone, Default)]
pub struct Divisions {
    by_code: BTreeMap<DivisionCode, Division>,
    successors: BTreeMap<DivisionCode, Vec<DivisionCode>>,
}

/// Why a table of divisions is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DivisionError {
    /// A line that is not code, level, name, parent (and branch).
    #[error("line {0}: expected code, level, name, parent and, optionally, branch")]
    Line(usize),
    /// A parent that the table does not have.
    #[error("division {0} has a parent that the table does not have")]
    Parent(DivisionCode),
}

impl Divisions {
    /// The table that ships with the hub: year-end 2025, and the changes since 2012.
    ///
    /// # Panics
    /// Never: a test parses the same text.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the text is part of the program and parsed by a test")]
    pub fn built_in() -> Self {
        Self::parse(
            include_str!("../../../data/divisions.tsv"),
            include_str!("../../../data/division_changes.tsv"),
        )
        .expect("the built-in divisions parse")
    }

    /// Parses the two tab-separated tables; lines that begin with `#` are comments.
    ///
    /// # Errors
    /// A line that does not have its columns, or a parent that does not exist.
    pub fn parse(divisions: &str, changes: &str) -> Result<Self, DivisionError> {
        let mut table = Self::default();
        for (number, line) in data_lines(divisions) {
            let division = parse_division(line).ok_or(DivisionError::Line(number))?;
            table.by_code.insert(division.code.clone(), division);
        }
        for (number, line) in data_lines(changes) {
            let (old, new) = parse_change(line).ok_or(DivisionError::Line(number))?;
            if old != new {
                table.successors.entry(old).or_default().push(new);
            }
        }
        for division in table.by_code.values() {
            if let Some(parent) = &division.parent
                && !table.by_code.contains_key(parent)
            {
                return Err(DivisionError::Parent(division.code.clone()));
            }
        }
        Ok(table)
    }

    /// The division of that code, if it exists today.
    #[must_use]
    pub fn get(&self, code: &DivisionCode) -> Option<&Division> {
        self.by_code.get(code)
    }

    /// All divisions, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Division> {
        self.by_code.values()
    }

    /// `code` and what it belongs to, from the nearest upwards.
    pub fn upwards<'a>(
        &'a self,
        code: &DivisionCode,
    ) -> impl Iterator<Item = &'a Division> + use<'a> {
        std::iter::successors(self.by_code.get(code), |division| {
            division.parent.as_ref().and_then(|parent| self.by_code.get(parent))
        })
    }

    /// The province that `code` lies in.
    #[must_use]
    pub fn province(&self, code: &DivisionCode) -> Option<&DivisionCode> {
        self.upwards(code).last().map(|division| &division.code)
    }

    /// Whether `inner` is `outer` or lies in it.
    #[must_use]
    pub fn is_within(&self, inner: &DivisionCode, outer: &DivisionCode) -> bool {
        self.upwards(inner).any(|division| division.code == *outer)
    }

    /// Today's divisions for a code: itself if it exists, else those that it became, through every
    /// change since.
    #[must_use]
    pub fn today(&self, code: &DivisionCode) -> Vec<DivisionCode> {
        let mut found = Vec::new();
        let mut open = vec![code.clone()];
        let mut seen = Vec::new();
        while let Some(code) = open.pop() {
            if seen.contains(&code) {
                continue;
            }
            if self.by_code.contains_key(&code) {
                found.push(code.clone());
            } else if let Some(next) = self.successors.get(&code) {
                open.extend(next.iter().cloned());
            }
            seen.push(code);
        }
        found.sort();
        found.dedup();
        found
    }

    /// Adds a division of the hub's own: a zone, or a Bingtuan division.
    pub fn insert(&mut self, division: Division) {
        self.by_code.insert(division.code.clone(), division);
    }
}

fn data_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line))
        .filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty())
}

fn parse_division(line: &str) -> Option<Division> {
    let mut columns = line.split('\t');
    let code = columns.next()?.parse().ok()?;
    let level = match columns.next()? {
        "province" => Level::Provincial,
        "city" => Level::City,
        "county" => Level::County,
        _ => return None,
    };
    let name = columns.next()?.to_owned();
    let parent = columns.next().map(str::trim).filter(|text| !text.is_empty());
    let parent = parent.map(DivisionCode::from_str).transpose().ok()?;
    let branch = match columns.next().map(str::trim) {
        None | Some("" | "local") => Branch::Local,
        Some("bingtuan") => Branch::Bingtuan,
        Some(_) => return None,
    };
    Some(Division { code, name, level, parent, branch })
}

fn parse_change(line: &str) -> Option<(DivisionCode, DivisionCode)> {
    let mut columns = line.split('\t').skip(2);
    let old = columns.next()?.parse().ok()?;
    let new = columns.nth(1)?.trim().parse().ok()?;
    Some((old, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_holds_the_nation() {
        let divisions = Divisions::built_in();
        let count = |level| divisions.iter().filter(|d| d.level == level).count();
        assert_eq!(count(Level::Provincial), 34);
        assert_eq!(count(Level::City), 333);
        assert!(count(Level::County) >= 2847);
    }

    #[test]
    fn parents_are_stored_not_computed() {
        let divisions = Divisions::built_in();
        let xiantao: DivisionCode = "429004".parse().unwrap();
        assert_eq!(divisions.province(&xiantao).unwrap().as_str(), "420000");
        assert_eq!(divisions.upwards(&xiantao).count(), 2);
    }

    #[test]
    fn an_abolished_division_leads_to_its_successors() {
        let divisions = Divisions::built_in();
        let canglang: DivisionCode = "320502".parse().unwrap();
        assert_eq!(divisions.today(&canglang), vec!["320508".parse().unwrap()]);
        assert!(divisions.today(&"999999".parse().unwrap()).is_empty());
    }
}

//! Tables on a terminal. Widths are counted in the terminal's columns (UAX #11): a Chinese character
//! takes two.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What stands between two columns.
const GAP: &str = "  ";

/// Rows of `N` cells under their headings.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    headings: [String; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub(super) fn new(headings: [String; N]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| printable(&cell)));
    }

    /// Its lines, the headings first. Numbers stand to the right; nothing follows the last cell.
    pub(super) fn lines(&self) -> Vec<String> {
        let rows = || std::iter::once(&self.headings).chain(&self.rows);
        let widths: [usize; N] = std::array::from_fn(|column| {
            rows().map(|row| row[column].width()).max().unwrap_or_default()
        });
        let numbers: [bool; N] =
            std::array::from_fn(|column| self.rows.iter().all(|row| is_number(&row[column])));
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(widths).zip(numbers).map(|((cell, width), number)| {
                let padding = " ".repeat(width - cell.width());
                if number { format!("{padding}{cell}") } else { format!("{cell}{padding}") }
            });
            cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        rows().map(line).collect()
    }
}

/// As much of a line as fits `width` columns. A wide character that fits by half is left out.
pub(super) fn cut(line: &str, width: usize) -> &str {
    let mut used = 0;
    let end = line.char_indices().find(|(_, character)| {
        used += character.width().unwrap_or_default();
        used > width
    });
    end.map_or(line, |(end, _)| &line[..end])
}

/// A text without what a terminal would obey: what the hub says goes to somebody's screen.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

fn is_number(cell: &str) -> bool {
    !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn chinese_and_latin_cells_line_up() {
        let mut table = Table::new(["duty 期限义务", "owner", "count"].map(str::to_owned));
        table.row(["送达回执", "gz-tianhe-corrections", "7"].map(str::to_owned));
        table.row(["report", "a", "1200"].map(str::to_owned));
        expect![[r#"
            duty 期限义务  owner                  count
            送达回执       gz-tianhe-corrections      7
            report         a                       1200"#]]
        .assert_eq(&table.lines().join("\n"));
    }

    #[test]
    fn a_line_is_cut_at_a_column_and_never_inside_a_character() {
        assert_eq!(cut("交接逾期", 8), "交接逾期");
        assert_eq!(cut("交接逾期", 7), "交接逾");
        assert_eq!(cut("a交接", 2), "a");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn no_cell_commands_the_terminal() {
        let mut table = Table::new(["x".to_owned()]);
        table.row(["\u{1b}[2J\r\nok".to_owned()]);
        assert_eq!(table.lines()[1], "?[2J??ok");
    }
}

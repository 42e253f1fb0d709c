//! The files of a law as they lie in one folder: rulebooks, the table of custody, the working
//! calendar, the list of rows. Checked whole, as the program checks its own.

use super::law::{BUILT_IN, BUILT_IN_HOLIDAYS, HOLIDAYS};
use super::rows::{BUILT_IN as BUILT_IN_ROWS, ROWS};
use super::{Law, Rows, RulebookError, Schema};

impl Law {
    /// The files that come with the program, as they would lie in a folder: name and text.
    #[must_use]
    pub fn built_in_files() -> Vec<(&'static str, &'static str)> {
        let others = [(HOLIDAYS, BUILT_IN_HOLIDAYS), (ROWS, BUILT_IN_ROWS)];
        BUILT_IN.iter().copied().chain(others).collect()
    }

    /// Reads the files of a folder and checks them whole: each one, all against each other, against
    /// the documents' schema, and that no row of the law is left out.
    ///
    /// # Errors
    /// All errors at once, in the order of files and lines; those that can be seen only once each
    /// file is well formed come when they are.
    pub fn load_folder(
        files: &[(String, String)],
        schema: &dyn Schema,
    ) -> Result<Self, Vec<RulebookError>> {
        let text = |name: &str| {
            let found = files.iter().find(|(other, _)| other == name);
            let missing = || vec![RulebookError::of_file(name, "is missing".to_owned())];
            found.map(|(_, text)| text.as_str()).ok_or_else(missing)
        };
        let (holidays, rows) = match (text(HOLIDAYS), text(ROWS)) {
            (Ok(holidays), Ok(rows)) => (holidays, rows),
            (holidays, rows) => return Err(all(holidays.err(), rows.err())),
        };
        let books = files.iter().filter(|(name, _)| name != HOLIDAYS && name != ROWS);
        let law = Self::load(&books.cloned().collect::<Vec<_>>(), holidays);
        let (law, rows) = match (law, Rows::parse(rows)) {
            (Ok(law), Ok(rows)) => (law, rows),
            (law, rows) => return Err(all(law.err(), rows.err())),
        };
        match (law.check_schema(schema), rows.check(&law)) {
            (Ok(()), Ok(())) => Ok(law),
            (schema, rows) => Err(all(schema.err(), rows.err())),
        }
    }
}

fn all(some: Option<Vec<RulebookError>>, more: Option<Vec<RulebookError>>) -> Vec<RulebookError> {
    let mut errors: Vec<_> = some.into_iter().chain(more).flatten().collect();
    errors.sort();
    errors
}

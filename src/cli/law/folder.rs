//! `xianjie law export` and `xianjie law validate`: the rulebooks as files in a folder, to be changed
//! and checked before anything is built from them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;
use xianjie_core::domain::rulebook::{Law, RulebookError};

use crate::cli::CliError;
use crate::wire::schema::Schema;

/// The word that stands for the rulebooks of the program itself.
pub(super) const BUILT_IN: &str = "builtin";

/// Writes the built-in files into a folder, which may not hold any of them yet.
pub(super) fn export(folder: &Path) -> Result<String, CliError> {
    let files = Law::built_in_files();
    fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
    if let Some((name, _)) = files.iter().find(|(name, _)| folder.join(name).exists()) {
        let path = folder.join(name);
        return Err(CliError::usage(
            format!("{} is there already", path.display()),
            format!("{}已经存在", path.display()),
        )
        .help("name a new folder", "请指明一个新的目录"));
    }
    for (name, text) in &files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| unusable(&path, &error))?;
    }
    let (count, folder) = (files.len(), folder.display());
    Ok(format!("{count} files in {folder} · 已在{folder}写出{count}个文件\n"))
}

/// The law of a folder, or that of the program for the word `builtin`.
pub(super) fn load(folder: &Path) -> Result<Law, CliError> {
    if folder == Path::new(BUILT_IN) {
        return Ok(Law::built_in());
    }
    let files = read(folder)?;
    Law::load_folder(&files, &Schema::built_in()).map_err(|errors| wrong(folder, &errors))
}

/// The files of a folder whose names end in `.toml`.
fn read(folder: &Path) -> Result<Vec<(String, String)>, CliError> {
    let entries = fs::read_dir(folder).map_err(|error| unusable(folder, &error))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(|error: io::Error| unusable(folder, &error))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).map_err(|error| unusable(&path, &error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, text))
    };
    paths.into_iter().map(read).collect()
}

fn unusable(path: &Path, error: &io::Error) -> CliError {
    let path = path.display();
    CliError::usage(format!("can't use {path}: {error}"), format!("无法读写 {path}：{error}"))
}

/// The rulebooks are wrong: every error with its file and line.
fn wrong(folder: &Path, errors: &[RulebookError]) -> CliError {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let facts = errors.iter().map(|error| {
        json!({
            "file": error.file,
            "line": error.line,
            "path": error.path,
            "message": error.message,
            "suggestion": error.suggestion,
        })
    });
    let (count, folder) = (errors.len(), folder.display());
    CliError::refused(
        format!("{count} errors in {folder}\n{}", lines.join("\n")),
        format!("{folder}中有{count}处错误，见上"),
    )
    .facts(facts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message of what is wrong in the exported files once `name` is changed.
    fn broken(name: &str, change: impl FnOnce(&str) -> String) -> String {
        let folder = tempfile::tempdir().unwrap();
        export(folder.path()).unwrap();
        let path = folder.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        let changed = change(&text);
        assert_ne!(changed, text);
        fs::write(&path, changed).unwrap();
        format!("{:?}", load(folder.path()).unwrap_err())
    }

    fn line_of(name: &str, piece: &str) -> usize {
        let files = Law::built_in_files();
        let (_, text) = files.iter().find(|(other, _)| *other == name).unwrap();
        1 + text[..text.find(piece).unwrap()].matches('\n').count()
    }

    #[test]
    fn what_is_exported_is_right_and_says_what_the_program_says() {
        let folder = tempfile::tempdir().unwrap();
        let told = export(folder.path()).unwrap();
        assert!(told.starts_with(&format!("{} files", Law::built_in_files().len())));
        assert_eq!(load(folder.path()).unwrap().digest(), Law::built_in().digest());
        assert!(format!("{:?}", export(folder.path()).unwrap_err()).contains("there already"));
    }

    #[test]
    fn a_key_that_is_none_is_found_with_what_was_meant() {
        let error = broken("act_2020.toml", |text| text.replacen("senders =", "sender =", 1));
        let line = line_of("act_2020.toml", "senders =");
        let at = format!("act_2020.toml:{line}: document.assessment_commission.sender: ");
        assert!(error.contains(&at) && error.contains("did you mean"), "{error}");
    }

    #[test]
    fn a_field_that_no_body_has_is_found() {
        let piece = "required = [\"received_date\"]";
        let error = broken("act_2020.toml", |text| {
            text.replacen(piece, "required = [\"recieved_date\"]", 1)
        });
        let at = format!("act_2020.toml:{}: ", line_of("act_2020.toml", piece));
        assert!(error.contains(&at) && error.contains("has a field `recieved_date`"), "{error}");
    }

    #[test]
    fn a_type_without_a_body_is_found() {
        let table = "\n[document.decree]\nname = \"令\"\nclass = \"record\"\nsenders = [\"court\"]\n\
                     to = []\narticles = [\"社区矫正法 1\"]\n";
        let error = broken("hub.toml", |text| text.to_owned() + table);
        let files = Law::built_in_files();
        let (_, text) = files.iter().find(|(name, _)| *name == "hub.toml").unwrap();
        let at = format!("hub.toml:{}: document.decree: ", text.lines().count() + 2);
        assert!(error.contains(&at) && error.contains("no case of the documents'"), "{error}");
    }

    #[test]
    fn a_row_that_is_none_and_one_left_out_are_found() {
        let piece = "rows = [\"B31\"]";
        let error = broken("act_2020.toml", |text| text.replacen(piece, "rows = [\"B91\"]", 1));
        let line = line_of("act_2020.toml", "[document.guardian_default_notice]");
        assert!(error.contains(&format!("act_2020.toml:{line}: ")), "{error}");
        let line = line_of("rows.toml", "B31 =");
        assert!(error.contains(&format!("rows.toml:{line}: B31: stands in no table")), "{error}");
    }

    #[test]
    fn two_statutes_with_one_base_on_one_day_are_found() {
        let piece = "until = 2020-06-30\n";
        let error = broken("measures_2012.toml", |text| text.replacen(piece, "", 1));
        assert!(error.contains("has a base in act_2020, in force on the same days"), "{error}");
    }

    #[test]
    fn a_folder_without_all_its_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = format!("{:?}", load(folder.path()).unwrap_err());
        for name in ["holidays.toml", "rows.toml"] {
            assert!(error.contains(&format!("{name}:1: : is missing")), "{error}");
        }
        let error = load(&folder.path().join("none")).unwrap_err();
        assert_eq!(error.exit(), crate::cli::error::Exit::Usage);
    }
}

//! What every command takes: where the hub's folder and the profile are, and how to print.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use xianjie_core::ids::{AgencyCode, Time};

use super::error::CliError;
use crate::client::profile::Profile;
use crate::client::{Client, ConnectError, Trust};
use crate::clock::{Clock, FileClock, SystemClock};

/// The configuration's name in the folder where a command runs.
const CONFIG: &str = "xianjie.toml";

/// Options of every command.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Everywhere 通用选项")]
pub struct Globals {
    /// Configuration of the hub; else that in --folder, $XIANJIE_CONFIG, ./xianjie.toml (平台配置文件)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the hub; else that of --config, $XIANJIE_FOLDER, . (平台目录)
    #[arg(long, global = true, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Act under the profile NAME of the folder (以该名称的配置身份操作)
    #[arg(long = "as", global = true, value_name = "NAME", conflicts_with = "profile")]
    acting_as: Option<String>,
    /// Act under the profile in DIR (配置身份目录)
    #[arg(long, global = true, value_name = "DIR")]
    profile: Option<PathBuf>,
    /// Print JSON for programs: one value a line; errors too, on standard error (输出 JSON)
    #[arg(long, global = true)]
    json: bool,
    /// In which language to print; errors too (输出语言)
    #[arg(long, global = true, value_enum, default_value_t)]
    lang: Lang,
    /// A clock in a file, for the demonstration alone.
    #[arg(long, global = true, value_name = "FILE", hide = true)]
    clock: Option<PathBuf>,
}

/// The languages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// English and Chinese.
    #[default]
    Both,
    /// English.
    En,
    /// Chinese (中文).
    Zh,
}

impl Globals {
    /// Those of a command line that can't be read, but for whether it asks for JSON.
    pub(super) fn of_json(json: bool) -> Self {
        Self { json, ..Self::default() }
    }

    /// Those of a command in a language.
    #[cfg(test)]
    pub(super) fn speaking(lang: Lang) -> Self {
        Self { lang, ..Self::default() }
    }

    /// The configuration file of the hub. What is given on the command line comes before the
    /// environment, and a folder stands for the configuration in it.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        let in_folder = |folder: PathBuf| folder.join(CONFIG);
        self.config
            .clone()
            .or_else(|| self.folder.clone().map(in_folder))
            .or_else(|| variable("XIANJIE_CONFIG"))
            .or_else(|| variable("XIANJIE_FOLDER").map(in_folder))
            .unwrap_or_else(|| PathBuf::from(CONFIG))
    }

    /// The folder of the hub.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let around = |config: PathBuf| match config.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        self.folder
            .clone()
            .or_else(|| self.config.clone().map(around))
            .or_else(|| variable("XIANJIE_FOLDER"))
            .or_else(|| variable("XIANJIE_CONFIG").map(around))
            .unwrap_or_else(|| PathBuf::from("."))
    }

    /// The folder of the profile.
    ///
    /// # Errors
    /// None is named.
    pub fn profile_folder(&self) -> Result<PathBuf, CliError> {
        match (&self.profile, &self.acting_as) {
            (Some(folder), _) => Ok(folder.clone()),
            (None, Some(name)) if name.parse::<AgencyCode>().is_err() => Err(CliError::usage(
                "--as takes the name of a profile: a-z, 0-9 and hyphens",
                "--as 须为配置身份名称，只能含 a-z、0-9 和连字符",
            )),
            (None, Some(name)) => Ok(self.folder().join("profiles").join(name)),
            (None, None) => Err(CliError::usage("who is acting?", "请指明以谁的身份操作").help(
                "give --as NAME (a folder below profiles/) or --profile DIR",
                "请用 --as 名称（profiles/ 下的目录）或 --profile 目录",
            )),
        }
    }

    /// The profile.
    ///
    /// # Errors
    /// None is named, or it can't be used.
    pub fn load_profile(&self) -> Result<Profile, CliError> {
        let folder = self.profile_folder()?;
        if !folder.is_dir() {
            let shown = folder.display();
            let error = CliError::usage(
                format!("there is no profile {shown}"),
                format!("没有配置身份 {shown}"),
            );
            return Err(error.help(
                "--as takes the name of a folder in profiles/ of the hub's folder: --folder, \
                 $XIANJIE_FOLDER",
                "--as 须为平台目录（--folder 或 $XIANJIE_FOLDER）下 profiles/ 中的目录名",
            ));
        }
        Ok(Profile::load(&folder)?)
    }

    /// The trust file: the one given, else the profile's, else the folder's `trust.json`.
    ///
    /// # Errors
    /// It can't be used.
    pub fn load_trust(&self, given: Option<&Path>) -> Result<Trust, CliError> {
        if given.is_none() && (self.profile.is_some() || self.acting_as.is_some()) {
            return Ok(self.load_profile()?.trust);
        }
        let path = given.map_or_else(|| self.folder().join("trust.json"), Path::to_owned);
        Trust::load(&path).map_err(|error| CliError::unusable_file(&error))
    }

    /// Connects to the hub under the profile.
    ///
    /// # Errors
    /// No usable profile, or no hub that takes it.
    pub async fn client(&self) -> Result<Client, CliError> {
        Ok(Client::connect(self.load_profile()?, self.clock()).await?)
    }

    /// The same, but where the hub can't be reached now: then what is to be sent is kept in the outbox
    /// first, and the hub is tried again.
    ///
    /// # Errors
    /// No usable profile, or a hub that does not take it.
    pub async fn sending_client(&self) -> Result<Client, CliError> {
        match Client::connect(self.load_profile()?, self.clock()).await {
            Err(error @ ConnectError::Unreachable { .. }) => {
                let words =
                    self.words("the documents are kept and sent later", "文书已保存，稍后发送");
                eprintln!("{error}; {words}");
                Ok(Client::unconnected(self.load_profile()?, self.clock()).await?)
            }
            connected => Ok(connected?),
        }
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        match &self.clock {
            Some(path) => Arc::new(FileClock::new(path.clone())),
            None => Arc::new(SystemClock),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock().now()
    }

    /// Whether to print JSON.
    #[must_use]
    pub fn json(&self) -> bool {
        self.json
    }

    /// In which language to print.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The words in the language asked for.
    #[must_use]
    pub fn words(&self, english: &str, chinese: &str) -> String {
        match self.lang {
            Lang::Both => format!("{english} {chinese}"),
            Lang::En => english.to_owned(),
            Lang::Zh => chinese.to_owned(),
        }
    }

    /// Prints a value as one line of JSON if so asked, else the text.
    pub fn print(&self, value: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        if self.json {
            println!("{}", value());
        } else {
            let text = text();
            println!("{}", text.trim_end_matches('\n'));
        }
    }

    /// Prints values, one a line, as JSON if so asked, else the text of all.
    pub fn print_all<T>(
        &self,
        values: impl Iterator<Item = T>,
        as_json: impl Fn(T) -> Value,
        text: impl FnOnce() -> String,
    ) {
        if self.json {
            values.for_each(|value| println!("{}", as_json(value)));
        } else {
            self.print(|| Value::Null, text);
        }
    }

    /// A progress bar over bytes, or a spinner for a length of 0; hidden with `--json` and where
    /// nobody watches.
    #[must_use]
    pub fn bar(&self, length: u64) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        if length == 0 {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            return bar;
        }
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
        // The template is fixed; without it the bar has another look.
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(length).with_style(style)
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

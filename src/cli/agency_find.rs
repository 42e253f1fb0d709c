//! `xianjie agency find`: the code of the agency that one means.

use xianjie_core::domain::agency::{Agency, Kind, Level};
use xianjie_core::ids::DivisionCode;

use super::agency::spec;
use super::{CliError, Globals};
use crate::client::directory::AgencyFilter;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie agency find 白云
  xianjie agency find --kind procuratorate --place 440111
  xianjie agency find --kind 'basic court' --json";

/// Find agencies by name, kind, level or place (查找单位)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A part of the official name (单位全称的一部分)
    name: Option<String>,
    /// The kind, such as `basic court` (类别)
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// A level at which it acts: county, city, provincial, national (级别)
    #[arg(long, value_parser = level)]
    level: Option<Level>,
    /// The code of a division that it serves (行政区划代码)
    #[arg(long, value_name = "CODE")]
    place: Option<DivisionCode>,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]; also if nothing fits.
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let Args { name, kind, level, place } = args;
    let filter = AgencyFilter { name, kind, level, division: place };
    let found = globals.client().await?.find_agencies(&filter).await?;
    if found.is_empty() {
        return Err(CliError::refused("no agency fits", "没有符合条件的单位"));
    }
    for agency in &found {
        globals.print(|| spec::to_json(agency), || line(agency));
    }
    Ok(())
}

fn line(agency: &Agency) -> String {
    let suspended = if agency.suspended { "  suspended 已停用" } else { "" };
    let serves: Vec<_> = agency.serves.iter().map(DivisionCode::as_str).collect();
    let (kind, level) = (agency.kind.word(), agency.level.word());
    format!(
        "{:<32} {}  ({level} {kind}; {}){suspended}",
        agency.code,
        agency.name,
        serves.join(" ")
    )
}

fn kind(word: &str) -> Result<Kind, String> {
    let known = Kind::WORDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind);
    let words = || Kind::WORDS.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(", ");
    known.ok_or_else(|| format!("want one of: {}", words()))
}

fn level(word: &str) -> Result<Level, String> {
    let known = Level::WORDS.iter().find(|(_, known)| *known == word).map(|(level, _)| *level);
    known.ok_or_else(|| "want county, city, provincial or national".to_owned())
}

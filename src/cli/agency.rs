//! `xianjie agency`: operators register agencies (单位) and change them. `find` is everybody's.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;
use xianjie_core::domain::agency::{Agency, Kind, Level};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{AgencyCode, Digest, DivisionCode, Time};

use super::agency_find;
use super::{CliError, Globals, dates, operating};
use crate::client::directory::AgencyFilter;

mod profile;
pub(super) mod spec;

use spec::Attributes;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie agency add gz-baiyun-court --name 广州市白云区人民法院 --kind 'basic court' \\
      --level county --serves 440111 --supervised-by gz-baiyun-procuratorate \\
      --profile-out profiles
  xianjie agency add --file agencies.toml
  xianjie agency list --kind police --division 440111
  xianjie agency suspend gz-baiyun-court
  xianjie agency succeed gz-old-court --by gz-new-court

A file has one table [[agency]] each, with the options' names as keys (下划线代替连字符):
  [[agency]]
  code = \"gz-baiyun-court\"
  name = \"广州市白云区人民法院\"
  kind = \"basic court\"
  level = \"county\"
  serves = [\"440111\"]";

/// Agencies in the directory: find, list, and for operators add and change (单位名录).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find agencies by name, kind, level or place (查找单位)
    Find(agency_find::Args),
    /// Add agencies, or change them: what is not given is empty afterwards (登记或变更单位)
    #[command(after_help = "\
Examples 示例:
  xianjie agency add --file agencies.toml --profile-out profiles --as first
  xianjie agency add gz-baiyun-court --name 广州市白云区人民法院 --kind 'basic court' \\
      --level county --serves 440111 --profile-out profiles --as first")]
    Add(Box<Add>),
    /// All agencies, with filters (单位目录)
    #[command(after_help = "\
Examples 示例:
  xianjie agency list --as first
  xianjie agency list --kind police --division 440111 --as gz-baiyun-court --json")]
    List {
        /// Only of this kind (类别)
        #[arg(long, value_parser = spec::kind)]
        kind: Option<Kind>,
        /// Only those that act at this level (级别)
        #[arg(long, value_parser = spec::level)]
        level: Option<Level>,
        /// Only those that serve this division (行政区划代码)
        #[arg(long)]
        division: Option<DivisionCode>,
    },
    /// One agency with its certificates (查看单位)
    #[command(after_help = "\
Examples 示例:
  xianjie agency show gz-baiyun-court --as first")]
    Show {
        /// Its code (单位代码)
        code: AgencyCode,
    },
    /// Suspend agencies: they submit nothing, their inboxes go on filling (停用)
    #[command(after_help = "\
Examples 示例:
  xianjie agency suspend gz-baiyun-court --as first")]
    Suspend {
        /// Their codes (单位代码)
        #[arg(required = true)]
        codes: Vec<AgencyCode>,
    },
    /// Let suspended agencies take part again (恢复)
    #[command(after_help = "\
Examples 示例:
  xianjie agency resume gz-baiyun-court --as first")]
    Resume {
        /// Their codes (单位代码)
        #[arg(required = true)]
        codes: Vec<AgencyCode>,
    },
    /// Pass an agency's routing, custody, duties and inbox to its successor, for good (合并、撤销)
    #[command(after_help = "\
Examples 示例:
  xianjie agency succeed gz-old-court --by gz-new-court --as first")]
    Succeed {
        /// The agency that ends (被撤并单位)
        code: AgencyCode,
        /// Its successor (承继单位)
        #[arg(long)]
        by: AgencyCode,
    },
    /// Register a signing certificate of an agency (登记签名证书)
    #[command(after_help = "\
Examples 示例:
  xianjie agency register gz-baiyun-court --document new.crt --as first
  xianjie agency register gz-baiyun-court --acknowledgement ack.crt --label 2027 --as first")]
    Register(Register),
    /// Revoke a signing certificate, at once (吊销签名证书)
    #[command(after_help = "\
Examples 示例:
  xianjie agency show gz-baiyun-court --as first        its certificates with their digests
  xianjie agency revoke abababababababababababababababababababababababababababababababab --as first")]
    Revoke {
        /// SHA-256 of the certificate; `agency show` prints it (证书摘要)
        #[arg(value_parser = digest)]
        certificate: Digest,
        /// Since when its key may have been in other hands (可能泄露的起始日期)
        #[arg(long, value_parser = dates::day)]
        compromised_since: Option<Time>,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Its code: assigned by you, opaque, never reused (单位代码)
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    code: Option<AgencyCode>,
    #[command(flatten)]
    attributes: Attributes,
    /// A TOML or JSON file with many agencies (批量文件)
    #[arg(long)]
    file: Option<PathBuf>,
    #[command(flatten)]
    profile: profile::Options,
}

#[derive(Debug, clap::Args)]
struct Register {
    /// The agency (单位代码)
    code: AgencyCode,
    /// A certificate that signs documents (文书签名证书)
    #[arg(long, required_unless_present = "acknowledgement")]
    document: Option<PathBuf>,
    /// A certificate that signs acknowledgements (签收签名证书)
    #[arg(long)]
    acknowledgement: Option<PathBuf>,
    /// A word by which people tell it from others (标签)
    #[arg(long, default_value = "")]
    label: String,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    match args.command {
        Command::Find(args) => agency_find::run(args, globals).await,
        Command::Add(add) => self::add(*add, globals).await,
        Command::List { kind, level, division } => {
            let filter = AgencyFilter { name: None, kind, level, division };
            let client = globals.client().await?;
            for agency in client.find_agencies(&filter).await? {
                globals.print(|| spec::to_json(&agency), || line(&agency));
            }
            Ok(())
        }
        Command::Show { code } => show(&code, globals).await,
        Command::Suspend { codes } => suspend(codes, true, globals).await,
        Command::Resume { codes } => suspend(codes, false, globals).await,
        Command::Succeed { code, by } => succeed(&code, by, globals).await,
        Command::Register(register) => self::register(register, globals).await,
        Command::Revoke { certificate, compromised_since } => {
            let client = globals.client().await?;
            let revoke = Change::RevokeCertificate { digest: certificate, compromised_since };
            operating::change(&client, &[revoke], globals).await
        }
    }
}

async fn add(add: Add, globals: &Globals) -> Result<(), CliError> {
    let client = globals.client().await?;
    let now = operating::hub_time(&client);
    let agencies = match (add.code, &add.file) {
        (Some(code), _) => vec![add.attributes.agency(code, now)?],
        (None, Some(file)) => spec::read(file, now)?,
        (None, None) => return Err(CliError::usage("which agency?", "请指明单位")),
    };
    let agencies = spec::linked_first(agencies);
    let mut changes: Vec<_> =
        agencies.iter().map(|agency| Change::PutAgency(Box::new(agency.clone()))).collect();
    let made = match add.profile.folder() {
        Some(folder) => profile::make_all(&agencies, folder, &add.profile, globals, now)?,
        None => Vec::new(),
    };
    changes.extend(made.iter().flat_map(|profile| profile.changes.clone()));
    operating::change(&client, &changes, globals).await?;
    for agency in &agencies {
        let words = globals.words("agency", "单位");
        globals.print(
            || spec::to_json(agency),
            || format!("{words}: {} {}", agency.code, agency.name),
        );
    }
    for profile in &made {
        let words = globals.words("profile", "客户端配置");
        globals.print(
            || json!({ "profile": profile.folder }),
            || format!("{words}: {}", profile.folder.display()),
        );
    }
    Ok(())
}

async fn show(code: &AgencyCode, globals: &Globals) -> Result<(), CliError> {
    let client = globals.client().await?;
    let agency = operating::agency(&client, code).await?;
    let (certificates, now) =
        (client.agency_certificates(code).await?, operating::hub_time(&client));
    let as_json = || {
        let mut value = spec::to_json(&agency);
        let certificates = certificates.iter().map(|c| operating::certificate_json(c, now));
        value["certificates"] = certificates.collect();
        value
    };
    globals.print(as_json, || {
        let lines = certificates.iter().map(|c| operating::certificate_line(c, now));
        let lines: String = lines.map(|line| format!("  {line}")).collect();
        format!("{}{lines}", spec::describe(&agency))
    });
    Ok(())
}

async fn suspend(
    codes: Vec<AgencyCode>,
    suspended: bool,
    globals: &Globals,
) -> Result<(), CliError> {
    let client = globals.client().await?;
    let changes: Vec<_> =
        codes.into_iter().map(|code| Change::SuspendAgency(code, suspended)).collect();
    operating::change(&client, &changes, globals).await
}

async fn succeed(code: &AgencyCode, by: AgencyCode, globals: &Globals) -> Result<(), CliError> {
    let client = globals.client().await?;
    operating::agency(&client, &by).await?;
    let agency = operating::agency(&client, code).await?;
    let agency = Agency { successor: Some(by), ..agency };
    operating::change(&client, &[Change::PutAgency(Box::new(agency))], globals).await
}

async fn register(register: Register, globals: &Globals) -> Result<(), CliError> {
    use xianjie_core::domain::agency::Purpose;
    let (code, label) = (register.code, register.label);
    let document = register.document.map(|path| (path, Purpose::Document(code.clone())));
    let acknowledgement =
        register.acknowledgement.map(|path| (path, Purpose::Acknowledgement(code)));
    let certificates = document.into_iter().chain(acknowledgement);
    let changes = certificates.map(|(path, purpose)| {
        let certificate = operating::certificate(&path, purpose, &label)?;
        Ok(Change::RegisterCertificate(Box::new(certificate)))
    });
    let changes = changes.collect::<Result<Vec<_>, CliError>>()?;
    operating::change(&globals.client().await?, &changes, globals).await
}

fn line(agency: &Agency) -> String {
    let mut text = format!("{}  {}  {}", agency.code, agency.name, agency.kind.word());
    // Writing to a string can't fail.
    let _ = write!(text, " ({})", agency.level.word());
    if let Some(successor) = &agency.successor {
        let _ = write!(text, "  → {successor}");
    }
    text.push_str(if agency.suspended { "  suspended 停用\n" } else { "\n" });
    text
}

fn digest(text: &str) -> Result<Digest, String> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).map_err(|_| "want 64 hexadecimal digits".to_owned())?;
    Ok(Digest(digest))
}

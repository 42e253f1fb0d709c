//! `xianjie system`: operators register what connects (接入系统): a client certificate, and the agencies
//! that it carries with which rights.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};
use xianjie_core::domain::agency::{Certificate, Purpose, Right, System};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{AgencyCode, SystemCode, Time};

use super::{CliError, Globals, operating};
use crate::client::registry::RegisteredSystem;

const EXAMPLES: &str = "\
Examples 示例:
  xianjie system add gz-court-system --name 广州法院案件系统 --certificate transport.crt \\
      --carries gz-baiyun-court --carries gz-liwan-court=submit,receive
  xianjie system grant gz-court-system --carries gz-yuexiu-court
  xianjie system rotate gz-court-system --certificate new.crt      both are in force now
  xianjie system rotate gz-court-system --finish                   the old ones are revoked
  xianjie system suspend gz-court-system

Rights: submit, receive, acknowledge, supervise, query; all five if none is named (权限，默认全部).";

/// Connecting systems: what they carry, and their certificates (接入系统).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a system, or change it: what is not given is empty afterwards (登记或变更)
    #[command(after_help = "\
Examples 示例:
  xianjie system add gz-court-system --name 广州法院案件系统 --certificate transport.crt \\
      --carries gz-baiyun-court --carries gz-liwan-court=submit,receive --as first")]
    Add(Add),
    /// All systems (目录)
    #[command(after_help = "\
Examples 示例:
  xianjie system list --as first
  xianjie system list --as first --json")]
    List,
    /// One system with its certificates (查看)
    #[command(after_help = "\
Examples 示例:
  xianjie system show gz-court-system --as first")]
    Show {
        /// Its code (接入系统代码)
        code: SystemCode,
    },
    /// Suspend systems: their connections are cut at once (停用)
    #[command(after_help = "\
Examples 示例:
  xianjie system suspend gz-court-system --as first")]
    Suspend {
        /// Their codes (接入系统代码)
        #[arg(required = true)]
        codes: Vec<SystemCode>,
    },
    /// Let suspended systems connect again (恢复)
    #[command(after_help = "\
Examples 示例:
  xianjie system resume gz-court-system --as first")]
    Resume {
        /// Their codes (接入系统代码)
        #[arg(required = true)]
        codes: Vec<SystemCode>,
    },
    /// Let a system carry further agencies, or with other rights (授权)
    #[command(after_help = "\
Examples 示例:
  xianjie system grant gz-court-system --carries gz-yuexiu-court --as first
  xianjie system grant gz-court-system --carries gz-liwan-court= --as first")]
    Grant {
        /// Its code (接入系统代码)
        code: SystemCode,
        /// An agency with rights; `=` alone takes it away (单位与权限)
        #[arg(long, value_name = "AGENCY[=RIGHT,…]", required = true, value_parser = carried)]
        carries: Vec<Carried>,
    },
    /// Change certificates with overlap: first the new one, then an end of the old (轮换证书)
    #[command(after_help = "\
Examples 示例:
  xianjie system rotate gz-court-system --certificate new.crt --as first
  xianjie system rotate gz-court-system --finish --as first")]
    Rotate(Rotate),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Its code: assigned by you, opaque, never reused (接入系统代码)
    code: SystemCode,
    /// What it is called (名称)
    #[arg(long)]
    name: String,
    /// An agency that it carries, with rights; may be repeated (代办单位与权限)
    #[arg(long, value_name = "AGENCY[=RIGHT,…]", value_parser = carried)]
    carries: Vec<Carried>,
    /// It is a gateway for many agencies: 1,024 streams a connection (多单位网关)
    #[arg(long)]
    gateway: bool,
    /// Its client certificate, to be registered (接入证书)
    #[arg(long)]
    certificate: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Rotate {
    /// Its code (接入系统代码)
    code: SystemCode,
    /// The new client certificate (新证书)
    #[arg(long, required_unless_present = "finish")]
    certificate: Option<PathBuf>,
    /// Revoke all certificates of the system but the newest (吊销旧证书)
    #[arg(long)]
    finish: bool,
    /// A word by which people tell certificates apart (标签)
    #[arg(long, default_value = "")]
    label: String,
}

/// An agency that a system carries, and with which rights.
type Carried = (AgencyCode, BTreeSet<Right>);

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let client = globals.client().await?;
    let changes = match args.command {
        Command::List => {
            for registered in client.registered_systems().await? {
                globals.print(|| system_json(&registered.system), || line(&registered.system));
            }
            return Ok(());
        }
        Command::Show { code } => {
            let registered = operating::system(&client, &code).await?;
            let now = operating::hub_time(&client);
            globals.print(|| to_json(&registered, now), || describe(&registered, now));
            return Ok(());
        }
        Command::Add(add) => self::add(add)?,
        Command::Suspend { codes } => suspend(codes, true),
        Command::Resume { codes } => suspend(codes, false),
        Command::Grant { code, carries } => {
            let system = operating::system(&client, &code).await?.system;
            vec![Change::PutSystem(Box::new(granted(system, carries)))]
        }
        Command::Rotate(rotate) => {
            let registered = operating::system(&client, &rotate.code).await?;
            self::rotate(&rotate, &registered, operating::hub_time(&client))?
        }
    };
    operating::change(&client, &changes, globals).await
}

fn add(add: Add) -> Result<Vec<Change>, CliError> {
    let certificate = add
        .certificate
        .map(|path| operating::certificate(&path, Purpose::Transport(add.code.clone()), ""));
    let system = System {
        code: add.code,
        name: add.name,
        agencies: add.carries.into_iter().collect(),
        gateway: add.gateway,
        suspended: false,
    };
    let mut changes = vec![Change::PutSystem(Box::new(system))];
    if let Some(certificate) = certificate.transpose()? {
        changes.push(Change::RegisterCertificate(Box::new(certificate)));
    }
    Ok(changes)
}

fn suspend(codes: Vec<SystemCode>, suspended: bool) -> Vec<Change> {
    codes.into_iter().map(|code| Change::SuspendSystem(code, suspended)).collect()
}

fn granted(mut system: System, carries: Vec<Carried>) -> System {
    for (agency, rights) in carries {
        if rights.is_empty() {
            system.agencies.remove(&agency);
        } else {
            system.agencies.insert(agency, rights);
        }
    }
    system
}

fn rotate(
    rotate: &Rotate,
    registered: &RegisteredSystem,
    now: Time,
) -> Result<Vec<Change>, CliError> {
    let mut changes = Vec::new();
    let purpose = Purpose::Transport(rotate.code.clone());
    let new = rotate
        .certificate
        .as_ref()
        .map(|path| operating::certificate(path, purpose, &rotate.label));
    let new = new.transpose()?;
    let live = registered.certificates.iter().filter(|certificate| certificate.is_live(now));
    let mut live: Vec<&Certificate> = live.collect();
    live.sort_by_key(|certificate| (certificate.binding, certificate.valid_from));
    if new.is_none() {
        // The newest stays in force.
        live.pop();
        if live.is_empty() {
            return Err(CliError::usage(
                "the system has no older certificate in force: register a new one first",
                "没有仍有效的旧证书；请先登记新证书",
            ));
        }
    }
    changes.extend(new.map(|certificate| Change::RegisterCertificate(Box::new(certificate))));
    if rotate.finish {
        changes.extend(live.iter().map(|certificate| Change::RevokeCertificate {
            digest: certificate.digest,
            compromised_since: None,
        }));
    }
    Ok(changes)
}

fn line(system: &System) -> String {
    let gateway = if system.gateway { "  gateway 网关" } else { "" };
    let suspended = if system.suspended { "  suspended 停用" } else { "" };
    let (code, name, count) = (&system.code, &system.name, system.agencies.len());
    format!("{code}  {name}  {count} agencies 个单位{gateway}{suspended}\n")
}

fn describe(registered: &RegisteredSystem, now: Time) -> String {
    let mut text = line(&registered.system);
    for (agency, rights) in &registered.system.agencies {
        // Writing to a string can't fail.
        let _ = writeln!(text, "  carries 代办 {agency}: {}", words(rights).join(", "));
    }
    for certificate in &registered.certificates {
        let _ = write!(text, "  {}", operating::certificate_line(certificate, now));
    }
    text
}

fn words(rights: &BTreeSet<Right>) -> Vec<&'static str> {
    let held = Right::WORDS.iter().filter(|(right, _)| rights.contains(right));
    held.map(|(_, word)| *word).collect()
}

fn system_json(system: &System) -> Value {
    let carries = system.agencies.iter();
    json!({
        "code": system.code.as_str(),
        "name": system.name,
        "carries": carries
            .map(|(agency, rights)| (agency.to_string(), words(rights)))
            .collect::<BTreeMap<_, _>>(),
        "gateway": system.gateway,
        "suspended": system.suspended,
    })
}

fn to_json(registered: &RegisteredSystem, now: Time) -> Value {
    let mut value = system_json(&registered.system);
    let certificates = registered.certificates.iter();
    value["certificates"] =
        certificates.map(|certificate| operating::certificate_json(certificate, now)).collect();
    value
}

/// `AGENCY` with all rights, `AGENCY=RIGHT,RIGHT`, or `AGENCY=` with none.
fn carried(text: &str) -> Result<Carried, String> {
    let (agency, rights) =
        text.split_once('=').unwrap_or((text, "submit,receive,acknowledge,supervise"));
    let agency: AgencyCode =
        agency.parse().map_err(|error| format!("the agency's code {error}"))?;
    let rights = rights.split(',').filter(|word| !word.is_empty()).map(|word| {
        let known = Right::WORDS.iter().find(|(_, known)| *known == word);
        known.map(|(right, _)| *right).ok_or_else(|| {
            let words: Vec<_> = Right::WORDS.iter().map(|(_, word)| *word).collect();
            format!("`{word}` is no right, want some of: {}", words.join(", "))
        })
    });
    Ok((agency, rights.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests;

//! `xianjie pki`: a small certificate authority for those who have none. It registers nothing: a
//! certificate opens nothing until the directory (名录) knows it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use rustls_pki_types::{ServerName, UnixTime};
use serde_json::{Value, json};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};
use xianjie_core::ids::Time;

use super::error::chain;
use super::issuing::{DAYS, Issuing, Period, save};
use super::{CliError, Globals, dates};
use crate::identity::files::{self, LoadError};
use crate::identity::pki::{PkiError, Purpose, Serial};
use crate::identity::signature::{Algorithm, UnknownAlgorithm};

const EXAMPLES: &str = "\
Examples 示例:
  xianjie pki authority --name 'Guangdong pilot'
  xianjie pki issue --purpose transport --code gz-baiyun-court --out keys
  xianjie pki issue --purpose server --server-name hub.example.cn --server-name 10.1.2.3 --out keys
  xianjie pki revoke --certificate keys/transport.crt
  xianjie pki list";

/// Certificates: an authority of one's own, issuing, revoking (证书颁发、吊销).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// Folder of the authority's certificate and key; `ca` in the hub's folder if not given
    /// (颁发机构目录)
    #[arg(long, global = true, value_name = "DIR")]
    authority: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an authority (新建颁发机构)
    #[command(after_help = "\
Examples 示例:
  xianjie pki authority --name 'Guangdong pilot'
  xianjie pki authority --name 'Guangdong pilot' --authority ca2 --days 3650")]
    Authority {
        /// Its name in every certificate that it issues (名称)
        #[arg(long)]
        name: String,
        /// How many days it is valid (有效天数)
        #[arg(long, default_value_t = 7300)]
        days: u32,
        /// First day of its validity; now if not given (起始日期)
        #[arg(long, value_parser = dates::day)]
        from: Option<Time>,
    },
    /// Issue a certificate with a new key (签发证书)
    #[command(after_help = "\
Examples 示例:
  xianjie pki issue --purpose transport --code gz-baiyun-court --out keys
  xianjie pki issue --purpose document --code gz-baiyun-court --algorithm ed25519 --out keys
  xianjie pki issue --purpose server --server-name hub.example.cn --out keys")]
    Issue(Issue),
    /// Revoke a certificate in the authority's list (吊销)
    #[command(after_help = "\
Examples 示例:
  xianjie pki revoke --certificate keys/transport.crt
  xianjie pki revoke --certificate keys/transport.crt --authority /media/ca \\
      --list /srv/xianjie/ca/clients.crl")]
    Revoke(Revoke),
    /// Print a revocation list (查看吊销列表)
    #[command(after_help = "\
Examples 示例:
  xianjie pki list
  xianjie pki list /srv/xianjie/ca/clients.crl --json")]
    List {
        /// The list; clients.crl in the authority's folder if not given (吊销列表文件)
        list: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
struct Issue {
    /// What it is for (用途)
    #[arg(long)]
    purpose: PurposeWord,
    /// Code of the system (transport) or agency (document, acknowledgement), or the operator's name
    /// (接入系统代码、单位代码或运维人员代号)
    #[arg(long, required_unless_present = "server_name", conflicts_with = "server_name")]
    code: Option<String>,
    /// DNS name or IP address of a server; may be repeated (服务器名称)
    #[arg(long)]
    server_name: Vec<String>,
    /// Where to write the certificate and the key (输出目录)
    #[arg(long)]
    out: PathBuf,
    /// Their file name without extension; the purpose if not given (文件名)
    #[arg(long)]
    stem: Option<String>,
    /// ecdsa-p256-sha256 or ed25519 (算法)
    #[arg(long, default_value = "ecdsa-p256-sha256", value_parser = algorithm)]
    algorithm: Algorithm,
    /// How many days it is valid, at most as long as its authority (有效天数)
    #[arg(long, default_value_t = DAYS)]
    days: u32,
    /// First day of its validity; now if not given (起始日期)
    #[arg(long, value_parser = dates::day)]
    from: Option<Time>,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The certificate (证书文件)
    #[arg(long, required_unless_present = "serial")]
    certificate: Option<PathBuf>,
    /// Its serial number: 32 hexadecimal digits (证书序列号)
    #[arg(long, conflicts_with = "certificate")]
    serial: Option<Serial>,
    /// The list; clients.crl in the authority's folder if not given (吊销列表文件)
    #[arg(long)]
    list: Option<PathBuf>,
    /// How many days until the next list is due (下次更新天数)
    #[arg(long, default_value_t = 30)]
    next_update_days: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PurposeWord {
    /// The hub's TLS (服务器)
    Server,
    /// A system connecting to the hub (接入)
    Transport,
    /// An agency signing documents (文书签名)
    Document,
    /// An agency signing acknowledgements (签收签名)
    Acknowledgement,
    /// An operator of the hub (运维)
    Operator,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    let folder = args.authority.unwrap_or_else(|| globals.folder().join("ca"));
    let now = globals.now();
    match args.command {
        Command::Authority { name, days, from } => {
            Issuing::create(&folder, &name, Period::days(from, days, now))?;
            globals.print(
                || json!({ "authority": folder }),
                || {
                    let made = globals.words("authority", "颁发机构");
                    let offline = globals.words(
                        "Keep its key offline, and bring it only to issue and to revoke.",
                        "私钥请离线保管，仅在签发、吊销时取用。",
                    );
                    format!("{made}: {}\n{offline}", folder.display())
                },
            );
            Ok(())
        }
        Command::Issue(issue) => self::issue(issue, &folder, now, globals),
        Command::Revoke(revoke) => self::revoke(revoke, &folder, now, globals),
        Command::List { list } => {
            let list = read_list(&list.unwrap_or_else(|| list_path(&folder)))?;
            globals.print(|| list.to_json(), || describe(&list));
            Ok(())
        }
    }
}

fn issue(issue: Issue, folder: &Path, now: Time, globals: &Globals) -> Result<(), CliError> {
    let issuing = Issuing::load(folder)?;
    let purpose = purpose(&issue)?;
    let period = Period::days(issue.from, issue.days, now);
    let issued = issuing.issue(&purpose, issue.algorithm, period)?;
    let stem = match (&issue.stem, issue.purpose.to_possible_value()) {
        (Some(stem), _) => stem.clone(),
        (None, word) => word.map_or_else(String::new, |word| word.get_name().to_owned()),
    };
    let certificate = save(&issued, &issue.out, &stem)?;
    let (key, sha256) = (certificate.with_extension("key"), hex::encode(issued.sha256));
    globals.print(
        || json!({ "certificate": certificate, "key": key, "sha256": sha256 }),
        || {
            let (made, private) =
                (globals.words("certificate", "证书"), globals.words("key", "私钥"));
            format!(
                "{made}: {}\n{private} (0600): {}\nsha256: {sha256}",
                certificate.display(),
                key.display()
            )
        },
    );
    Ok(())
}

fn purpose(issue: &Issue) -> Result<Purpose, CliError> {
    let code = issue.code.clone();
    let need = |made: fn(String) -> Purpose| {
        code.map(made)
            .ok_or_else(|| CliError::usage("this purpose needs --code", "该用途须指明 --code"))
    };
    match issue.purpose {
        PurposeWord::Server => {
            let names = issue.server_name.iter().map(|name| {
                ServerName::try_from(name.clone()).map_err(|_| {
                    CliError::usage(
                        format!("{name} is neither a DNS name nor an IP address"),
                        format!("{name} 不是域名或 IP 地址"),
                    )
                })
            });
            Ok(Purpose::Server(names.collect::<Result<_, _>>()?))
        }
        PurposeWord::Transport => need(Purpose::Transport),
        PurposeWord::Document => need(Purpose::Document),
        PurposeWord::Acknowledgement => need(Purpose::Acknowledgement),
        PurposeWord::Operator => need(Purpose::Operator),
    }
}

fn revoke(revoke: Revoke, folder: &Path, now: Time, globals: &Globals) -> Result<(), CliError> {
    let issuing = Issuing::load(folder)?;
    let serial = match (&revoke.certificate, revoke.serial) {
        (Some(path), _) => {
            let serial = files::load_public(path, |pem| issuing.authority().serial_of(pem));
            serial.map_err(|error| not_issued(path, folder, &error))?
        }
        (None, Some(serial)) => serial,
        (None, None) => return Err(CliError::usage("which certificate?", "请指明证书")),
    };
    let path = revoke.list.unwrap_or_else(|| list_path(folder));
    let mut revoked = if path.exists() { read_list(&path)?.revoked } else { Vec::new() };
    let is_new = revoked.iter().all(|(known, _)| *known != serial);
    if is_new {
        revoked.push((serial, dates::unix_time(now)));
        let next = dates::unix_time(dates::days_after(now, revoke.next_update_days));
        let list = issuing.authority().revocation_list(&revoked, dates::unix_time(now), next);
        let list = list.map_err(|error| CliError::internal(&error))?;
        files::write_public(&path, &list).map_err(|error| CliError::internal(&error))?;
    }
    globals.print(
        || json!({ "revoked": serial.to_string(), "list": path, "new": is_new }),
        || match is_new {
            false => format!("{serial}: {}", globals.words("it is revoked already", "此前已吊销")),
            true => format!(
                "{}: {serial}\n{}: {}\n{}",
                globals.words("revoked", "已吊销"),
                globals.words("list", "吊销列表"),
                path.display(),
                globals.words(
                    "A hub whose `revocation_list` is this file lets it in no more, ten seconds \
                     from now at the latest;\nconnections that stand are cut by `xianjie system \
                     rotate` or `suspend`.",
                    "以此文件为 revocation_list 的平台最迟十秒后不再接受该证书；\
                     已建立的连接用 xianjie system rotate 或 suspend 切断。",
                ),
            ),
        },
    );
    Ok(())
}

/// What a revocation list says.
pub(super) struct List {
    issuer: String,
    this_update: Time,
    /// When the next one is due.
    pub(super) next_update: Option<Time>,
    revoked: Vec<(Serial, UnixTime)>,
}

impl List {
    fn to_json(&self) -> Value {
        let date = |time: Time| dates::date_of(time).to_string();
        let revoked = self.revoked.iter().map(|(serial, time)| {
            json!({ "serial": serial.to_string(), "date": date(dates::time(*time)) })
        });
        json!({
            "issuer": self.issuer,
            "issued": date(self.this_update),
            "next_due": self.next_update.map(date),
            "revoked": revoked.collect::<Vec<_>>(),
        })
    }
}

fn list_path(folder: &Path) -> PathBuf {
    folder.join("clients.crl")
}

/// Reads one list of this kind of authority.
pub(super) fn read_list(path: &Path) -> Result<List, CliError> {
    let lists = files::load_public(path, files::revocation_lists);
    let lists = lists.map_err(|error| unusable(path, &error))?;
    let broken = || {
        let path = path.display();
        CliError::usage(
            format!("{path} is not one revocation list of this kind of authority"),
            format!("{path} 不是此类颁发机构的一份吊销列表"),
        )
    };
    let [der] = lists.as_slice() else { return Err(broken()) };
    let (_, list) = CertificateRevocationList::from_der(der).map_err(|_| broken())?;
    let seconds = |time: x509_parser::time::ASN1Time| Time(time.timestamp().saturating_mul(1000));
    let revoked = list.iter_revoked_certificates().map(|entry| {
        let serial = hex::encode(entry.raw_serial()).parse().map_err(|_| broken())?;
        Ok((serial, dates::unix_time(seconds(entry.revocation_date))))
    });
    Ok(List {
        issuer: list.issuer().to_string(),
        this_update: seconds(list.last_update()),
        next_update: list.next_update().map(seconds),
        revoked: revoked.collect::<Result<_, CliError>>()?,
    })
}

fn describe(list: &List) -> String {
    let mut text = format!("issuer 颁发机构: {}\n", list.issuer);
    let next = list.next_update.map(|time| dates::date_of(time).to_string());
    // Writing to a string can't fail.
    let _ = writeln!(text, "issued 签发: {}", dates::date_of(list.this_update));
    let _ = writeln!(text, "next due 下次更新: {}", next.as_deref().unwrap_or("-"));
    let _ = writeln!(text, "revoked 已吊销: {}", list.revoked.len());
    for (serial, time) in &list.revoked {
        let _ = writeln!(text, "  {serial}  {}", dates::date_of(dates::time(*time)));
    }
    text
}

fn not_issued(path: &Path, folder: &Path, error: &LoadError<PkiError>) -> CliError {
    let LoadError::Content { source: PkiError::Foreign, .. } = error else {
        return unusable(path, error);
    };
    let (path, folder) = (path.display(), folder.display());
    CliError::usage(
        format!("the authority in {folder} did not issue {path}"),
        format!("{path} 不是 {folder} 中的颁发机构签发的"),
    )
    .help(
        "revoke it by the authority that issued it, or in the directory: `xianjie system rotate`",
        "请由签发该证书的机构吊销，或在名录中吊销：xianjie system rotate",
    )
}

fn unusable(path: &Path, error: &dyn std::error::Error) -> CliError {
    let (path, cause) = (path.display(), chain(error));
    CliError::usage(format!("can't use {path}: {cause}"), format!("无法使用 {path}：{cause}"))
}

fn algorithm(name: &str) -> Result<Algorithm, UnknownAlgorithm> {
    name.parse()
}

#[cfg(test)]
mod tests;

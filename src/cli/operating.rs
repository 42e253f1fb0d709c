//! What the operators' commands share: reading the directory before it is changed, and changing it.

use std::path::Path;

use serde_json::{Value, json};
use xianjie_core::domain::agency::{Agency, Certificate, Purpose};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{AgencyCode, Digest, LedgerIndex, SystemCode, Time};
use xianjie_core::limits;

use super::error::chain;
use super::{CliError, Globals, dates};
use crate::client::registry::RegisteredSystem;
use crate::client::{Client, Silent};
use crate::identity::files;
use crate::identity::peer::{PeerCertificate, PeerError, SubjectUri};

/// Signs the changes as the profile's operator and sends them until they are in the ledger. More
/// than one statement holds are sent as several, in order.
pub(super) async fn change(
    client: &Client,
    changes: &[Change],
    globals: &Globals,
) -> Result<(), CliError> {
    for part in changes.chunks(limits::DIRECTORY_CHANGES) {
        let (index, count) =
            (client.change_directory(part, &Silent).await?.receipt.index, part.len());
        let record = globals.words("record", "账本记录");
        let changes = globals.words("changes", "项变更");
        globals.print(
            || json!({ "record": index, "changes": count }),
            || format!("{record} {index}: {count} {changes}"),
        );
    }
    Ok(())
}

/// The hub's time when it was connected to; this machine's, if it did not tell.
pub(super) fn hub_time(client: &Client) -> Time {
    client.hub().hub_time.unwrap_or_else(|| client.now())
}

/// The agency of a code, or an error that says that there is none.
pub(super) async fn agency(client: &Client, code: &AgencyCode) -> Result<Agency, CliError> {
    client.registered_agency(code).await?.ok_or_else(|| {
        CliError::usage(
            format!("the directory has no agency {code}"),
            format!("名录中没有单位{code}"),
        )
        .help("`xianjie agency list` prints all", "xianjie agency list 列出全部单位")
    })
}

/// The system of a code, or an error that says that there is none.
pub(super) async fn system(
    client: &Client,
    code: &SystemCode,
) -> Result<RegisteredSystem, CliError> {
    let systems = client.registered_systems().await?;
    systems.into_iter().find(|registered| registered.system.code == *code).ok_or_else(|| {
        CliError::usage(
            format!("the directory has no system {code}"),
            format!("名录中没有接入系统{code}"),
        )
        .help("`xianjie system list` prints all", "xianjie system list 列出全部接入系统")
    })
}

/// Reads a certificate that is to be registered: valid as long as it says itself. A name in it must
/// be that of its holder.
pub(super) fn certificate(
    path: &Path,
    purpose: Purpose,
    label: &str,
) -> Result<Certificate, CliError> {
    let read = |pem: &str| {
        let der = files::first_certificate(pem).map_err(|_| PeerError::Malformed)?;
        PeerCertificate::from_der(&der)
    };
    let unusable = |cause: String| {
        let path = path.display();
        CliError::usage(
            format!("can't register {path}: {cause}"),
            format!("无法登记 {path}：{cause}"),
        )
    };
    let peer = files::load_public(path, read).map_err(|error| unusable(chain(&error)))?;
    let fits = match (&purpose, &peer.san_uri) {
        (_, None) => true,
        (Purpose::Transport(code), Some(SubjectUri::System(name))) => code.as_str() == name,
        (
            Purpose::Document(code) | Purpose::Acknowledgement(code),
            Some(SubjectUri::Agency(name)),
        ) => code.as_str() == name,
        (Purpose::Operator(code), Some(SubjectUri::Operator(name))) => code.as_str() == name,
        _ => false,
    };
    let usable = match &purpose {
        Purpose::Transport(_) => peer.usages.tls_client,
        Purpose::Document(_) | Purpose::Acknowledgement(_) => peer.usages.signing,
        Purpose::Operator(_) => peer.usages.tls_client && peer.usages.signing,
    };
    if !fits {
        return Err(unusable("it names another holder (证书名称与持有者不符)".to_owned()));
    }
    if !usable {
        return Err(unusable("its key usages do not allow this purpose (密钥用途不符)".to_owned()));
    }
    Ok(Certificate {
        digest: Digest(peer.sha256),
        purpose,
        label: label.to_owned(),
        der: peer.der,
        valid_from: dates::time(peer.not_before),
        // The certificate's last second is still in it.
        valid_until: Time(dates::time(peer.not_after).0.saturating_add(1000)),
        binding: LedgerIndex(0),
        revoked: None,
    })
}

/// Where a certificate stands, in English and Chinese.
fn standing(certificate: &Certificate, now: Time) -> (&'static str, &'static str) {
    match certificate.revoked {
        Some(_) => ("revoked", "已吊销"),
        None if certificate.is_live(now) => ("in force", "有效"),
        None if now < certificate.valid_from => ("not yet", "未生效"),
        None => ("expired", "已过期"),
    }
}

/// What a certificate is for, in English and Chinese, and whose it is.
fn purpose(certificate: &Certificate) -> (&'static str, &'static str, &str) {
    match &certificate.purpose {
        Purpose::Transport(code) => ("transport", "接入", code.as_str()),
        Purpose::Document(code) => ("document", "文书签名", code.as_str()),
        Purpose::Acknowledgement(code) => ("acknowledgement", "签收签名", code.as_str()),
        Purpose::Operator(name) => ("operator", "运维", name.as_str()),
    }
}

/// The last instant at which a certificate counts.
fn last_instant(certificate: &Certificate) -> Time {
    Time(certificate.valid_until.0 - 1)
}

/// A certificate in one line.
pub(super) fn certificate_line(certificate: &Certificate, now: Time) -> String {
    let (english, chinese, holder) = purpose(certificate);
    let (state, state_zh) = standing(certificate, now);
    let revoked =
        certificate.revoked.map(|revocation| format!(" {}", dates::date_of(revocation.at)));
    format!(
        "{}  {english} {chinese} {holder}  {}..{}  {state} {state_zh}{}  {}\n",
        certificate.digest,
        dates::date_of(certificate.valid_from),
        dates::date_of(last_instant(certificate)),
        revoked.unwrap_or_default(),
        certificate.label
    )
}

/// A certificate for programs.
pub(super) fn certificate_json(certificate: &Certificate, now: Time) -> Value {
    let (purpose, _, holder) = purpose(certificate);
    json!({
        "sha256": certificate.digest.to_string(),
        "purpose": purpose,
        "holder": holder,
        "valid_from": dates::date_of(certificate.valid_from).to_string(),
        "valid_until": dates::date_of(last_instant(certificate)).to_string(),
        "state": standing(certificate, now).0,
        "revoked": certificate.revoked.map(|revoked| dates::date_of(revoked.at).to_string()),
        "label": certificate.label,
    })
}

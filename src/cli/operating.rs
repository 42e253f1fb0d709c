//! What the operators' commands share: reading the directory before it is changed, and changing it.

use std::path::Path;

use xianjie_core::domain::agency::{Agency, Certificate, Purpose};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{AgencyCode, Digest, LedgerIndex, SystemCode, Time};
use xianjie_core::limits;

use super::error::chain;
use super::{CliError, dates};
use crate::client::registry::RegisteredSystem;
use crate::client::{Client, Silent};
use crate::identity::files;
use crate::identity::peer::{PeerCertificate, PeerError, SubjectUri};

/// Signs the changes as the profile's operator and sends them until they are in the ledger. More
/// than one statement holds are sent as several, in order.
pub(super) async fn change(client: &Client, changes: &[Change]) -> Result<(), CliError> {
    for part in changes.chunks(limits::DIRECTORY_CHANGES) {
        let changed = client.change_directory(part, &Silent).await?;
        println!("record 账本记录 {}: {} changes 项变更", changed.receipt.index, part.len());
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

/// A certificate in one line.
pub(super) fn certificate_line(certificate: &Certificate, now: Time) -> String {
    let (purpose, holder) = match &certificate.purpose {
        Purpose::Transport(code) => ("transport 接入", code.to_string()),
        Purpose::Document(code) => ("document 文书签名", code.to_string()),
        Purpose::Acknowledgement(code) => ("acknowledgement 签收签名", code.to_string()),
        Purpose::Operator(name) => ("operator 运维", name.to_string()),
    };
    let state = match certificate.revoked {
        Some(revocation) => format!("revoked 已吊销 {}", dates::date_of(revocation.at)),
        None if certificate.is_live(now) => "in force 有效".to_owned(),
        None if now < certificate.valid_from => "not yet 未生效".to_owned(),
        None => "expired 已过期".to_owned(),
    };
    let (from, until) = (certificate.valid_from, Time(certificate.valid_until.0 - 1));
    format!(
        "{}  {purpose} {holder}  {}..{}  {state}  {}\n",
        certificate.digest,
        dates::date_of(from),
        dates::date_of(until),
        certificate.label
    )
}

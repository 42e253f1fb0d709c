//! The folder's own certificate authority, and what is issued from it.

use std::fs;
use std::path::{Path, PathBuf};

use xianjie_core::ids::Time;

use super::CliError;
use super::dates;
use super::error::chain;
use crate::entropy;
use crate::identity::files;
use crate::identity::peer::PeerCertificate;
use crate::identity::pki::{Authority, Issued, PkiError, Purpose, Serial, Validity};
use crate::identity::signature::Algorithm;

/// The files of an authority in its folder.
const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";
/// How long certificates are valid unless told otherwise.
pub(super) const DAYS: u32 = 730;
/// Clocks of two machines differ: a certificate counts from an hour before it was made.
const SKEW_MS: i64 = 3_600_000;

/// An authority (证书颁发机构) in a folder, with the period in which it can issue.
pub(super) struct Issuing {
    authority: Authority,
    from: Time,
    until: Time,
}

/// When a certificate is to be valid: from an hour before its first day, since clocks differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    /// The first instant.
    pub(super) from: Time,
    /// The last instant.
    pub(super) until: Time,
}

impl Period {
    /// So many days, from a day or else from now.
    pub(super) fn days(from: Option<Time>, days: u32, now: Time) -> Self {
        let from = from.unwrap_or(now);
        Self { from: Time(from.0 - SKEW_MS), until: dates::days_after(from, days) }
    }

    /// Of now by this machine's clock and by the hub's: a demonstration's hub lives in another year.
    pub(super) fn of_both(now: Time, hub: Time, days: u32) -> Self {
        let (first, last) = (now.min(hub), now.max(hub));
        Self { from: Time(first.0 - SKEW_MS), until: dates::days_after(last, days) }
    }

    fn validity(self) -> Result<Validity, CliError> {
        let (from, until) = (dates::unix_time(self.from), dates::unix_time(self.until));
        Validity::new(from, until).map_err(|_| {
            let error = CliError::usage(
                "the certificate would end before it begins",
                "证书的截止时间早于开始时间",
            );
            error.help(
                "look at the dates of the authority, and at --from",
                "请检查颁发机构的有效期和 --from",
            )
        })
    }
}

impl Issuing {
    /// The authority of a folder.
    pub(super) fn load(folder: &Path) -> Result<Self, CliError> {
        let text = |pem: &str| Ok::<_, PkiError>(pem.to_owned());
        let key = files::load_key(&folder.join(KEY), text);
        let key = key.map_err(|error| no_authority(folder, &error))?;
        let read = |pem: &str| Authority::from_pem(pem, &key);
        let authority = files::load_public(&folder.join(CERTIFICATE), read);
        let authority = authority.map_err(|error| no_authority(folder, &error))?;
        let der = files::first_certificate(authority.certificate_pem());
        let der = der.map_err(|error| no_authority(folder, &error))?;
        let own = PeerCertificate::from_der(&der).map_err(|error| no_authority(folder, &error))?;
        let (from, until) = (dates::time(own.not_before), dates::time(own.not_after));
        Ok(Self { authority, from, until })
    }

    /// Makes an authority and writes it; one that is there already is left as it is.
    pub(super) fn create(folder: &Path, name: &str, period: Period) -> Result<(), CliError> {
        if folder.join(KEY).exists() || folder.join(CERTIFICATE).exists() {
            return Err(CliError::usage(
                format!("there is an authority in {} already", folder.display()),
                format!("{} 中已有证书颁发机构", folder.display()),
            ));
        }
        let authority = Authority::create(name, serial()?, period.validity()?);
        let authority = authority.map_err(|error| CliError::internal(&error))?;
        fs::create_dir_all(folder).map_err(|error| CliError::internal(&error))?;
        authority.save(folder).map_err(|error| taken(folder, &error))?;
        for (from, to) in [("authority.key", KEY), ("authority.pem", CERTIFICATE)] {
            fs::rename(folder.join(from), folder.join(to))
                .map_err(|error| CliError::internal(&error))?;
        }
        Ok(())
    }

    /// Issues a certificate for a new key, cut where the authority ends.
    pub(super) fn issue(
        &self,
        purpose: &Purpose,
        algorithm: Algorithm,
        period: Period,
    ) -> Result<Issued, CliError> {
        let (from, until) = (period.from.max(self.from), period.until.min(self.until));
        let validity = Period { from, until }.validity()?;
        self.authority.issue(purpose, algorithm, serial()?, validity).map_err(|error| {
            let cause = chain(&error);
            CliError::usage(
                format!("the certificate can't be issued: {cause}"),
                format!("无法签发证书：{cause}"),
            )
        })
    }

    /// The authority itself.
    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }
}

/// Writes `<stem>.key` (mode 0600) and `<stem>.crt`, and gives the path of the certificate.
pub(super) fn save(issued: &Issued, folder: &Path, stem: &str) -> Result<PathBuf, CliError> {
    fs::create_dir_all(folder).map_err(|error| CliError::internal(&error))?;
    let key = folder.join(format!("{stem}.key"));
    files::write_key(&key, &issued.key_pem).map_err(|error| taken(&key, &error))?;
    let certificate = folder.join(format!("{stem}.crt"));
    files::write_public(&certificate, &issued.certificate_pem)
        .map_err(|error| CliError::internal(&error))?;
    Ok(certificate)
}

fn serial() -> Result<Serial, CliError> {
    let random = entropy::random().map_err(|error| CliError::internal(&error))?;
    Ok(Serial::from_random(random))
}

fn no_authority(folder: &Path, error: &dyn std::error::Error) -> CliError {
    let cause = chain(error);
    CliError::usage(
        format!("no usable authority in {}: {cause}", folder.display()),
        format!("{} 中没有可用的证书颁发机构：{cause}", folder.display()),
    )
    .help(
        "make one with `xianjie pki authority`, or name its folder with --authority",
        "用 xianjie pki authority 新建，或用 --authority 指明其目录",
    )
}

fn taken(path: &Path, error: &dyn std::error::Error) -> CliError {
    let (path, cause) = (path.display(), chain(error));
    CliError::usage(
        format!("the key for {path} is not written, since keys are never overwritten: {cause}"),
        format!("未写入 {path} 的密钥（密钥从不覆盖）：{cause}"),
    )
}

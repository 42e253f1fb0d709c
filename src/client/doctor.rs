//! What `doctor` finds, and the checks that need no file and no network: certificates, clocks, the
//! floor. Whoever gathers the facts is elsewhere.

use xianjie_core::ids::Time;

use crate::identity::peer::PeerCertificate;

const DAY_MS: i64 = 24 * 3_600_000;
/// A certificate that ends within so many days is told of.
const EXPIRY_DAYS: i64 = 30;
/// Clocks that differ by so much need a look, and by so much are wrong.
const CLOCK_WARN_MS: u64 = 5_000;
const CLOCK_FAIL_MS: u64 = 60_000;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All is well.
    Ok,
    /// It works, but somebody should act.
    Warn,
    /// It does not work.
    Fail,
}

impl Level {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// Words in English and Chinese.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Words {
    /// The same thing in both languages.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

/// One check with its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: a fixed word in lower case.
    pub what: String,
    /// How it came out.
    pub level: Level,
    /// What was found.
    pub found: Words,
    /// What to do about it; none if nothing is to be done.
    pub help: Option<Words>,
}

impl Check {
    /// All is well.
    pub fn ok(what: impl Into<String>, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { what: what.into(), level: Level::Ok, found: Words::new(en, zh), help: None }
    }

    /// Somebody should act.
    pub fn warn(what: impl Into<String>, found: Words, help: Words) -> Self {
        Self { what: what.into(), level: Level::Warn, found, help: Some(help) }
    }

    /// It does not work.
    pub fn fail(what: impl Into<String>, found: Words, help: Words) -> Self {
        Self { what: what.into(), level: Level::Fail, found, help: Some(help) }
    }
}

/// What a certificate is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// As a TLS client.
    Client,
    /// As a TLS server.
    Server,
    /// To sign documents, acknowledgements or changes.
    Signing,
}

/// Whether a certificate is in its dates, and its key usages allow what it is used for.
#[must_use]
pub fn certificate(what: &str, peer: &PeerCertificate, used: Use, now: Time) -> Check {
    let what = format!("certificate {what}");
    let millis = |time: rustls_pki_types::UnixTime| {
        i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
    };
    let renew = || {
        Words::new(
            "issue a new one, register it, and put it in its place",
            "请签发新证书，登记后替换",
        )
    };
    let allowed = match used {
        Use::Client => peer.usages.tls_client,
        Use::Server => peer.usages.tls_server,
        Use::Signing => peer.usages.signing,
    };
    if !allowed {
        let found = Words::new("its key usages do not allow this use", "密钥用途不允许此用法");
        return Check::fail(what, found, renew());
    }
    if now.0 < millis(peer.not_before) {
        let found = Words::new("it is not valid yet", "证书尚未生效");
        let help = Words::new("look at this machine's clock", "请检查本机时钟");
        return Check::fail(what, found, help);
    }
    let days = (millis(peer.not_after) - now.0) / DAY_MS;
    if now.0 > millis(peer.not_after) {
        return Check::fail(what, Words::new("it has expired", "证书已过期"), renew());
    }
    if days < EXPIRY_DAYS {
        let found = Words::new(format!("it ends in {days} days"), format!("{days}日后到期"));
        return Check::warn(what, found, renew());
    }
    Check::ok(what, format!("valid for {days} days"), format!("有效期剩余{days}日"))
}

/// This machine's clock against the hub's.
#[must_use]
pub fn clock(here: Time, hub: Time) -> Check {
    let difference = here.0.abs_diff(hub.0);
    let seconds = difference / 1000;
    let found = Words::new(
        format!("this clock and the hub's differ by {seconds} seconds"),
        format!("本机时钟与平台相差{seconds}秒"),
    );
    let help = Words::new("synchronise this machine's clock (NTP)", "请校准本机时钟（NTP）");
    if difference <= CLOCK_WARN_MS {
        Check::ok("clock", found.en, found.zh)
    } else if difference <= CLOCK_FAIL_MS {
        Check::warn("clock", found, help)
    } else {
        Check::fail("clock", found, help)
    }
}

/// The store's size against the highest size published.
#[must_use]
pub fn floor(size: u64, floor: Option<u64>) -> Check {
    match floor {
        Some(floor) if floor > size => Check::fail(
            "floor",
            Words::new(
                format!("the store has {size} records, but {floor} were published"),
                format!("存储有{size}条记录，而已公布{floor}条"),
            ),
            Words::new(
                "lost history never goes on under its origin: restore the newest backup",
                "丢失的历史不得在原账本标识下继续：请恢复最新备份",
            ),
        ),
        Some(floor) => Check::ok(
            "floor",
            format!("{size} records, {floor} published"),
            format!("{size}条记录，已公布{floor}条"),
        ),
        None => Check::ok("floor", format!("{size} records"), format!("{size}条记录")),
    }
}

/// A revocation list whose next issue was due at `next_update`.
#[must_use]
pub fn revocation_list(next_update: Option<Time>, now: Time) -> Check {
    match next_update {
        Some(next) if next < now => Check::warn(
            "revocation list",
            Words::new(
                "the next list is overdue; this one stays in force",
                "吊销列表应更新而未更新；现有列表继续有效",
            ),
            Words::new("put the authority's newest list in its place", "请换上颁发机构的最新列表"),
        ),
        _ => Check::ok("revocation list", "current", "未过期"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls_pki_types::UnixTime;

    use super::*;
    use crate::identity::peer::Usages;

    const NOW: Time = Time(1_795_449_600_000);

    fn peer(from_days: i64, until_days: i64) -> PeerCertificate {
        let at = |days: i64| {
            let seconds = u64::try_from((NOW.0 + days * DAY_MS) / 1000).unwrap();
            UnixTime::since_unix_epoch(Duration::from_secs(seconds))
        };
        PeerCertificate {
            der: Vec::new(),
            sha256: [0; 32],
            san_uri: None,
            subject: String::new(),
            not_before: at(from_days),
            not_after: at(until_days),
            usages: Usages { tls_client: true, tls_server: false, signing: false },
        }
    }

    #[test]
    fn a_certificate_is_judged_by_its_dates_and_its_use() {
        let level = |from, until, used| certificate("x", &peer(from, until), used, NOW).level;
        assert_eq!(level(-1, 100, Use::Client), Level::Ok);
        assert_eq!(level(-1, 29, Use::Client), Level::Warn);
        assert_eq!(level(-9, -1, Use::Client), Level::Fail);
        assert_eq!(level(1, 100, Use::Client), Level::Fail);
        assert_eq!(level(-1, 100, Use::Server), Level::Fail);
        assert_eq!(level(-1, 100, Use::Signing), Level::Fail);
    }

    #[test]
    fn clocks_may_differ_a_little() {
        let level = |ms| clock(Time(NOW.0 + ms), NOW).level;
        assert_eq!([level(0), level(-5_000), level(5_001)], [Level::Ok, Level::Ok, Level::Warn]);
        assert_eq!([level(-60_000), level(60_001)], [Level::Warn, Level::Fail]);
    }

    #[test]
    fn a_store_below_its_floor_and_an_overdue_list_are_found() {
        assert_eq!(floor(5, Some(6)).level, Level::Fail);
        assert_eq!(floor(6, Some(6)).level, Level::Ok);
        assert_eq!(floor(6, None).level, Level::Ok);
        assert_eq!(revocation_list(Some(Time(NOW.0 - 1)), NOW).level, Level::Warn);
        assert_eq!(revocation_list(Some(NOW), NOW).level, Level::Ok);
        assert_eq!(revocation_list(None, NOW).level, Level::Ok);
    }
}

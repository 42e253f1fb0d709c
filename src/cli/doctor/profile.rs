//! A client's profile, looked at from its files to the hub's answer.

use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use xianjie_core::domain::agency::Purpose;
use xianjie_core::ids::{Digest, Time};

use super::{certificate_file, failed, unreadable};
use crate::cli::{Globals, moment};
use crate::client::doctor::{Check, Level, Use, Words, certificate, clock};
use crate::client::{Client, ConnectError, Profile};
use crate::identity::peer::PeerCertificate;
use crate::identity::signature::SigningIdentity;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// All checks, as far as they can be made: each needs those before it.
pub(super) async fn examine(folder: &Path, globals: &Globals) -> Vec<Check> {
    let profile = match Profile::load(folder) {
        Ok(profile) => profile,
        Err(error) => {
            let help = ("correct the file that is named", "请更正所指文件");
            return vec![failed("profile", &error, help.0, help.1)];
        }
    };
    let now = globals.now();
    let mut checks =
        vec![Check::ok("profile", "read; its keys are private", "已读取；私钥权限正确")];
    checks.push(certificate_file("transport", &profile.transport_certificate, Use::Client, now));
    let signing = [
        ("document", profile.document.as_ref()),
        ("acknowledgement", profile.acknowledgement.as_ref()),
        ("operator", profile.operator.as_ref().map(|operator| &operator.identity)),
    ];
    for (what, identity) in signing {
        let Some(identity) = identity else { continue };
        checks.push(match PeerCertificate::from_der(&identity.certificate_der) {
            Ok(peer) => certificate(what, &peer, Use::Signing, now),
            Err(error) => unreadable(what, &error),
        });
    }
    checks.push(reachable(&profile).await);
    match Client::connect(profile, globals.clock()).await {
        Ok(client) => {
            checks.push(Check::ok(
                "connection",
                "the hub takes this certificate and keeps the ledger of the trust file",
                "平台接受该证书，账本与信任文件一致",
            ));
            checks.extend(client.hub().hub_time.map(|hub| compared(&client, globals.now(), hub)));
            checks.extend(registrations(&client).await);
        }
        Err(error) => checks.push(not_connected(&error)),
    }
    checks
}

/// This machine's clock against the hub's; a demonstration's hub may live in another month.
fn compared(client: &Client, here: Time, hub: Time) -> Check {
    let check = clock(here, hub);
    if check.level == Level::Ok || !client.profile().trust.origin.is_demo() {
        return check;
    }
    let time = moment(u64::try_from(hub.0).unwrap_or_default());
    Check::ok(
        check.what,
        format!("not compared: it is {time} for the hub, which keeps a demonstration's time"),
        format!("不比较：演示平台自有时钟，现为 {time}"),
    )
}

async fn reachable(profile: &Profile) -> Check {
    let host = profile.hub.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = profile.hub.port_u16().unwrap_or_default();
    let connected = timeout(CONNECT, TcpStream::connect((host, port))).await;
    let cause = match connected {
        Ok(Ok(_)) => {
            let hub = &profile.hub;
            return Check::ok("address", format!("{hub} answers"), format!("{hub} 可达"));
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in five seconds (五秒内无应答)".to_owned(),
    };
    Check::fail(
        "address",
        Words::new(cause.clone(), cause),
        Words::new(
            "look at `hub` in profile.toml, at the network and at whether the hub runs",
            "请检查 profile.toml 中的 hub、网络以及平台是否运行",
        ),
    )
}

fn not_connected(error: &ConnectError) -> Check {
    let (what, en, zh) = match error {
        ConnectError::ServerCertificate { .. } => (
            "tls",
            "look at `server_name`, and whether trust.json is the hub's newest",
            "请检查 server_name，以及 trust.json 是否为平台最新的",
        ),
        ConnectError::CertificateRefused { .. } | ConnectError::ClosedAtOnce { .. } => (
            "registration",
            "ask the hub's operators: is it registered, suspended, revoked or expired?",
            "请联系平台运维：该证书是否未登记、已停用、已吊销或已过期",
        ),
        ConnectError::OtherLedger { .. } => (
            "ledger",
            "this is another hub, or one that lost its history: ask its operators",
            "这是另一平台，或其历史已丢失：请联系运维",
        ),
        ConnectError::Seen(_) => (
            "ledger",
            "the hub's history contradicts what it showed before: tell its operators and supervisors",
            "平台所示历史与先前不一致：请告知运维和监督机关",
        ),
        ConnectError::Unreachable { .. } | ConnectError::Call(_) => (
            "connection",
            "try again; if it stays, ask the hub's operators",
            "请重试；仍不成功的，联系平台运维",
        ),
    };
    failed(what, error, en, zh)
}

/// Whether the signing certificates are registered for this agency and in force.
async fn registrations(client: &Client) -> Vec<Check> {
    let profile = client.profile();
    let Some(agency) = &profile.agency else { return Vec::new() };
    let registered = match client.agency_certificates(agency).await {
        Ok(registered) => registered,
        Err(error) => {
            return vec![failed("registration", &error, "try again", "请重试")];
        }
    };
    let now = client.hub().hub_time.unwrap_or_else(|| client.now());
    let keys: [(_, Option<&SigningIdentity>, _); 2] = [
        ("document", profile.document.as_ref(), Purpose::Document(agency.clone())),
        (
            "acknowledgement",
            profile.acknowledgement.as_ref(),
            Purpose::Acknowledgement(agency.clone()),
        ),
    ];
    let check = |(what, identity, purpose): (&str, Option<&SigningIdentity>, Purpose)| {
        let digest = Digest(identity?.digest);
        let name = format!("registration {what}");
        let live =
            registered.iter().any(|c| c.digest == digest && c.purpose == purpose && c.is_live(now));
        Some(if live {
            Check::ok(name, "registered and in force", "已登记且有效")
        } else {
            Check::fail(
                name,
                Words::new(
                    format!("certificate {digest} is not registered for {agency}, or not in force"),
                    format!("证书{digest}未为{agency}登记或已失效"),
                ),
                Words::new(
                    "ask the hub's operators to register it: `xianjie agency register`",
                    "请联系平台运维登记：xianjie agency register",
                ),
            )
        })
    };
    keys.into_iter().filter_map(check).collect()
}

//! A hub's folder, looked at from its configuration to its ports. A running hub keeps its store to
//! itself: then the store is not looked at.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::{Key, Row};

use super::{certificate_file, failed};
use crate::cli::{Globals, pki};
use crate::client::doctor::{Check, Use, Words, floor, revocation_list};
use crate::config::Config;
use crate::hub::floor::Floor;
use crate::hub::laws::{self, Laws};
use crate::identity::files;
use crate::identity::trust::ClientTrust;
use crate::store::sqlite::Sqlite;
use crate::store::{Store as _, StoreError, Wants};
use crate::wire::schema::Schema;

/// Files that `init` makes and that should not stay where the hub runs.
const OFFLINE: &[(&str, &str)] = &[("keys/root.key", "root key"), ("ca/ca.key", "authority key")];

/// All checks.
pub(super) async fn examine(globals: &Globals) -> Vec<Check> {
    let path = globals.config_path();
    let config = match Config::load(&path) {
        Ok(config) => config,
        Err(error) => {
            let help = (
                "name the hub's folder with --folder, or a profile with --profile or --as",
                "请用 --folder 指明平台目录，或用 --profile、--as 指明配置身份",
            );
            return vec![failed("configuration", &error, help.0, help.1)];
        }
    };
    let shown = path.display().to_string();
    let mut checks = vec![Check::ok("configuration", shown.clone(), shown)];
    checks.extend(keys(&config));
    checks.extend(offline(path.parent().unwrap_or(Path::new(""))));
    let now = globals.now();
    checks.push(certificate_file("tls", &config.tls.certificate, Use::Server, now));
    checks.push(certificate_file("service", &config.keys.service_certificate, Use::Signing, now));
    checks.push(clients(&config));
    if let Some(path) = &config.tls.revocation_list {
        checks.push(match pki::read_list(path) {
            Ok(list) => revocation_list(list.next_update, now),
            Err(_) => Check::fail(
                "revocation list",
                Words::new("it can't be read", "无法读取"),
                Words::new("put the authority's list in its place", "请换上颁发机构的列表"),
            ),
        });
    }
    checks.push(law());
    let (store, running) = store(&config).await;
    checks.extend(store);
    checks.extend(ports(&config, running));
    checks
}

/// Whether the private keys are there and nobody else's to read.
fn keys(config: &Config) -> Vec<Check> {
    let keys = [
        ("key tls", &config.tls.key),
        ("key service", &config.keys.service_key),
        ("key checkpoint", &config.keys.checkpoint),
    ];
    let check = |(what, path): (&str, &std::path::PathBuf)| match path.metadata() {
        Ok(found) => match found.permissions().mode() & 0o777 {
            mode if mode & 0o077 == 0 => {
                Check::ok(what, format!("mode {mode:04o}"), format!("权限{mode:04o}"))
            }
            mode => Check::fail(
                what,
                Words::new(
                    format!("others may read it: mode {mode:04o}"),
                    format!("他人可读：权限{mode:04o}"),
                ),
                Words::new(
                    format!("chmod 600 {}", path.display()),
                    format!("chmod 600 {}", path.display()),
                ),
            ),
        },
        Err(error) => {
            failed(what, &error, "bring the key back from its backup", "请从备份恢复密钥")
        }
    };
    keys.into_iter().map(check).collect()
}

fn offline(folder: &Path) -> Vec<Check> {
    let there = OFFLINE.iter().filter(|(path, _)| folder.join(path).exists());
    there
        .map(|(path, what)| {
            let path = folder.join(path);
            Check::warn(
                *what,
                Words::new(
                    format!("{} is still on this machine", path.display()),
                    format!("{} 仍在本机", path.display()),
                ),
                Words::new("move it to where no network reaches", "请移至离线处保管"),
            )
        })
        .collect()
}

fn clients(config: &Config) -> Check {
    let help = ("put the authorities (PEM) in this place", "请将颁发机构证书（PEM）放到该处");
    let text = |text: &str| Ok::<_, std::fmt::Error>(text.to_owned());
    let pem = match files::load_public(&config.tls.client_authorities, text) {
        Ok(pem) => pem,
        Err(error) => return failed("client authorities", &error, help.0, help.1),
    };
    match ClientTrust::from_pem(&pem, "") {
        Ok(_) => Check::ok("client authorities", "usable", "可用"),
        Err(error) => failed("client authorities", &error, help.0, help.1),
    }
}

fn law() -> Check {
    match Law::built_in().check_schema(&Schema::built_in()) {
        Ok(()) => Check::ok("rulebooks", "agree with the documents' schema", "与文书结构一致"),
        Err(errors) => Check::fail(
            "rulebooks",
            Words::new(
                format!("{} disagreements with the documents' schema", errors.len()),
                format!("与文书结构有{}处不一致", errors.len()),
            ),
            Words::new("a defect of this release: take another", "程序缺陷：请更换版本"),
        ),
    }
}

/// The store's checks, and whether a running hub keeps it.
async fn store(config: &Config) -> (Vec<Check>, bool) {
    let store = match Sqlite::open(&config.store.path).await {
        Ok(store) => store,
        Err(StoreError::Setup(message)) if config.store.path.is_file() => {
            let found = Words::new(message.clone(), message);
            let help = Words::new(
                "a running hub keeps its store; stop it to have the store looked at",
                "运行中的平台独占存储；停机后可检查",
            );
            return (vec![Check::warn("store", found, help)], true);
        }
        Err(error) => {
            let help = ("restore the store from its backup", "请从备份恢复存储");
            return (vec![failed("store", &error, help.0, help.1)], false);
        }
    };
    let mut checks = vec![sound(&store).await];
    checks.push(ledger(&store, config).await);
    checks.push(law_in_force(&store, config).await);
    let floor_file = Floor::beside(&config.keys.checkpoint).read();
    checks.push(match (store.head().await, floor_file) {
        (Ok(head), Ok(published)) => floor(head.size, published.map(|(size, _)| size)),
        (Err(error), _) => failed("floor", &error, "restore the store", "请恢复存储"),
        (_, Err(error)) => failed("floor", &error, "restore head.floor", "请恢复 head.floor"),
    });
    (checks, false)
}

async fn sound(store: &Sqlite) -> Check {
    let help = ("restore the newest backup", "请恢复最新备份");
    match store.integrity_check().await {
        Ok(wrong) if wrong.is_empty() => Check::ok("store", "the file is sound", "文件完好"),
        Ok(wrong) => Check::fail(
            "store",
            Words::new(wrong.join("; "), format!("文件损坏：{}", wrong.join("; "))),
            Words::new(help.0, help.1),
        ),
        Err(error) => failed("store", &error, help.0, help.1),
    }
}

/// Whether the store's ledger is the configuration's, and its key the one beside it.
/// Whether the rulebooks that the ledger last put in force are at hand.
async fn law_in_force(store: &Sqlite, config: &Config) -> Check {
    let what = "rulebooks in force";
    let digest = match laws::in_force(store).await {
        Ok(digest) => digest,
        Err(error) => return failed(what, &error, "restore the store", "请恢复存储"),
    };
    let (built_in, schema) = (Arc::new(Law::built_in()), Arc::new(Schema::built_in()));
    let folder = config.law.rulebooks.clone();
    if Laws::open(built_in, folder, schema, digest).are_in_force() {
        return Check::ok(what, digest.to_string(), digest.to_string());
    }
    Check::fail(
        what,
        Words::new(format!("{digest} are not at hand"), format!("{digest} 不在本机")),
        Words::new(
            "bring their folder back and name it by [law] rulebooks, or start the hub and `law activate` others",
            "恢复其目录并以 [law] rulebooks 指明，或启动平台后用 law activate 启用其他规则",
        ),
    )
}

async fn ledger(store: &Sqlite, config: &Config) -> Check {
    let mut wants = Wants::default();
    wants.keys.insert(Key::Hub);
    let loaded = match store.load(&wants).await {
        Ok(loaded) => loaded,
        Err(error) => return failed("ledger", &error, "restore the store", "请恢复存储"),
    };
    let Some(Some(Row::Hub(opened))) = loaded.rows.get(&Key::Hub) else {
        return Check::fail(
            "ledger",
            Words::new("the store holds no ledger", "存储中没有账本"),
            Words::new(
                "`xianjie init` makes one, in a folder of its own",
                "用 xianjie init 在新目录中初始化",
            ),
        );
    };
    let public = config.keys.checkpoint.with_extension("pub");
    let key = std::fs::read_to_string(public).unwrap_or_default();
    let (origin, wanted) = (opened.origin.as_str(), config.origin.as_str());
    if origin != wanted || opened.checkpoint_key != key.trim() {
        return Check::fail(
            "ledger",
            Words::new(
                format!(
                    "the store holds {origin} under another key than keys/checkpoint.pub, or the configuration names {wanted}"
                ),
                format!("存储的账本为{origin}，密钥或配置（{wanted}）与之不符"),
            ),
            Words::new(
                "bring store, keys and configuration of one hub together",
                "请使用同一平台的存储、密钥和配置",
            ),
        );
    }
    Check::ok("ledger", format!("{origin}, under its key"), format!("{origin}，密钥一致"))
}

fn ports(config: &Config, running: bool) -> Vec<Check> {
    let listens = [
        ("port agencies", config.listen.agencies),
        ("port operators", config.listen.operators),
        ("port http", config.listen.http),
    ];
    listens.into_iter().map(|(what, address)| port(what, address, running)).collect()
}

fn port(what: &str, address: SocketAddr, running: bool) -> Check {
    match TcpListener::bind(address) {
        Ok(_) if running => Check::warn(
            what,
            Words::new(format!("nobody listens on {address}"), format!("{address} 无人监听")),
            Words::new(
                "is the process that keeps the store this hub?",
                "请确认占用存储的进程是否为本平台",
            ),
        ),
        Ok(_) => Check::ok(what, format!("{address} is free"), format!("{address} 空闲")),
        Err(_) if running => Check::ok(
            what,
            format!("{address} is taken, as by a running hub"),
            format!("{address} 已由平台监听"),
        ),
        Err(error) => {
            failed(what, &error, "free the port, or change [listen]", "请释放端口或修改 [listen]")
        }
    }
}

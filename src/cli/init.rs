//! `xianjie init`: founds a hub, once, in a folder of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};
use xianjie_core::ids::{AgencyCode, OperatorName, Origin};

use super::error::chain;
use super::{CliError, Globals};
use crate::server::founding::{self, Founded, Options};

const EXAMPLES: &str = "\
Examples 示例:
  xianjie init --folder /srv/xianjie --origin hub.gd.example.cn/ledger/1 \\
      --server-name hub.gd.example.cn --listen-agencies 0.0.0.0:7443
  xianjie init --folder pilot --origin hub.pilot.demo/ledger/1
  xianjie init --folder /srv/xianjie --origin hub.gd.example.cn/ledger/1 --client-ca agencies.crt";

/// Make a hub's folder: keys, certificates, an empty ledger, the configuration (初始化).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The ledger's origin, <host>/ledger/<n>: it never changes afterwards (账本标识)
    #[arg(long)]
    origin: Origin,
    /// Code of the hub's own agency (平台单位代码)
    #[arg(long, default_value = "hub")]
    hub: AgencyCode,
    /// Its name (平台名称)
    #[arg(long, default_value = "衔接平台")]
    hub_name: String,
    /// Name of the first operator (首位运维人员代号)
    #[arg(long, default_value = "first")]
    operator: OperatorName,
    /// How many operators must sign changes of the directory (变更名录所需签名人数)
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4))]
    quorum: u32,
    /// DNS name or IP address in the server's certificate; may be repeated (服务器名称)
    #[arg(long)]
    server_name: Vec<String>,
    /// Where agencies' systems connect; also with `serve` from the configuration (单位接入地址)
    #[arg(long, default_value = "127.0.0.1:7443")]
    listen_agencies: SocketAddr,
    /// Where operators connect (运维地址)
    #[arg(long, default_value = "127.0.0.1:7444")]
    listen_operators: SocketAddr,
    /// Where tiles, health and metrics are served (公开数据地址)
    #[arg(long, default_value = "127.0.0.1:7480")]
    listen_http: SocketAddr,
    /// Authorities of the agencies' certificates; an authority of the hub's own if not given
    /// (单位证书的颁发机构)
    #[arg(long)]
    client_ca: Option<PathBuf>,
    /// A file that tells a demonstration's time, for an origin in .demo only (演示时钟文件)
    #[arg(long)]
    clock_file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: Args, globals: &Globals) -> Result<(), CliError> {
    if args.clock_file.is_some() && !args.origin.is_demo() {
        return Err(CliError::usage(
            "only an origin whose host ends in .demo has a clock of its own",
            "仅演示账本（主机名以 .demo 结尾）可使用演示时钟",
        ));
    }
    if args.quorum > 1 {
        return Err(CliError::usage(
            "a hub is founded with one operator, who could not sign alone then",
            "平台初始化时仅有一名运维人员，无法满足多人签名",
        ));
    }
    let options = options(args, globals)?;
    let founded = founding::init(&options).await.map_err(|error| {
        let cause = chain(&error);
        CliError::usage(
            format!("the hub is not founded: {cause}"),
            format!("平台未能初始化：{cause}"),
        )
    })?;
    globals.print(|| to_json(&options, &founded), || told(&options, &founded));
    Ok(())
}

fn options(args: Args, globals: &Globals) -> Result<Options, CliError> {
    let options = Options::new(globals.folder(), args.origin, globals.now());
    let options = options.map_err(|error| CliError::internal(&error))?;
    let server_names =
        if args.server_name.is_empty() { options.server_names.clone() } else { args.server_name };
    Ok(Options {
        hub: args.hub,
        hub_name: args.hub_name,
        operator: args.operator,
        quorum: args.quorum,
        server_names,
        listen: crate::config::Listen {
            agencies: args.listen_agencies,
            operators: args.listen_operators,
            http: args.listen_http,
        },
        client_authorities: args.client_ca,
        clock_file: args.clock_file,
        ..options
    })
}

fn to_json(options: &Options, founded: &Founded) -> Value {
    json!({
        "origin": options.origin.as_str(),
        "folder": options.folder,
        "config": founded.config,
        "trust": founded.trust,
        "root_key": founded.root_key,
        "profile": founded.profile,
    })
}

/// What was made, what must leave the machine, what comes next.
fn told(options: &Options, founded: &Founded) -> String {
    let (config, root, trust) = (&founded.config, &founded.root_key, &founded.trust);
    let (folder, origin) = (options.folder.display(), &options.origin);
    let authority = match options.client_authorities {
        None => format!("\n  {folder}/ca/ca.key  the authority's key 颁发机构私钥"),
        Some(_) => String::new(),
    };
    format!(
        "The hub of {origin} is founded in {folder}.\n\
         平台已初始化：{origin}，目录 {folder}。\n\
         \n\
         Move these off this machine and keep them apart (请移出本机，分开离线保管):\n  \
         {}  the operators' root key 运维根密钥{authority}\n\
         \n\
         Hand this to every agency, by a way of its own (请另行分发给各单位):\n  \
         {}  what clients verify the hub with 信任文件\n\
         \n\
         Next (下一步):\n  \
         xianjie serve --config {}\n  \
         xianjie agency add --profile {} …\n  \
         xianjie doctor --config {}\n",
        root.display(),
        trust.display(),
        config.display(),
        founded.profile.display(),
        config.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use xianjie_core::ids::Time;

    #[test]
    fn the_keys_that_must_leave_are_named() {
        let folder = PathBuf::from("there");
        let origin = "hub.test.demo/ledger/1".parse().unwrap();
        let options = Options::new(folder.clone(), origin, Time(0)).unwrap();
        let founded = Founded {
            config: folder.join("xianjie.toml"),
            root_key: folder.join("keys/root.key"),
            trust: folder.join("trust.json"),
            profile: folder.join("profiles/first"),
        };
        let text = told(&options, &founded);
        for part in
            ["keys/root.key", "ca/ca.key", "trust.json", "serve --config there/xianjie.toml"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        let own = Options { client_authorities: Some("ca.pem".into()), ..options };
        assert!(!told(&own, &founded).contains("ca/ca.key"));
    }
}

//! The yardstick: a throw-away PostgreSQL on the same disk, and `pgbench` inserting rows as large as
//! the documents, with one index and synchronous commits. It verifies no signature, speaks no TLS,
//! proves nothing and delivers to nobody: what is left of its rate is what the hub's promises cost.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;

/// Where distributions install PostgreSQL: a folder for each major version.
const INSTALLED: &str = "/usr/lib/postgresql";
/// Whom it runs as if we are root, which it refuses.
const NOBODY: &str = "nobody";
/// How long it may take to start.
const START: Duration = Duration::from_secs(30);
/// Clients of the parallel run.
const CLIENTS: u32 = 32;

/// What `pgbench` measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Postgres {
    /// Rows a second with 32 clients.
    pub parallel: f64,
    /// Rows a second with one client.
    pub single: f64,
}

/// Why there is no yardstick.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// It is not installed.
    #[error("no PostgreSQL server with pgbench below {INSTALLED}")]
    NotInstalled,
    /// A file or a process can't be made.
    #[error("PostgreSQL: {0}")]
    Io(#[from] io::Error),
    /// One of its programs failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// Which.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// It did not start in time.
    #[error("PostgreSQL did not start within {} s", START.as_secs())]
    Start,
}

/// Runs both measurements, `seconds` each, with rows of `bytes`, in a folder of its own in `folder`.
///
/// # Errors
/// [`PostgresError`].
pub(super) fn measure(
    folder: &Path,
    bytes: usize,
    seconds: u64,
) -> Result<Postgres, PostgresError> {
    let cluster = Cluster::start(&folder.join("postgres"))?;
    cluster.psql("CREATE TABLE document (id bigserial PRIMARY KEY, body text NOT NULL)")?;
    let script = cluster.folder.join("insert.sql");
    fs::write(&script, format!("INSERT INTO document (body) VALUES ('{}');\n", body(bytes)))?;
    Ok(Postgres {
        parallel: cluster.pgbench(&script, CLIENTS, seconds)?,
        single: cluster.pgbench(&script, 1, seconds)?,
    })
}

/// A running server: stopped, and its folder removed, when this is dropped.
struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    server: Option<Child>,
}

impl Cluster {
    fn start(folder: &Path) -> Result<Self, PostgresError> {
        fs::DirBuilder::new().mode(0o755).create(folder)?;
        let mut cluster = Self { programs: installed()?, folder: folder.to_owned(), server: None };
        if is_root(folder)? {
            cluster.run("chown", Command::new("chown").arg(NOBODY).arg(folder))?;
        }
        let data = folder.join("data");
        let mut initdb = cluster.command("initdb");
        initdb.args(["--no-sync", "--auth=trust", "--username=bench", "--encoding=UTF8"]);
        cluster.run("initdb", initdb.arg("--pgdata").arg(&data))?;
        let mut server = cluster.command("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(folder).args(["-c", "listen_addresses="]);
        server.args(["-c", "fsync=on", "-c", "synchronous_commit=on"]);
        let log = fs::File::create(folder.join("log"))?;
        server.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        cluster.server = Some(server.spawn()?);
        cluster.wait()?;
        Ok(cluster)
    }

    fn wait(&self) -> Result<(), PostgresError> {
        let began = Instant::now();
        while began.elapsed() < START {
            let mut ready = self.command("pg_isready");
            if ready.arg("-h").arg(&self.folder).output()?.status.success() {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err(PostgresError::Start)
    }

    fn psql(&self, sql: &str) -> Result<(), PostgresError> {
        let mut psql = self.command("psql");
        psql.args(["-U", "bench", "-d", "postgres", "-q", "-c", sql]).arg("-h").arg(&self.folder);
        self.run("psql", &mut psql).map(drop)
    }

    fn pgbench(&self, script: &Path, clients: u32, seconds: u64) -> Result<f64, PostgresError> {
        let (clients, seconds) = (clients.to_string(), seconds.to_string());
        let mut pgbench = self.command("pgbench");
        pgbench.args(["-n", "-U", "bench", "-c", &clients, "-T", &seconds]).arg("-h");
        pgbench.arg(&self.folder).arg("-f").arg(script).arg("postgres");
        let said = self.run("pgbench", &mut pgbench)?;
        rate(&said).ok_or(PostgresError::Failed { program: "pgbench", said })
    }

    /// A program of PostgreSQL, as `nobody` if we are root.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if is_root(&self.folder).unwrap_or(false) {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", NOBODY, "--clear-groups", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(&self.folder);
        command
    }

    fn run(&self, program: &'static str, command: &mut Command) -> Result<String, PostgresError> {
        let output = command.stdin(Stdio::null()).output()?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            Ok(said(&output.stdout))
        } else {
            Err(PostgresError::Failed { program, said: said(&output.stderr) })
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Nothing in it is to be kept: what can't be stopped or removed is the user's to see.
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The programs of the newest version installed.
fn installed() -> Result<PathBuf, PostgresError> {
    let versions = fs::read_dir(INSTALLED).map_err(|_| PostgresError::NotInstalled)?;
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| programs(*version).join("pgbench").exists())
        .max();
    newest.map(programs).ok_or(PostgresError::NotInstalled)
}

fn programs(version: u32) -> PathBuf {
    Path::new(INSTALLED).join(version.to_string()).join("bin")
}

/// Whether we are root: who made a folder owns it, and its parent may be anybody's.
fn is_root(folder: &Path) -> io::Result<bool> {
    let parent = folder.parent().unwrap_or(folder);
    Ok(fs::metadata("/proc/self")?.uid() == 0 && parent.exists())
}

/// The figure in `tps = 1234.5 (without initial connection time)`.
fn rate(said: &str) -> Option<f64> {
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Text that does not compress into nothing.
fn body(bytes: usize) -> String {
    let letter = |place: usize| char::from(b'a' + u8::try_from(place * place % 25).unwrap_or(0));
    (0..bytes).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read() {
        let said = "latency average = 1.6 ms\ntps = 19012.25 (without initial connection time)";
        assert_eq!(rate(said), Some(19_012.25));
        assert_eq!(rate("pgbench: error"), None);
        assert_eq!(body(1024).len(), 1024);
    }
}

//! The stage: a folder with a hub in it, and the hub as a child process that can be killed.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use xianjie_core::ids::Time;

use super::DemoError;
use super::story::FILES;

/// The ledger of the demonstration: only an origin in `.demo` may have a clock of its own.
const ORIGIN: &str = "hub.guangdong.demo/ledger/1";
/// What marks a folder that a demonstration made, and may replace.
const MARK: &str = "DEMO";
/// How long a hub may take to answer after it was started.
const READY: Duration = Duration::from_secs(20);

/// A folder with a hub in it.
pub(super) struct Stage {
    /// The folder.
    pub(super) folder: PathBuf,
    program: PathBuf,
    http: u16,
    hub: Option<Child>,
}

impl Stage {
    /// Makes the folder, founds a hub in it and starts it. A folder that an earlier demonstration made
    /// is replaced; any other is left alone.
    pub(super) async fn make(folder: &Path, begins: Time) -> Result<Self, DemoError> {
        if folder.join(MARK).exists() {
            fs::remove_dir_all(folder).map_err(|e| DemoError::file(folder, e))?;
        } else if folder.exists() {
            return Err(DemoError::Taken(folder.to_owned()));
        }
        let program = std::env::current_exe().map_err(|e| DemoError::file(folder, e))?;
        let [agencies, operators, http] = free_ports()?;
        let mut stage = Self { folder: folder.to_owned(), program, http, hub: None };
        let before = folder.with_extension("clock");
        write_clock(&before, begins)?;
        let listen = |port: u16| format!("127.0.0.1:{port}");
        let founded = stage
            .command(&["init", "--origin", ORIGIN, "--clock-file", "clock"])
            .args(["--listen-agencies", &listen(agencies)])
            .args(["--listen-operators", &listen(operators)])
            .args(["--listen-http", &listen(http)])
            .arg("--clock")
            .arg(&before)
            .output()
            .await;
        fs::remove_file(&before).map_err(|e| DemoError::file(&before, e))?;
        check("init", founded)?;
        fs::write(folder.join(MARK), "made by xianjie demo, which may replace it\n")
            .map_err(|e| DemoError::file(folder, e))?;
        stage.set_clock(begins)?;
        let story = folder.join("story");
        fs::create_dir(&story).map_err(|e| DemoError::file(&story, e))?;
        FILES.extract(&story).map_err(|e| DemoError::file(&story, e))?;
        stage.start().await?;
        stage.register(agencies).await?;
        Ok(stage)
    }

    /// The file that tells the hub's time.
    pub(super) fn clock(&self) -> PathBuf {
        self.folder.join("clock")
    }

    /// Sets the hub's time.
    pub(super) fn set_clock(&self, time: Time) -> Result<(), DemoError> {
        write_clock(&self.clock(), time)
    }

    /// Starts the hub and waits until it answers.
    pub(super) async fn start(&mut self) -> Result<(), DemoError> {
        let config = self.folder.join("xianjie.toml");
        let log = self.folder.join("hub.log");
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|e| DemoError::file(&log, e))?;
        let errors = log.try_clone().map_err(|e| DemoError::file(&config, e))?;
        let hub = Command::new(&self.program)
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| DemoError::file(&self.program, e))?;
        self.hub = Some(hub);
        self.wait_until_ready().await
    }

    /// Kills the hub: `kill -9`.
    pub(super) async fn kill(&mut self) -> Result<(), DemoError> {
        if let Some(mut hub) = self.hub.take() {
            hub.kill().await.map_err(|e| DemoError::file(&self.program, e))?;
        }
        Ok(())
    }

    /// Ends the hub in order.
    pub(super) async fn stop(&mut self) -> Result<(), DemoError> {
        let Some(mut hub) = self.hub.take() else { return Ok(()) };
        if let Some(id) = hub.id().and_then(|id| i32::try_from(id).ok())
            && let Some(process) = rustix::process::Pid::from_raw(id)
        {
            let ended = rustix::process::kill_process(process, rustix::process::Signal::TERM);
            ended.map_err(|e| DemoError::file(&self.program, e.into()))?;
        }
        hub.wait().await.map_err(|e| DemoError::file(&self.program, e))?;
        Ok(())
    }

    /// Runs the audit over the stopped hub's folder; what it printed.
    pub(super) async fn audit(&self) -> Result<String, DemoError> {
        let audited = self.command(&["audit", "--attachments"]).output().await;
        check("audit", audited)
    }

    /// Registers the agencies of the story, each with a profile of its own.
    async fn register(&self, port: u16) -> Result<(), DemoError> {
        let registered = self
            .command(&["agency", "add", "--as", "first"])
            .arg("--file")
            .arg(self.folder.join("story/agencies.toml"))
            .arg("--profile-out")
            .arg(self.folder.join("profiles"))
            .args(["--hub", &format!("https://127.0.0.1:{port}")])
            .arg("--clock")
            .arg(self.clock())
            .output()
            .await;
        check("agency add", registered).map(|_| ())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).arg("--folder").arg(&self.folder).stdin(Stdio::null());
        command
    }

    /// Waits until the hub serves its checkpoint.
    async fn wait_until_ready(&mut self) -> Result<(), DemoError> {
        let begun = tokio::time::Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.http)).await.is_err() {
            let ended = self.hub.as_mut().and_then(|hub| hub.try_wait().ok().flatten());
            if ended.is_some() || begun.elapsed() > READY {
                return Err(DemoError::NotReady(self.folder.join("hub.log")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

/// What a command of this program printed; its errors if it failed.
fn check(
    command: &'static str,
    output: std::io::Result<std::process::Output>,
) -> Result<String, DemoError> {
    let output = output.map_err(|e| DemoError::file(Path::new(command), e))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    Err(DemoError::Command { command, said: format!("{printed}{said}") })
}

/// Written aside and renamed: the hub may read at any moment.
fn write_clock(path: &Path, time: Time) -> Result<(), DemoError> {
    let aside = path.with_extension("new");
    fs::write(&aside, time.0.to_string())
        .and_then(|()| fs::rename(&aside, path))
        .map_err(|e| DemoError::file(path, e))
}

/// Three ports of the loopback that are free now.
fn free_ports() -> Result<[u16; 3], DemoError> {
    let bind = || TcpListener::bind("127.0.0.1:0");
    let ports = || {
        let listeners = [bind()?, bind()?, bind()?];
        let [a, b, c] = &listeners;
        Ok([a.local_addr()?.port(), b.local_addr()?.port(), c.local_addr()?.port()])
    };
    ports().map_err(|e| DemoError::file(Path::new("127.0.0.1"), e))
}

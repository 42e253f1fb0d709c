//! The hub under test: this very program as a child process, in a folder of its own, on loopback.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::BenchError;

/// The ledger's origin: a bench's hub is a demonstration's.
const ORIGIN: &str = "bench.demo/ledger/1";
/// The configuration's file in a hub's folder.
const CONFIGURATION: &str = "xianjie.toml";
/// Where the hub's log goes.
const LOG: &str = "serve.log";
/// How long it may take to start.
const START: Duration = Duration::from_secs(30);
/// How long it may take to drain.
const STOP: Duration = Duration::from_secs(20);
/// How long the metrics may take.
const SCRAPE: Duration = Duration::from_secs(5);

/// A running hub; it is killed when this is dropped.
#[derive(Debug)]
pub struct RunningHub {
    /// Where agencies' systems connect.
    pub agencies: SocketAddr,
    /// Where operators connect.
    pub operators: SocketAddr,
    http: SocketAddr,
    log: PathBuf,
    child: Child,
}

impl RunningHub {
    /// Founds a hub in `folder`, which must be empty or not exist, starts it on free ports, and
    /// waits until it listens.
    ///
    /// # Errors
    /// [`BenchError::Command`] with what `init` said, or the end of the log.
    pub(super) fn start(folder: &Path) -> Result<Self, BenchError> {
        let [agencies, operators, http] = free_addresses()?;
        let mut init = Command::new(std::env::current_exe()?);
        init.arg("init").arg("--folder").arg(folder).args(["--origin", ORIGIN]);
        init.arg("--listen-agencies").arg(agencies.to_string());
        init.arg("--listen-operators").arg(operators.to_string());
        init.arg("--listen-http").arg(http.to_string());
        let output = init.stdin(Stdio::null()).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(BenchError::Command { what: "init", said });
        }
        let log = folder.join(LOG);
        let file = File::create(&log)?;
        let mut serve = Command::new(std::env::current_exe()?);
        serve.args(["serve", "--config"]).arg(folder.join(CONFIGURATION));
        serve.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let mut hub = Self { agencies, operators, http, log, child: serve.spawn()? };
        hub.wait()?;
        Ok(hub)
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The value of a counter in the hub's metrics: the sum over all its labels; zero if it is not
    /// there.
    ///
    /// # Errors
    /// The metrics can't be read.
    pub fn counter(&self, name: &str) -> Result<f64, BenchError> {
        let mut stream = TcpStream::connect(self.http)?;
        stream.set_read_timeout(Some(SCRAPE))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(sum(&text, name))
    }

    /// Asks it to drain, and waits until it has ended.
    ///
    /// # Errors
    /// It can't be asked, or does not end.
    pub fn stop(mut self) -> Result<(), BenchError> {
        signal("-TERM", self.child.id())?;
        let began = Instant::now();
        while began.elapsed() < STOP {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        Err(BenchError::Command { what: "serve", said: "it does not end".to_owned() })
    }

    fn wait(&mut self) -> Result<(), BenchError> {
        let began = Instant::now();
        while began.elapsed() < START && self.child.try_wait()?.is_none() {
            let listens = |address| TcpStream::connect(address).is_ok();
            if listens(self.agencies) && listens(self.operators) && listens(self.http) {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let said = lines[lines.len().saturating_sub(5)..].join("\n");
        Err(BenchError::Command { what: "serve", said })
    }
}

impl Drop for RunningHub {
    fn drop(&mut self) {
        // It has ended already, or it ends now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that we started.
///
/// # Errors
/// There is no `kill` here, or no such process.
pub(super) fn signal(which: &str, process: u32) -> Result<(), BenchError> {
    let status = Command::new("kill").args([which, &process.to_string()]).status()?;
    if status.success() {
        return Ok(());
    }
    Err(BenchError::Command { what: "kill", said: format!("process {process} is gone") })
}

/// Free ports of the moment: another program may take one before the hub does, which then says so.
fn free_addresses() -> Result<[SocketAddr; 3], BenchError> {
    let bound = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners = [bound()?, bound()?, bound()?];
    let [first, second, third] = &listeners;
    Ok([first.local_addr()?, second.local_addr()?, third.local_addr()?])
}

/// The sum of a counter over its labels, in the text that Prometheus reads.
fn sum(text: &str, name: &str) -> f64 {
    let value = |line: &str| -> Option<f64> {
        let rest = line.strip_prefix(name)?;
        rest.starts_with([' ', '{']).then(|| rest.rsplit(' ').next()?.trim().parse().ok())?
    };
    text.lines().filter_map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_summed_over_its_labels() {
        let text = "HTTP/1.1 200 OK\r\n\r\n# HELP a_total x\na_total 3\nb_total{k=\"x y\"} 4\n\
                    b_total{k=\"z\"} 5\na_total_more 100\n";
        assert!((sum(text, "a_total") - 3.0).abs() < 1e-9);
        assert!((sum(text, "b_total") - 9.0).abs() < 1e-9);
        assert!(sum(text, "c_total").abs() < 1e-9);
    }
}

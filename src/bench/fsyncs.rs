//! The hub's calls of `fsync` and `fdatasync`, counted by `strace` from outside. Tracing slows the
//! hub: a run that counts is not one that measures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::BenchError;
use super::hub::signal;

/// How long `strace` may take to attach to all threads.
const ATTACH: Duration = Duration::from_millis(500);

/// A count under way.
pub(super) struct Fsyncs {
    strace: Child,
    summary: PathBuf,
}

impl Fsyncs {
    /// Begins to count those of a process with all its threads.
    ///
    /// # Errors
    /// There is no `strace` here, or it may not attach.
    pub(super) fn attach(process: u32, folder: &Path) -> Result<Self, BenchError> {
        let summary = folder.join("strace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-c", "-q", "-e", "trace=fsync,fdatasync", "-p", &process.to_string()]);
        strace.arg("-o").arg(&summary).stdin(Stdio::null());
        let mut strace = strace.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        sleep(ATTACH);
        if strace.try_wait()?.is_some() {
            let said = "it can't trace the hub".to_owned();
            return Err(BenchError::Command { what: "strace", said });
        }
        Ok(Self { strace, summary })
    }

    /// Ends the count.
    ///
    /// # Errors
    /// `strace` can't be ended, or wrote nothing.
    pub(super) fn count(mut self) -> Result<u64, BenchError> {
        signal("-INT", self.strace.id())?;
        self.strace.wait()?;
        Ok(sum(&fs::read_to_string(&self.summary)?))
    }
}

/// The sum of the column `calls` of a summary: the fourth.
fn sum(summary: &str) -> u64 {
    let calls = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_sync = matches!(columns.last(), Some(&("fsync" | "fdatasync")));
        is_sync.then(|| columns.get(3)?.parse::<u64>().ok())?
    };
    summary.lines().filter_map(calls).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_summed_without_the_total() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 99.00    0.108017         119       901           fdatasync
  1.00    0.001000         100        10         2 fsync
------ ----------- ----------- --------- --------- ----------------
100.00    0.109017         119       911         2 total
";
        assert_eq!(sum(summary), 911);
        assert_eq!(sum(""), 0);
    }
}

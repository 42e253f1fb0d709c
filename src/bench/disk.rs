//! What a sync costs here and now: every figure of a durable system is relative to it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use super::latency::{Latencies, Quantiles};

/// How often the disk is asked.
const TIMES: usize = 200;
/// How much is appended each time, in bytes.
const APPENDED: usize = 1024;

/// Appends 1 KiB to a file of its own in `folder` and syncs its data (`fdatasync`), 200 times.
///
/// # Errors
/// The file can't be made, written or synced.
pub(super) fn measure(folder: &Path) -> io::Result<Quantiles> {
    let path = folder.join("sync-measure");
    let measured = append(&path);
    fs::remove_file(&path)?;
    measured
}

fn append(path: &Path) -> io::Result<Quantiles> {
    let mut file = File::create(path)?;
    let mut latencies = Latencies::default();
    for _ in 0..TIMES {
        let began = Instant::now();
        file.write_all(&[0x5a; APPENDED])?;
        file.sync_data()?;
        latencies.record(began.elapsed());
    }
    Ok(latencies.quantiles())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_the_disk_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let measured = measure(folder.path()).unwrap();
        assert_eq!(measured.count, 200);
        assert!(measured.p50 > 0.0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

//! Processor time, read from `/proc` (proc(5)): that of a process, of this process's threads by
//! their names, and of the whole machine, which tells how much others disturbed a run.

use std::fs;
use std::io;
use std::time::Duration;

/// `USER_HZ`, ticks a second: 100 on every architecture that this program is built for.
const TICKS: u64 = 100;

/// Fields of `/proc/<pid>/stat` after the name in brackets: user and system time, in ticks.
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;

/// User and system time of a process so far, its ended threads included.
///
/// # Errors
/// There is no such process.
pub(super) fn of_process(process: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    used(&stat).map(|(_, time)| time).ok_or_else(unreadable)
}

/// User and system time so far of this process's living threads whose name begins with `name`.
///
/// # Errors
/// `/proc` can't be read.
pub(super) fn of_threads(name: &str) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir("/proc/self/task")? {
        // A thread may end between the two reads.
        let Ok(stat) = fs::read_to_string(thread?.path().join("stat")) else { continue };
        let (found, time) = used(&stat).ok_or_else(unreadable)?;
        if found.starts_with(name) {
            sum += time;
        }
    }
    Ok(sum)
}

/// Time that the machine's processors were busy so far, over all of them.
///
/// # Errors
/// `/proc` can't be read.
pub(super) fn of_machine() -> io::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu"));
    let ticks: Vec<u64> =
        line.ok_or_else(unreadable)?.split_whitespace().filter_map(|t| t.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user already.
    let [user, nice, system, _, _, irq, softirq, steal, ..] = ticks[..] else {
        return Err(unreadable());
    };
    Ok(duration(user + nice + system + irq + softirq + steal))
}

/// The name, and user with system time, of a line of `stat`. The name may hold anything, brackets
/// and blanks included.
fn used(stat: &str) -> Option<(&str, Duration)> {
    let (head, fields) = stat.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some((name, duration(ticks(USER_TIME)? + ticks(SYSTEM_TIME)?)))
}

fn duration(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS)
}

fn unreadable() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "proc is not as proc(5) says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 150 25 0 0 20 0 3 0 5";
        assert_eq!(used(stat), Some(("a) b (c", Duration::from_millis(1750))));
        assert_eq!(used("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_used_some() {
        let before = of_process(std::process::id()).unwrap();
        let began = std::time::Instant::now();
        while began.elapsed() < Duration::from_millis(50) {}
        assert!(of_process(std::process::id()).unwrap() > before);
        assert!(of_threads("").unwrap() > Duration::ZERO);
        assert!(of_machine().unwrap() > Duration::ZERO);
        assert_eq!(of_threads("no such thread").unwrap(), Duration::ZERO);
    }
}

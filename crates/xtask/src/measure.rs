//! Runs programs and says what they took.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Ticks of processor time a second in `/proc/PID/stat`; Linux shows this number on every processor.
const TICKS: f64 = 100.0;

/// How often the memory of a running program is looked at. Its peak never falls, so only the last look counts.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The end of stderr that is kept for a message.
const STDERR_CHARACTERS: usize = 2000;

/// What a program took. What the system does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Usage {
    /// Time on the clock, in seconds.
    pub(crate) seconds: f64,
    /// Processor time, user and system, in seconds, in steps of 10 ms.
    pub(crate) cpu_seconds: Option<f64>,
    /// The largest resident set, in KiB.
    pub(crate) peak_kib: Option<u64>,
    /// Bytes that it caused to be written to disks.
    pub(crate) written_bytes: Option<u64>,
}

/// Runs programs one after the other; all must succeed. Times and bytes are added up, of the peaks the largest counts.
pub(crate) fn run(commands: impl IntoIterator<Item = Command>) -> Result<Usage, Error> {
    let mut all: Option<Usage> = None;
    for mut command in commands {
        let one = run_one(&mut command)?;
        let so_far = all.unwrap_or(Usage {
            seconds: 0.0,
            cpu_seconds: Some(0.0),
            peak_kib: Some(0),
            written_bytes: Some(0),
        });
        all = Some(Usage {
            seconds: so_far.seconds + one.seconds,
            cpu_seconds: so_far.cpu_seconds.zip(one.cpu_seconds).map(|(a, b)| a + b),
            peak_kib: so_far.peak_kib.zip(one.peak_kib).map(|(a, b)| a.max(b)),
            written_bytes: so_far.written_bytes.zip(one.written_bytes).map(|(a, b)| a + b),
        });
    }
    Ok(all.unwrap_or_default())
}

fn run_one(command: &mut Command) -> Result<Usage, Error> {
    let attempt = format!("Running {command:?}");
    let begun = Instant::now();
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(Error::system(&attempt))?;
    let (seconds, peak, stderr) = watch(&mut child, begun);
    // It has ended and nobody has asked how: until then its numbers stay.
    let stat = final_stat(child.id());
    let written_bytes = field(child.id(), "io", "write_bytes:");
    let status = child.wait().map_err(Error::system(attempt))?;
    if !status.success() {
        let skipped = stderr.chars().count().saturating_sub(STDERR_CHARACTERS);
        let stderr = stderr.chars().skip(skipped).collect();
        return Err(Error::Failed { command: format!("{command:?}"), status, stderr });
    }
    Ok(Usage { seconds, cpu_seconds: stat.map(|stat| stat.cpu_seconds), peak_kib: peak, written_bytes })
}

/// Waits until the program closes its stderr, which is at its end: an exact moment that leaves it unreaped.
fn watch(child: &mut Child, begun: Instant) -> (f64, Option<u64>, String) {
    let (ended, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    let process = child.id();
    let mut stderr = Vec::new();
    let seconds = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                peak.fetch_max(field(process, "status", "VmHWM:").unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(LOOK_EVERY);
            }
        });
        if let Some(pipe) = &mut child.stderr {
            // What was read until a failure is enough for a message.
            let _ = pipe.read_to_end(&mut stderr);
        }
        let seconds = begun.elapsed().as_secs_f64();
        ended.store(true, Ordering::Relaxed);
        seconds
    });
    let peak = Some(peak.into_inner()).filter(|&peak| peak > 0);
    (seconds, peak, String::from_utf8_lossy(&stderr).into_owned())
}

/// A number behind a name in a file of `/proc/PID`.
fn field(process: u32, file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/{file}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[derive(Debug, PartialEq)]
struct Stat {
    ended: bool,
    cpu_seconds: f64,
}

/// The last state of a program that is about to end.
fn final_stat(process: u32) -> Option<Stat> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let stat = parse_stat(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)?;
        if stat.ended || Instant::now() > deadline {
            return Some(stat);
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Reads `/proc/PID/stat`; processor time includes that of children that have been waited for.
fn parse_stat(text: &str) -> Option<Stat> {
    // The program's name is in parentheses, and may have any character in it.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ended = matches!(*fields.first()?, "Z" | "X");
    let ticks: u64 = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(Stat { ended, cpu_seconds: ticks as f64 / TICKS })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_anything_in_it() {
        let text = "42 (a ) b) Z 1 42 42 0 -1 4228108 7 0 0 0 123 45 6 7 20 0 1 0 99 0 0";
        assert_eq!(parse_stat(text), Some(Stat { ended: true, cpu_seconds: 1.81 }));
        assert_eq!(parse_stat("42 (sh) S 1 42"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_that_works_and_writes_is_seen_to_do_so() {
        let directory = tempfile::tempdir().unwrap();
        let mut write = Command::new("dd");
        let output = format!("of={}", directory.path().join("zeros").display());
        write.args(["if=/dev/zero", &output, "bs=1M", "count=40", "conv=fsync"]);
        let mut hash = Command::new("sha256sum");
        hash.arg(directory.path().join("zeros"));
        let usage = run([write, hash]).unwrap();
        assert!(usage.seconds > 0.0);
        assert!(usage.cpu_seconds.unwrap() > 0.0, "{usage:?}");
        assert!(usage.peak_kib.unwrap() > 500, "{usage:?}");
        assert!(usage.written_bytes.is_some(), "{usage:?}");
    }

    #[test]
    fn a_program_that_fails_is_an_error_with_what_it_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such thing >&2; exit 3"]);
        let Err(Error::Failed { status, stderr, .. }) = run([command]) else { panic!("it failed") };
        assert_eq!((status.code(), stderr.as_str()), (Some(3), "no such thing\n"));
    }
}

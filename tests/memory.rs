//! Memory stays flat however large a layer is. The numbers here bound every process that takes part.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]
#![cfg(target_os = "linux")]

use std::io::Write;
use std::process::Stdio;

use imgpkg_testkit::{Registry, Tool};

/// The size of the one file that is pushed, copied and pulled: more than anything is allowed to hold.
const FILE_BYTES: usize = 256 * 1024 * 1024;

/// The most that a process may ever have resident, in KiB.
const LIMIT_KIB: u64 = 100 * 1024;

/// The largest resident set that the process has had so far, in KiB.
fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Runs the tool to its end and returns the largest resident set it was seen to have, in KiB.
fn run(imgpkg: &Tool, arguments: &[&str]) -> u64 {
    let mut child = imgpkg.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    loop {
        // The last look is at most a few milliseconds before the end, and the peak never falls.
        if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
            let now = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let now = now.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse().ok());
            peak = peak.max(now.unwrap_or(0));
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{arguments:?}");
            return peak;
        }
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
}

#[test]
fn a_layer_of_256_mib_is_moved_in_every_direction_in_less_than_100_mib() {
    let imgpkg = Tool::new(env!("CARGO_BIN_EXE_imgpkg"));
    let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
    let content = tempfile::tempdir().unwrap();
    let mut file = std::fs::File::create(content.path().join("large")).unwrap();
    // Neither all alike nor without any pattern, so that the layer is neither tiny nor stored as it is.
    let mut number = 1u32;
    for _ in 0..FILE_BYTES / 65536 {
        let block: Vec<u8> = (0..65536)
            .map(|_| {
                number = number.wrapping_mul(1_103_515_245).wrapping_add(12345);
                (number >> 16) as u8 & 0x3f
            })
            .collect();
        file.write_all(&block).unwrap();
    }
    drop(file);
    let path = |name: &str| imgpkg.home().join(name).to_str().unwrap().to_owned();
    let (tar, saved, out) = (path("x.tar"), path("saved.tar"), path("out"));
    let (from, to) = (source.reference("src/large:v1"), destination.reference("dst/large"));
    let directory = content.path().to_str().unwrap();
    let imported = destination.reference("dst/imported");
    let jobs: [&[&str]; 6] = [
        &["push", "-i", &from, "-f", directory],
        &["save", "-i", "large", "-f", directory, "--to-tar", &saved],
        &["copy", "-i", &from, "--to-repo", &to],
        &["copy", "-i", &from, "--to-tar", &tar],
        &["copy", "--tar", &tar, "--to-repo", &imported],
        &["pull", "-i", &from, "-o", &out],
    ];
    for job in jobs {
        let peak = run(&imgpkg, job);
        assert!(peak > 1024, "the peak was not seen: {job:?}");
        assert!(peak < LIMIT_KIB, "{job:?}: {peak} KiB");
    }
    for registry in [source, destination] {
        let peak = peak_kib(registry.process_id());
        assert!(peak < LIMIT_KIB, "the registry: {peak} KiB");
    }
}

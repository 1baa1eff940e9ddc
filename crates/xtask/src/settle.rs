//! Equal ground for each run.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// How much is written at once.
const BLOCK_BYTES: usize = 1024 * 1024;

/// Lets the disk come to rest, so that no run pays for the one before, and then has so many bytes of memory ready.
///
/// Many virtual machines give memory that is free for a few seconds back to their host, and getting a page again can
/// take ten times as long as filling it: the same `dd` took between 0.2 and 1.9 seconds, for nothing but that. So a
/// file is written and removed right before each run, whose memory is then still there.
pub(crate) fn settle(scratch: &Path, bytes: u64) {
    // Where there is no such program, runs disturb each other a little more.
    let _ = Command::new("sync").status();
    let file = scratch.join("settle");
    // Removed before the disk has seen it. Where it cannot be written, the run itself will say so.
    let _ = fill(&file, bytes);
    let _ = std::fs::remove_file(&file);
}

fn fill(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    let block = vec![1; BLOCK_BYTES];
    (0..bytes.div_ceil(BLOCK_BYTES as u64)).try_for_each(|_| file.write_all(&block))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_filled_in_whole_blocks_and_nothing_of_it_stays() {
        let directory = tempfile::tempdir().unwrap();
        fill(&directory.path().join("file"), 1_500_000).unwrap();
        assert_eq!(std::fs::metadata(directory.path().join("file")).unwrap().len(), 2 * 1024 * 1024);
        std::fs::remove_file(directory.path().join("file")).unwrap();
        settle(directory.path(), 1_500_000);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

//! The least that a copy must take, by programs that do one thing: `curl` fetches, `sha256sum` hashes, `dd` writes.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::error::Error;
use crate::job::Job;
use crate::measure::{self, Usage};
use crate::tool::find;

/// The names of the programs in the report.
pub(crate) const CURL: &str = "curl";
/// See [`CURL`].
pub(crate) const SHA256SUM: &str = "sha256sum";
/// See [`CURL`].
pub(crate) const DD: &str = "dd";

/// Fetches every blob to nowhere, eight at a time.
pub(crate) fn fetch(host: &str, blobs: &[String], scratch: &Path) -> Result<Usage, Error> {
    let list: String =
        blobs.iter().map(|blob| format!("url = \"http://{host}{blob}\"\noutput = /dev/null\n")).collect();
    let file = scratch.join("curl.list");
    std::fs::write(&file, list).map_err(Error::system("Writing the list for curl"))?;
    let mut command = program(CURL)?;
    command.args([
        "--disable",
        "--silent",
        "--show-error",
        "--fail",
        "--parallel",
        "--parallel-max",
        "8",
        "--config",
    ]);
    command.arg(file);
    measure::run([command])
}

/// Hashes, writes and syncs the bytes of this archive, which are in memory already.
///
/// `settle` is called before each program that writes.
pub(crate) fn hash_and_write(
    tar: &Path,
    scratch: &Path,
    settle: impl Fn(),
) -> Result<Vec<(Job, &'static str, Usage)>, Error> {
    let mut hash = program(SHA256SUM)?;
    hash.arg(tar);
    let hash = measure::run([hash])?;
    let output = scratch.join("written");
    let copy = |options: &[&str]| -> Result<Usage, Error> {
        settle();
        let mut command = program(DD)?;
        command.arg(format!("if={}", tar.display())).arg(format!("of={}", output.display())).args(options);
        measure::run([command])
    };
    let remove = || std::fs::remove_file(&output).map_err(Error::system("Removing what dd wrote"));
    let write = copy(&["bs=1M", "conv=fsync"])?;
    remove()?;
    // Once more without the sync, which is then timed alone.
    copy(&["bs=1M"])?;
    let begun = Instant::now();
    let sync = File::open(&output).and_then(|file| file.sync_all());
    let seconds = begun.elapsed().as_secs_f64();
    sync.map_err(Error::system("Syncing what dd wrote"))?;
    remove()?;
    let sync = Usage { seconds, ..Usage::default() };
    Ok(vec![(Job::Hash, SHA256SUM, hash), (Job::Write, DD, write), (Job::Sync, DD, sync)])
}

fn program(name: &'static str) -> Result<Command, Error> {
    find(name).map(Command::new).ok_or(Error::Missing { program: name })
}

//! The project's own tasks, run as `cargo xtask TASK`. There is one: `bench`, which measures the copy engine against the
//! tools it is compared with, over registries and a delaying proxy of its own; `docs/benchmarks.md` explains it.
//!
//! [`workload`] says what is copied and [`content`] makes its bytes, [`site`] has the registries and the [`proxy`]
//! between, [`tool`] knows each tool's command line for each [`job`], [`measure`] runs it, [`mod@bench`] does all that in
//! turn, [`target`] compares with the limits, and [`report`] prints.

mod bench;
mod content;
mod error;
mod floor;
mod job;
mod measure;
mod options;
mod proxy;
mod report;
mod sample;
mod settle;
mod site;
mod target;
mod tool;
mod workload;

use std::io::Write;
use std::process::ExitCode;

use crate::error::Error;
use crate::options::Options;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = format!("xtask: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(next) = cause {
                text.push_str(&format!(": {next}"));
                cause = next.source();
            }
            say(&text);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("bench") => bench::run(&Options::parse(arguments)?),
        _ => Err(Error::Usage { problem: "the task is missing or unknown".into() }),
    }
}

/// Writes a line to stderr. Nobody is left to tell when that fails.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

//! Each rule of the flag parser, and each rule that arguments have to keep, on whole command lines.

use std::path::PathBuf;
use std::time::Duration;

use super::content::ImageKind;
use super::copy::{CopyDestination, CopySource};
use super::pull::PullSource;
use super::push::{ArchiveDestination, PushRequest};
use super::*;
use crate::ui::progress::Style;
use crate::ui::{Mode, error};

fn parsed(line: &str) -> Result<Invocation, UsageError> {
    let words: Vec<OsString> =
        std::iter::once("imgpkg").chain(line.split_whitespace()).map(OsString::from).collect();
    parse(&words)
}

/// A command line whose words may hold spaces, or be empty.
fn parsed_words(words: &[&str]) -> Result<Invocation, UsageError> {
    let words: Vec<OsString> =
        std::iter::once("imgpkg").chain(words.iter().copied()).map(OsString::from).collect();
    parse(&words)
}

fn run(invocation: Result<Invocation, UsageError>) -> (GlobalArgs, Command) {
    match invocation {
        Ok(Invocation::Run(run)) => *run,
        other => panic!("no command: {other:?}"),
    }
}

fn push_words(words: &[&str]) -> Box<PushArgs> {
    match run(parsed_words(&[&["push"], words].concat())).1 {
        Command::Push(push) => push,
        other => panic!("not push: {other:?}"),
    }
}

fn push(line: &str) -> Box<PushArgs> {
    push_words(&line.split_whitespace().collect::<Vec<_>>())
}

fn pull(line: &str) -> Box<PullArgs> {
    match run(parsed(&format!("pull {line}"))).1 {
        Command::Pull(pull) => pull,
        other => panic!("not pull: {other:?}"),
    }
}

fn copy(line: &str) -> Box<CopyArgs> {
    match run(parsed(&format!("copy {line}"))).1 {
        Command::Copy(copy) => copy,
        other => panic!("not copy: {other:?}"),
    }
}

fn save(line: &str) -> Box<SaveArgs> {
    match run(parsed(&format!("save {line}"))).1 {
        Command::Save(save) => save,
        other => panic!("not save: {other:?}"),
    }
}

fn usage(line: &str) -> String {
    parsed(line).unwrap_err().to_string()
}

fn text(error: ArgumentError) -> String {
    error::message(&error)
}

fn files(words: &[&str]) -> Vec<PathBuf> {
    match push_words(&[&["-b", "r.example/app"], words].concat()).request().unwrap() {
        PushRequest::Files { content, .. } => content.files,
        other => panic!("no files: {other:?}"),
    }
}

fn exclusions(words: &[&str]) -> Vec<String> {
    push_words(words).content.exclusions.paths.clone()
}

mod flags;
mod requests;

//! What is wrong with a command line, in the words of the reference's flag parser where there are such.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

/// A command line that breaks the rules of flags and commands.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum UsageError {
    /// A word that no command takes.
    #[error("command '{command}' does not accept extra arguments '{argument}'")]
    ExtraArgument {
        /// The command, with those above it.
        command: String,
        /// The word.
        argument: String,
    },
    /// A long flag that the command does not have.
    #[error("unknown flag: {flag}")]
    UnknownFlag {
        /// The flag with its dashes.
        flag: String,
    },
    /// A short flag that the command does not have.
    #[error("unknown shorthand flag: '{flag}' in -{word}")]
    UnknownShorthand {
        /// The flag.
        flag: char,
        /// What stands from it on to the end of the word.
        word: String,
    },
    /// A long flag as the last word that needs a value.
    #[error("flag needs an argument: {flag}")]
    MissingValue {
        /// The flag with its dashes.
        flag: String,
    },
    /// The same with a short flag.
    #[error("flag needs an argument: '{flag}' in -{flag}")]
    MissingShorthandValue {
        /// The flag.
        flag: char,
    },
    /// A value that is not of the kind that the flag takes.
    #[error("invalid argument {value:?} for \"{flag}\" flag: {reason}")]
    Value {
        /// What was given.
        value: String,
        /// The flag, with its short form where it has one.
        flag: String,
        /// What is wrong.
        reason: String,
    },
    /// Anything else, in clap's words.
    #[error("{text}")]
    Other {
        /// The first line of clap's message.
        text: String,
    },
}

impl UsageError {
    /// Puts what the parser found into words.
    pub(super) fn of_parser(error: &clap::Error, command: &Command, words: &[OsString]) -> Self {
        let specific = match error.kind() {
            ErrorKind::UnknownArgument => unknown(error, words),
            ErrorKind::InvalidValue
                if context(error, ContextKind::InvalidValue).is_none_or(str::is_empty) =>
            {
                missing_value(error, command, words)
            }
            ErrorKind::ValueValidation => invalid_value(error, command),
            _ => None,
        };
        specific.unwrap_or_else(|| Self::Other { text: first_line(error) })
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

fn unknown(error: &clap::Error, words: &[OsString]) -> Option<UsageError> {
    let argument = context(error, ContextKind::InvalidArg)?;
    if argument.starts_with("--") {
        let flag = argument.split_once('=').map_or(argument, |(flag, _)| flag);
        return Some(UsageError::UnknownFlag { flag: flag.to_owned() });
    }
    let flag = argument.strip_prefix('-')?.chars().next()?;
    let typed = words.iter().filter_map(|word| word.to_str()).find_map(|word| {
        let cluster = word.strip_prefix('-').filter(|cluster| !cluster.starts_with('-'))?;
        cluster.find(flag).map(|at| &cluster[at..])
    });
    let word = typed.map_or_else(|| flag.to_string(), str::to_owned);
    Some(UsageError::UnknownShorthand { flag, word })
}

/// Every flag takes the word behind it, so the flag without a value is the last word.
fn missing_value(error: &clap::Error, command: &Command, words: &[OsString]) -> Option<UsageError> {
    let flag = named_flag(error, command)?;
    let last = words.last().and_then(|word| word.to_str()).unwrap_or_default();
    match flag.get_short() {
        Some(short) if !last.starts_with("--") => Some(UsageError::MissingShorthandValue { flag: short }),
        _ => Some(UsageError::MissingValue { flag: format!("--{}", flag.get_long()?) }),
    }
}

fn invalid_value(error: &clap::Error, command: &Command) -> Option<UsageError> {
    let flag = named_flag(error, command)?;
    let long = flag.get_long()?;
    Some(UsageError::Value {
        value: context(error, ContextKind::InvalidValue)?.to_owned(),
        flag: flag.get_short().map_or_else(|| format!("--{long}"), |short| format!("-{short}, --{long}")),
        reason: std::error::Error::source(error)?.to_string(),
    })
}

/// The flag that the parser speaks of. It names it by its long name, with the shape of its value behind.
fn named_flag<'a>(error: &clap::Error, command: &'a Command) -> Option<&'a Arg> {
    let name = context(error, ContextKind::InvalidArg)?.strip_prefix("--")?;
    let end = name.find([' ', '=', '[']).unwrap_or(name.len());
    flag_below(command, &name[..end])
}

fn flag_below<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
    let here = command.get_arguments().find(|flag| flag.get_long() == Some(long));
    here.or_else(|| command.get_subcommands().find_map(|below| flag_below(below, long)))
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

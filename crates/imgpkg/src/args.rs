//! Arguments, in two steps: a struct per command holds what was typed, and its `request` method checks that and says what
//! is meant. Commands see nothing of the first but where registry flags are concerned.
//!
//! The flags follow the rules of Go's parsers, as the reference's do: of a flag that takes one value the last occurrence
//! counts, booleans take their value only behind `=`, lists are comma-separated records.

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory, FromArgMatches};

mod concurrency;
mod error;
mod exclusion;
mod grammar;
mod help;
mod reference;
mod usage;
mod value;

pub(crate) mod completion;
pub(crate) mod content;
pub(crate) mod copy;
pub(crate) mod describe;
pub(crate) mod global;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod registry;
pub(crate) mod save;
pub(crate) mod serve;
pub(crate) mod tag;

pub(crate) use self::error::ArgumentError;
pub(crate) use self::usage::UsageError;

use self::completion::CompletionArgs;
use self::copy::CopyArgs;
use self::describe::DescribeArgs;
use self::global::GlobalArgs;
use self::pull::PullArgs;
use self::push::PushArgs;
use self::save::SaveArgs;
use self::serve::ServeArgs;
use self::tag::{TagArgs, TagCommand};

const ABOUT: &str = "imgpkg allows to store configuration and image references as OCI artifacts";

const LONG: &str = "\
A bundle is an image that holds configuration and a list of the images which that configuration refers to. imgpkg packs
bundles, moves them with all their images between registries and across air gaps, and unpacks them.";

const EXAMPLES: &str = "  # Pack, push, carry to another registry, unpack
  imgpkg push -b registry.example/app-config:v1.0.0 -f config/
  imgpkg copy -b registry.example/app-config:v1.0.0 --to-tar app.tar
  imgpkg copy --tar app.tar --to-repo internal.example/app-config
  imgpkg pull -b internal.example/app-config:v1.0.0 -o config/

  # A registry to try that with
  imgpkg serve";

/// A command line.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "imgpkg", about = ABOUT, long_about = LONG, after_long_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// The commands, each with what was typed behind it. Their structs say what they are for: a comment on a variant would
/// take the place of that in the help.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    Completion(CompletionArgs),
    Copy(Box<CopyArgs>),
    Describe(Box<DescribeArgs>),
    Help(HelpArgs),
    Pull(Box<PullArgs>),
    Push(Box<PushArgs>),
    Save(Box<SaveArgs>),
    Serve(ServeArgs),
    Tag(Box<TagArgs>),
    Version(VersionArgs),
}

/// What was typed behind `imgpkg help`.
#[derive(Debug, Clone, clap::Args)]
#[command(about = "Help about any command")]
pub(crate) struct HelpArgs {
    #[arg(value_name = "command")]
    words: Vec<String>,
}

/// What was typed behind `imgpkg version`: nothing.
#[derive(Debug, Clone, clap::Args)]
#[command(about = "Print client version")]
pub(crate) struct VersionArgs {}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// Help that a flag asks for; it succeeds.
    Help(String),
    /// Help that the command `help` asks for; it has nothing to succeed in.
    HelpCommand(String),
    /// The version, by a flag.
    Version,
    /// Nothing; here is help.
    Nothing(String),
    /// A command.
    Run(Box<(GlobalArgs, Command)>),
}

/// Reads a command line, its first word being the program's name.
///
/// # Errors
/// When it breaks the rules of flags and commands, in the reference's words where those are known.
pub(crate) fn parse(words: &[OsString]) -> Result<Invocation, UsageError> {
    let command = command();
    let grammar = grammar::with_extra_arguments(command.clone());
    let matches = grammar
        .try_get_matches_from(words)
        .map_err(|error| UsageError::of_parser(&error, &command, words))?;
    let path = grammar::path(&matches);
    if path.levels.iter().any(|level| grammar::flag(level, "help")) {
        return Ok(Invocation::Help(help::text(&command, &path.names)));
    }
    if let Some((names, extra)) = path.first_extra_argument() {
        return Err(UsageError::ExtraArgument { command: names, argument: extra });
    }
    if grammar::flag(&matches, "version") {
        return Ok(Invocation::Version);
    }
    typed(&matches, &command)
}

fn typed(matches: &ArgMatches, command: &clap::Command) -> Result<Invocation, UsageError> {
    let cli = Cli::from_arg_matches(matches).map_err(|error| UsageError::of_parser(&error, command, &[]))?;
    match cli.command {
        None => Ok(Invocation::Nothing(help::text(command, &[]))),
        Some(Command::Help(help)) => Ok(Invocation::HelpCommand(help::text(command, &help.words))),
        Some(command) => Ok(Invocation::Run(Box::new((cli.global, command)))),
    }
}

impl Command {
    /// What to say about flags that were typed under a name that they no longer have.
    pub(crate) fn deprecation(&self) -> Option<&'static str> {
        let content = match self {
            Self::Push(push) => &push.content,
            Self::Save(save) => &save.content,
            _ => return None,
        };
        content
            .exclusions
            .deprecated
            .then_some("Flag --file-exclude-defaults has been deprecated, use '--file-exclusion' instead")
    }
}

impl TagArgs {
    /// The command about tags that was typed.
    ///
    /// # Errors
    /// When none was.
    pub(crate) fn request(&self) -> Result<&TagCommand, ArgumentError> {
        self.command.as_ref().ok_or(ArgumentError::Subcommand { subcommands: "list, resolve" })
    }
}

/// The commands and flags as help and completion show them.
pub(crate) fn command() -> clap::Command {
    grammar::with_go_flags(Cli::command())
}

#[cfg(test)]
mod tests;

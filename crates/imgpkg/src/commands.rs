//! The commands, one file each: from arguments to a call of a library, and from its outcome to words.

use std::io;

use imgpkg_oci::StoreError;

use crate::args::{ArgumentError, Command};
use crate::context::Context;
use crate::interrupt::Interrupt;
use crate::ui::table::UnknownColumn;

mod completion;
mod serve;
mod tag;
pub(crate) mod version;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CommandError {
    /// The arguments are no request.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// A registry client could not be made, or a registry did not do what it should.
    #[error(transparent)]
    Registry(#[from] imgpkg_registry::Error),
    /// A store did not do what it should.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedded registry could not start or go on.
    #[error(transparent)]
    Serve(#[from] imgpkg_serve::Error),
    /// `--column` names a column that is not there.
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    /// A command that this build does not have.
    #[error("This build cannot run the command '{command}'")]
    Missing {
        /// The command.
        command: &'static str,
    },
    /// There was a signal to stop.
    #[error("{0}")]
    Interrupted(Interrupt),
    /// The runtime that all I/O goes through could not be started.
    #[error("Starting the runtime")]
    Runtime(#[source] io::Error),
    /// Standard output could not be written to.
    #[error("Writing to standard output")]
    Output(#[source] io::Error),
}

impl CommandError {
    /// The exit code that tells of it.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted(interrupt) => interrupt.exit_code(),
            _ => 1,
        }
    }
}

/// Runs a command to its end.
///
/// # Errors
/// When it could not do what it was asked.
pub(crate) async fn run(command: &Command, context: &Context) -> Result<(), CommandError> {
    match command {
        // Their output is for other programs; nothing is added to it.
        Command::Completion(args) => return completion::run(args, context),
        Command::Serve(args) => return serve::run(args, context).await,
        Command::Copy(args) => args.request().map_err(CommandError::from).and_then(|_| missing("copy"))?,
        Command::Describe(args) => {
            args.request().map_err(CommandError::from).and_then(|_| missing("describe"))?
        }
        Command::Pull(args) => args.request().map_err(CommandError::from).and_then(|_| missing("pull"))?,
        Command::Push(args) => args.request().map_err(CommandError::from).and_then(|_| missing("push"))?,
        Command::Save(args) => args.request().map_err(CommandError::from).and_then(|_| missing("save"))?,
        Command::Tag(args) => tag::run(args, context).await?,
        // `args::parse` answers `help` itself.
        Command::Help(_) => {}
        Command::Version(_) => version::run(context),
    }
    context.ui.succeeded();
    Ok(())
}

fn missing(command: &'static str) -> Result<(), CommandError> {
    Err(CommandError::Missing { command })
}

//! The commands, one file each: from arguments to a call of a library, and from its outcome to words.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use imgpkg_oci::{ReferenceError, StoreError};

use crate::args::{ArgumentError, Command};
use crate::context::Context;
use crate::interrupt::Interrupt;
use crate::keychains::UnknownKeychain;
use crate::ui::table::UnknownColumn;

mod completion;
mod copy;
mod describe;
mod lock_output;
mod metered;
mod pack;
mod pull;
mod push;
mod save;
mod serve;
mod tag;
mod unfinished;
pub(crate) mod version;

pub(crate) use self::unfinished::hints;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CommandError {
    /// The arguments are no request.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The environment names a keychain that nobody has.
    #[error(transparent)]
    Keychain(#[from] UnknownKeychain),
    /// A registry client could not be made, or a registry did not do what it should.
    #[error(transparent)]
    Registry(#[from] imgpkg_registry::Error),
    /// A store did not do what it should.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedded registry could not start or go on.
    #[error(transparent)]
    Serve(#[from] imgpkg_serve::Error),
    /// A registry lists something as a tag that cannot be looked up.
    #[error("Looking up tag {name:?}")]
    Tag {
        /// What it lists.
        name: String,
        /// Why it is no tag.
        source: ReferenceError,
    },
    /// `--column` names a column that is not there.
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    /// An image could not be built or unpacked.
    #[error(transparent)]
    Image(#[from] imgpkg_bundle::Error),
    /// A copy failed.
    #[error(transparent)]
    Copy(#[from] imgpkg_copy::Error),
    /// A push failed.
    #[error("Writing '{target}': Writing image")]
    Push {
        /// What was to be written.
        target: String,
        /// What went wrong.
        source: Box<imgpkg_copy::Error>,
    },
    /// A pull failed.
    #[error(transparent)]
    Pull(#[from] imgpkg_bundle::pull::Error),
    /// A bundle could not be described.
    #[error(transparent)]
    Describe(Box<imgpkg_bundle::describe::Error>),
    /// An archive cannot be read.
    #[error(transparent)]
    Archive(Box<imgpkg_archive::Error>),
    /// A lock file cannot be read.
    #[error(transparent)]
    Lock(imgpkg_lock::Error),
    /// The lock file to pull is one of images. The cause is part of the text, before what to do about it.
    #[error(
        "{cause} (hint: '{}' is an ImagesLock, and pull takes a BundleLock; \
         'imgpkg copy --lock {}' copies the images of an ImagesLock)",
        path.display(),
        path.display()
    )]
    PulledImagesLock {
        /// The file.
        path: PathBuf,
        /// Why it is no BundleLock, with all causes.
        cause: String,
    },
    /// A lock file cannot be written.
    #[error("Writing {document}: {problem}")]
    LockOutput {
        /// What kind of lock file, in the reference's words.
        document: &'static str,
        /// What went wrong, and what had been done by then.
        problem: String,
    },
    /// The tag in a lock file is none.
    #[error("Reading the tag of the bundle in the lock file")]
    LockedTag(#[source] ReferenceError),
    /// No name could be made for what is saved.
    #[error("Naming the image (hint: give it a name with -b NAME or -i NAME)")]
    SavedName(#[source] ReferenceError),
    /// An archive with another number of images than the one that can be pushed.
    #[error(
        "Expected '{}' to hold exactly one image or bundle to push, but it holds {count} \
         (hint: 'imgpkg copy --tar {} --to-repo …' imports all that an archive holds)",
        tar.display(),
        tar.display()
    )]
    SeveralItems {
        /// The archive.
        tar: PathBuf,
        /// How many it holds.
        count: usize,
    },
    /// One of the program's own tasks ended abnormally.
    #[error("a task ended abnormally; this is a defect of this program")]
    Task(#[source] Arc<tokio::task::JoinError>),
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

// The errors of these two crates are several times the size of the others.

impl From<imgpkg_bundle::describe::Error> for CommandError {
    fn from(error: imgpkg_bundle::describe::Error) -> Self {
        Self::Describe(Box::new(error))
    }
}

impl From<imgpkg_archive::Error> for CommandError {
    fn from(error: imgpkg_archive::Error) -> Self {
        Self::Archive(Box::new(error))
    }
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
        Command::Copy(args) => copy::run(args, context).await?,
        Command::Describe(args) => describe::run(args, context).await?,
        Command::Pull(args) => pull::run(args, context).await?,
        Command::Push(args) => push::run(args, context).await?,
        Command::Save(args) => save::run(args, context).await?,
        Command::Tag(args) => tag::run(args, context).await?,
        // `args::parse` answers `help` itself.
        Command::Help(_) => {}
        Command::Version(_) => version::run(context),
    }
    context.progress.rest();
    context.ui.succeeded();
    Ok(())
}

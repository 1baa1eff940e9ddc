//! What can go wrong.

use std::process::ExitStatus;

/// Why a task did not get to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The arguments are not understood.
    #[error(
        "{problem}\nusage: cargo xtask bench [--quick] [--rounds N] [--only S|L] [--binary PATH] [--json FILE] [--no-docker]"
    )]
    Usage {
        /// What is wrong with them.
        problem: String,
    },
    /// The system refused something.
    #[error("{what}")]
    System {
        /// What was attempted.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program failed.
    #[error("{command} ended with {status}: {stderr}")]
    Failed {
        /// The program and its arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote to stderr.
        stderr: String,
    },
    /// A registry did not take what it was given.
    #[error("{request} was answered with {status}")]
    Refused {
        /// Method and path.
        request: String,
        /// The status it answered with.
        status: u16,
    },
    /// A program that the benchmark rests on is not there.
    #[error("{program} is not on PATH")]
    Missing {
        /// Its name.
        program: &'static str,
    },
}

impl Error {
    /// For `map_err`: the system's error with what was attempted.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}

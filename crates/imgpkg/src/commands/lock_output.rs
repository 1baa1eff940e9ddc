//! The lock file that `push` and `copy` write when everything else is done.

use std::path::{Path, PathBuf};

use imgpkg_copy::{ImageSet, Outcome, record};
use imgpkg_lock::AnyLock;

use super::CommandError;
use crate::ui::error::message;

/// Where a lock file is to be written, and after what.
pub(super) struct LockOutput {
    path: PathBuf,
    /// What it belongs to: `copy`, `push`.
    command: &'static str,
}

impl LockOutput {
    /// The lock file of this command at `path`, if the user wants one. Nothing is written yet, but it is made sure that
    /// it can be, as long as refusing costs nothing.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) fn checked(
        path: Option<&Path>,
        command: &'static str,
        set: &ImageSet,
    ) -> Result<Option<Self>, CommandError> {
        let Some(path) = path else { return Ok(None) };
        let document = document(set.items.iter().any(|item| item.root_bundle));
        imgpkg_lock::check_writable(path).map_err(|error| failure(document, error, None))?;
        Ok(Some(Self { path: path.to_owned(), command }))
    }

    /// Writes it.
    ///
    /// # Errors
    /// When there is nothing that it could say, or it cannot be written.
    pub(super) fn write(&self, set: &ImageSet, outcome: &Outcome) -> Result<(), CommandError> {
        let lock = record::lock_output(set, outcome)?;
        let document = document(matches!(lock, AnyLock::Bundle(_)));
        lock.write(&self.path).map_err(|error| failure(document, error, Some(self.command)))
    }
}

/// The reference's word for the kind of lock file.
fn document(bundle: bool) -> &'static str {
    if bundle { "bundle config" } else { "images config" }
}

/// The error about a lock file; with a command, that had succeeded.
fn failure(document: &'static str, error: imgpkg_lock::Error, after: Option<&str>) -> CommandError {
    let mut problem = match &error {
        // It says less than its cause, which names the file too.
        imgpkg_lock::Error::Write { source, .. } => source.to_string(),
        error => message(error),
    };
    if let Some(command) = after {
        problem.push_str(&format!(" (hint: the {command} itself succeeded; only its lock file is missing)"));
    }
    CommandError::LockOutput { document, problem }
}

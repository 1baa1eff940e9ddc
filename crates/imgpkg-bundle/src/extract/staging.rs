//! The directory beside an output that its new content is made in: `.NAME.imgpkg-XXXXXX`.
//!
//! Whoever fills one keeps it locked. So what a killed process left can be told from what another process is filling at
//! the moment, and the next pull to the same output deletes it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::AtFlags;

use super::directory;
use crate::Error;
use crate::error::output;

/// How much of the output's name is in the name of the directory beside it; names of 255 bytes are the longest.
const MAX_NAME: usize = 50;

/// How many random letters and digits end the name.
const RANDOM: usize = 6;

/// How many names are tried.
const ATTEMPTS: usize = 100;

/// A directory beside an output, which is deleted when nobody uses it any more.
#[derive(Debug)]
pub(super) struct Staging {
    path: PathBuf,
    /// The parents of the output that did not exist before, outermost first.
    parents: Vec<PathBuf>,
    is_done: AtomicBool,
    /// The open directory, locked where the file system can do that.
    lock: Option<File>,
}

impl Staging {
    /// Makes the missing parents of `location` and the directory beside it, and deletes what killed processes left there
    /// for the same output. `typed` is what messages call the output.
    pub(super) fn create(location: &Path, typed: &Path) -> Result<Self, Error> {
        let parent = location.parent().unwrap_or(Path::new("/"));
        let missing: Vec<_> = parent.ancestors().take_while(|path| !path.exists()).collect();
        let (is_done, lock) = (AtomicBool::new(false), None);
        let mut staging = Self { path: PathBuf::new(), parents: Vec::new(), is_done, lock };
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                Ok(()) => staging.parents.push(path.to_owned()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
                Err(error) => return Err(output("mkdir", path)(error)),
            }
        }
        let prefix = prefix(location);
        let (path, lock) = make(parent, &prefix).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Error::OutputParent { path: typed.to_owned(), parent: parent.to_owned(), cause: error.into() }
            }
            _ => output("mkdir", typed)(error),
        })?;
        // What cannot be deleted is in nobody's way but takes up room.
        let _ignored = lock.metadata().and_then(|ours| remove_leftovers(parent, &prefix, ours.uid()));
        (staging.path, staging.lock) = (path, Some(lock));
        Ok(staging)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on the directory is in its place, and stays.
    pub(super) fn set_done(&self) {
        self.is_done.store(true, Ordering::Release);
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if *self.is_done.get_mut() {
            return;
        }
        // Best effort: whatever led here is the error that matters, and the name says what it is.
        if !self.path.as_os_str().is_empty() {
            let _ignored = fs::remove_dir_all(&self.path);
        }
        for parent in self.parents.iter().rev() {
            let _ignored = fs::remove_dir(parent);
        }
    }
}

/// What the names of the directories beside an output start with.
fn prefix(location: &Path) -> String {
    let name = location.file_name().unwrap_or_default().to_string_lossy();
    let end = (0..=MAX_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    format!(".{}.imgpkg-", &name[..end])
}

/// Makes a directory with a new name and locks it.
fn make(parent: &Path, prefix: &str) -> io::Result<(PathBuf, File)> {
    for _ in 0..ATTEMPTS {
        let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(RANDOM).collect();
        let path = parent.join(format!("{prefix}{random}"));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            result => result?,
        }
        match claim(&path) {
            Ok(Some(lock)) => return Ok((path, lock)),
            Ok(None) => {}
            Err(error) => {
                // The error says more than one about the cleaning up.
                let _ignored = fs::remove_dir(&path);
                return Err(error);
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Locks a directory just made. `None` if another process took it for a leftover meanwhile.
fn claim(path: &Path) -> io::Result<Option<File>> {
    let Some(directory) = found(File::open(path))? else { return Ok(None) };
    if matches!(directory.try_lock(), Err(TryLockError::WouldBlock)) {
        return Ok(None);
    }
    let Some(named) = found(fs::symlink_metadata(path))? else { return Ok(None) };
    let ours = directory.metadata()?;
    Ok((named.ino() == ours.ino() && named.dev() == ours.dev()).then_some(directory))
}

/// Locks an output that is about to be moved away and deleted, so that no other pull takes it for a leftover meanwhile.
pub(super) fn lock(output: &Path) -> Option<File> {
    let directory = File::open(output).ok().filter(|_| !output.is_symlink())?;
    directory.try_lock().ok().map(|()| directory)
}

/// Deletes the directories beside an output that nobody fills any more. `owner` is the user whose they have to be.
fn remove_leftovers(parent: &Path, prefix: &str, owner: u32) -> io::Result<()> {
    let parent = File::open(parent)?;
    for name in directory::names(&parent)? {
        if is_leftover(&name, prefix) {
            // The next one may be possible.
            let _ignored = remove_leftover(&parent, &name, owner);
        }
    }
    Ok(())
}

fn is_leftover(name: &[u8], prefix: &str) -> bool {
    let random = name.strip_prefix(prefix.as_bytes());
    random.is_some_and(|random| random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric))
}

fn remove_leftover(parent: &File, name: &[u8], owner: u32) -> io::Result<()> {
    let Some(leftover) = directory::open_directory(parent, name)? else { return Ok(()) };
    let leftover = File::from(leftover);
    // Where files cannot be locked, nobody can tell whether it is in use.
    if leftover.metadata()?.uid() != owner || leftover.try_lock().is_err() {
        return Ok(());
    }
    // The pull that filled it may have moved it to its place before it let go of it.
    let same =
        directory::open_directory(parent, name)?.map(|named| File::from(named).metadata()).transpose()?;
    let ours = leftover.metadata()?;
    if !same.is_some_and(|named| named.ino() == ours.ino() && named.dev() == ours.dev()) {
        return Ok(());
    }
    directory::remove_all_in(&leftover)?;
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Nothing, where a file or directory does not exist.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_making_are_leftovers() {
        let prefix = prefix(Path::new("/x/out"));
        assert!(is_leftover(b".out.imgpkg-aB3dE6", &prefix));
        for name in
            ["out", ".out.imgpkg-", ".out.imgpkg-aB3dE", ".out.imgpkg-aB3dE67", ".out.imgpkg-aB3dE6.old"]
        {
            assert!(!is_leftover(name.as_bytes(), &prefix), "{name}");
        }
        assert!(!is_leftover(b".out2.imgpkg-aB3dE6", &prefix));
        assert!(!is_leftover(b".out.imgpkg-aB3d-6", &prefix));
    }
}

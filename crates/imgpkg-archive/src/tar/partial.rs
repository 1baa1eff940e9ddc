//! The file that an archive is written into before it gets its name: `NAME.partial`, beside where it will be, and its
//! journal `NAME.partial.journal`. What an earlier run for other images left is set aside as `NAME.partial.previous`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{
    FileExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FallocateFlags, OFlags};
use rustix::io::Errno;

use crate::Error;

/// How many symbolic links are followed, as the kernel does.
const MAX_LINKS: usize = 40;

/// An unfinished file, locked against other writers. Dropped before it was published it is removed, unless it is worth
/// keeping.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    target: PathBuf,
    kept: AtomicBool,
}

impl Partial {
    /// Opens the unfinished file for `target` and locks it. What an earlier run left in it is still there.
    pub(super) fn open(target: &Path) -> Result<Self, Error> {
        let creating = |source| Error::Create { path: target.to_owned(), source: Box::new(source) };
        let followed = followed(target).and_then(checked).map_err(creating)?;
        let path = partial_of(&followed);
        let file = locked(&path, &followed).map_err(creating)?;
        Ok(Self { file, path, target: followed, kept: AtomicBool::new(false) })
    }

    /// Where the unfinished file for `target` is.
    pub(super) fn path_of(target: &Path) -> Result<PathBuf, Error> {
        Ok(partial_of(&followed(target)?))
    }

    /// Where the unfinished file for `target` would be, if there could be one.
    pub(super) fn path_for(target: &Path) -> Result<PathBuf, Error> {
        let creating = |source| Error::Create { path: target.to_owned(), source: Box::new(source) };
        let followed = followed(target).and_then(checked).map_err(creating)?;
        Ok(partial_of(&followed))
    }

    /// Empties the file.
    pub(super) fn clear(&self) -> Result<(), Error> {
        self.file.set_len(0).map_err(|error| self.failed(error))
    }

    /// Moves the file and its journal out of the way and opens a new, empty one in its place.
    pub(super) fn set_aside(self) -> Result<Self, Error> {
        fs::rename(self.journal_path(), journal_of(&self.previous_path()))
            .map_err(|error| self.failed(error))?;
        fs::rename(&self.path, self.previous_path()).map_err(|error| self.failed(error))?;
        self.keep();
        let new = Self::open(&self.target)?;
        new.clear()?;
        Ok(new)
    }

    /// From now on the file outlives a run that fails.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    /// Where its journal is.
    pub(super) fn journal_path(&self) -> PathBuf {
        journal_of(&self.path)
    }

    /// Where an unfinished file of other images is set aside. Its journal is beside it.
    pub(super) fn previous_path(&self) -> PathBuf {
        previous_of(&self.path)
    }

    /// The file, for reading what is in it.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Its path while it is unfinished.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its final size, and claims that much of the disk where the file system can.
    pub(super) fn reserve(&self, size: u64) -> Result<(), Error> {
        let needed = size.saturating_sub(self.claimed());
        // Asked first, because claiming too much would fill the disk for everybody before it fails.
        if self.free().is_some_and(|free| free < needed) {
            return Err(self.full(needed));
        }
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, size) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::NODEV) => {}
            Err(Errno::NOSPC | Errno::DQUOT) => return Err(self.full(needed)),
            Err(error) => return Err(self.failed(error.into())),
        }
        self.file.set_len(size).map_err(|error| self.failed(error))
    }

    /// Writes at a position.
    pub(super) fn write(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.file.write_all_at(bytes, offset).map_err(|error| self.failed(error))
    }

    /// Makes the file durable and gives it its name, replacing what had it, whose permissions it takes over.
    pub(super) fn publish(&self) -> Result<(), Error> {
        if let Ok(replaced) = fs::metadata(&self.target)
            && replaced.is_file()
        {
            let permissions = fs::Permissions::from_mode(replaced.permissions().mode() & 0o777);
            self.file.set_permissions(permissions).map_err(|error| self.failed(error))?;
        }
        self.file.sync_all().map_err(|error| self.failed(error))?;
        fs::rename(&self.path, &self.target).map_err(|error| self.failed(error))?;
        self.keep();
        for leftover in [self.journal_path(), journal_of(&self.previous_path()), self.previous_path()] {
            // Most often there is none. One that stays is harmless: it claims things about a file that is not there.
            let _ = fs::remove_file(leftover);
        }
        let directory = match self.target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        match synced {
            // Some network file systems cannot sync a directory.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced.map_err(|error| self.failed(error)),
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return self.full_now();
        }
        Error::Write { path: self.path.clone(), source: error.into() }
    }

    /// The error that there is no room for what the file still lacks.
    pub(super) fn full_now(&self) -> Error {
        self.full(self.length().saturating_sub(self.claimed()))
    }

    fn full(&self, needed: u64) -> Error {
        let system = rustix::fs::fstatvfs(&self.file).ok();
        // What is left for ordinary users, which is what a user is told elsewhere.
        let available = system.map_or(0, |system| system.f_bavail.saturating_mul(system.f_frsize));
        Error::Full { path: self.path.clone(), needed, available }
    }

    /// How many bytes of the disk the file has already.
    fn claimed(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.blocks().saturating_mul(512))
    }

    /// How many bytes the file system has left, those kept for the administrator included; `None` where it does not say.
    fn free(&self) -> Option<u64> {
        let system = rustix::fs::fstatvfs(&self.file).ok().filter(|system| system.f_blocks > 0)?;
        system.f_bfree.checked_mul(system.f_frsize)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept.load(Ordering::Relaxed) {
            // Nobody is left to be told if it fails; the next run writes over it.
            let _ = fs::remove_file(self.journal_path());
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn partial_of(target: &Path) -> PathBuf {
    target.with_added_extension("partial")
}

/// Where the journal of an unfinished file is.
pub(super) fn journal_of(path: &Path) -> PathBuf {
    path.with_added_extension("journal")
}

/// Where an unfinished file of other images is set aside.
pub(super) fn previous_of(path: &Path) -> PathBuf {
    path.with_added_extension("previous")
}

/// Is another process writing this unfinished file? Where files cannot be locked, nobody can tell.
pub(super) fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The path that a chain of symbolic links leads to, whether or not something is there yet.
fn followed(path: &Path) -> Result<PathBuf, Error> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = path.parent().map_or_else(|| next.clone(), |parent| parent.join(&next)),
            Err(_) => return Ok(path),
        }
    }
    Err(Error::Open { path, source: io::Error::from(Errno::LOOP).into() })
}

/// Refuses what is there if it is no regular file.
fn checked(target: PathBuf) -> Result<PathBuf, Error> {
    if target.file_name().is_none() {
        return Err(Error::NotAFile { path: target, kind: "a directory" });
    }
    let Ok(metadata) = fs::symlink_metadata(&target) else { return Ok(target) };
    match kind(metadata.file_type()) {
        Some(kind) => Err(Error::NotAFile { path: target, kind }),
        None => Ok(target),
    }
}

/// What something is that is no regular file.
pub(super) fn kind(file_type: fs::FileType) -> Option<&'static str> {
    if file_type.is_file() {
        None
    } else if file_type.is_dir() {
        Some("a directory")
    } else if file_type.is_fifo() {
        Some("a pipe")
    } else if file_type.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

/// Opens and locks the unfinished file. Another writer may publish or remove it between the two, so that what was locked
/// is no longer what the path names; then it is opened again.
fn locked(path: &Path, target: &Path) -> Result<File, Error> {
    loop {
        let file = open(path, target)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { path: path.to_owned() }),
            // A file system without locks; there is nothing better to be had.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
        let failed = |error: io::Error| Error::Open { path: path.to_owned(), source: error.into() };
        let ours = file.metadata().map_err(failed)?;
        match fs::symlink_metadata(path) {
            // Under a second name it is somebody's other file, which must not be written to.
            Ok(named) if named.ino() == ours.ino() && named.dev() == ours.dev() && ours.nlink() > 1 => {
                fs::remove_file(path).map_err(failed)?;
            }
            Ok(named) if named.ino() == ours.ino() && named.dev() == ours.dev() => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

fn open(path: &Path, target: &Path) -> Result<File, Error> {
    // A link or pipe put in the way by somebody else, as in a shared directory, is not followed or waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let failed = |path: &Path, error: io::Error| Error::Open { path: path.to_owned(), source: error.into() };
    let file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => failed(target, error),
        _ => failed(path, error),
    })?;
    let metadata = file.metadata().map_err(|error| failed(path, error))?;
    match kind(metadata.file_type()) {
        Some(kind) => Err(Error::NotAFile { path: path.to_owned(), kind }),
        None => Ok(file),
    }
}

#[cfg(test)]
mod tests;

//! Putting a finished directory into its place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Moves `new` to `place`. What was at `place` is moved away first, in one step with it where the system can do that, so
/// that there is always one of the two.
///
/// Gives the path where the old content is now, if there was any; it is up to the caller to delete it. On an error, `new`
/// is where it was, and so is what was at `place`, with one exception: on file systems that cannot move a directory
/// (layers of a container), the old one is deleted instead.
///
/// Nothing is synced: the two names change in the order given here, but after a crash of the machine files may be
/// incomplete, as after any other copying.
pub(super) fn replace(new: &Path, place: &Path) -> io::Result<Option<PathBuf>> {
    match fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return fs::rename(new, place).map(|()| None);
        }
        result => result?,
    };
    if exchange(new, place).is_ok() {
        return Ok(Some(new.to_owned()));
    }
    replace_in_steps(new, place)
}

/// The same where the system cannot exchange two names.
fn replace_in_steps(new: &Path, place: &Path) -> io::Result<Option<PathBuf>> {
    let mut aside = new.as_os_str().to_owned();
    aside.push(".old");
    let aside = PathBuf::from(aside);
    match fs::rename(place, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            remove(place)?;
            return fs::rename(new, place).map(|()| None);
        }
        Err(error) => return Err(error),
    }
    if let Err(error) = fs::rename(new, place) {
        fs::rename(&aside, place)?;
        return Err(error);
    }
    Ok(Some(aside))
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags};
    Ok(rustix::fs::renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Deletes what is there, whatever it is; a link and not what it points to.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory `new` with a file, and something at `place`.
    fn prepared() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let (new, place) = (root.path().join("new"), root.path().join("place"));
        fs::create_dir(&new).unwrap();
        fs::write(new.join("file"), "new").unwrap();
        fs::create_dir(&place).unwrap();
        fs::write(place.join("file"), "old").unwrap();
        (root, new, place)
    }

    fn content(directory: &Path) -> String {
        fs::read_to_string(directory.join("file")).unwrap()
    }

    #[test]
    fn the_old_directory_is_where_the_result_says() {
        for replace in [replace, replace_in_steps] {
            let (_root, new, place) = prepared();
            let old = replace(&new, &place).unwrap().unwrap();
            assert_eq!(content(&place), "new");
            assert_eq!(content(&old), "old");
        }
    }

    #[test]
    fn without_anything_at_the_place_there_is_nothing_old() {
        let (_root, new, place) = prepared();
        remove(&place).unwrap();
        assert_eq!(replace(&new, &place).unwrap(), None);
        assert_eq!(content(&place), "new");
        assert!(!new.exists());
    }

    #[test]
    fn when_the_new_directory_cannot_be_moved_the_old_one_is_put_back() {
        for replace in [replace, replace_in_steps] {
            let (_root, new, place) = prepared();
            remove(&new).unwrap();
            replace(&new, &place).unwrap_err();
            assert_eq!(content(&place), "old");
        }
    }

    #[test]
    fn a_link_is_deleted_and_not_what_it_points_to() {
        let (root, _new, place) = prepared();
        let link = root.path().join("link");
        std::os::unix::fs::symlink(&place, &link).unwrap();
        remove(&link).unwrap();
        assert!(!link.exists());
        assert_eq!(content(&place), "old");
    }
}

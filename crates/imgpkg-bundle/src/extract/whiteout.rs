//! Deletions: entries of a layer that hide what lower layers have put there (OCI image specification, "Whiteouts").

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::directory::{self, Directory};

const PREFIX: &[u8] = b".wh.";

/// What an entry's last name means when it starts with `.wh.`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whiteout<'a> {
    /// All that lower layers have put into the directory is gone.
    Opaque,
    /// What lower layers have put under this name is gone.
    Name(&'a [u8]),
    /// A mark of a union file system for itself.
    Nothing,
}

impl<'a> Whiteout<'a> {
    /// `None` for an entry that is no whiteout.
    ///
    /// # Errors
    /// Why the whiteout is not carried out.
    pub(super) fn parse(name: &'a [u8]) -> Result<Option<Self>, &'static str> {
        let Some(hidden) = name.strip_prefix(PREFIX) else {
            return Ok(None);
        };
        match hidden {
            b".wh..opq" => Ok(Some(Self::Opaque)),
            b"" | b"." | b".." => Err("it would delete the directory that it is in, or one above"),
            _ if hidden.starts_with(PREFIX) => Ok(Some(Self::Nothing)),
            _ => Ok(Some(Self::Name(hidden))),
        }
    }
}

/// The paths that the layer at hand has written, and the directories they are in. Its whiteouts do not concern them.
#[derive(Debug, Default)]
pub(super) struct Written(HashSet<Vec<u8>>);

impl Written {
    /// Takes note of a path.
    pub(super) fn insert(&mut self, steps: &[&[u8]]) {
        let mut path = steps.join(&b'/');
        while self.0.insert(path.clone()) {
            match path.iter().rposition(|byte| *byte == b'/') {
                Some(slash) => path.truncate(slash),
                None => return,
            }
        }
    }

    /// Carries out a whiteout in the directory at these steps.
    pub(super) fn hide(&self, root: &Directory, steps: &[&[u8]], whiteout: &Whiteout<'_>) -> io::Result<()> {
        let Some(directory) = root.existing(steps)? else {
            return Ok(());
        };
        let path = steps.join(&b'/');
        match whiteout {
            Whiteout::Nothing => Ok(()),
            Whiteout::Opaque => self.hide_all(&directory, &path),
            Whiteout::Name(name) => self.hide_one(&directory, &path, name),
        }
    }

    fn hide_all(&self, directory: &OwnedFd, path: &[u8]) -> io::Result<()> {
        directory::names(directory)?.iter().try_for_each(|name| self.hide_one(directory, path, name))
    }

    fn hide_one(&self, parent: impl AsFd, parent_path: &[u8], name: &[u8]) -> io::Result<()> {
        let path = if parent_path.is_empty() { name.to_vec() } else { [parent_path, b"/", name].concat() };
        if !self.0.contains(&path) {
            return directory::remove(parent, name);
        }
        match directory::open_directory(parent, name)? {
            Some(directory) => self.hide_all(&directory, &path),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiteouts_are_told_from_other_names() {
        assert_eq!(Whiteout::parse(b"file"), Ok(None));
        assert_eq!(Whiteout::parse(b".whatever"), Ok(None));
        assert_eq!(Whiteout::parse(b".wh.file"), Ok(Some(Whiteout::Name(b"file"))));
        assert_eq!(Whiteout::parse(b".wh..wh..opq"), Ok(Some(Whiteout::Opaque)));
        assert_eq!(Whiteout::parse(b".wh..wh.plnk"), Ok(Some(Whiteout::Nothing)));
    }

    #[test]
    fn a_whiteout_never_concerns_its_own_directory_or_one_above() {
        for name in [&b".wh."[..], b".wh..", b".wh..."] {
            assert!(Whiteout::parse(name).is_err());
        }
    }
}

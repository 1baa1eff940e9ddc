//! What the given paths hold, found in one walk.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use crate::Error;

/// One path as the user gave it, with everything below it.
pub(super) struct Argument {
    /// The path, exactly as it was typed: whether it ends in a slash matters for links.
    pub(super) typed: PathBuf,
    pub(super) found: Found,
}

/// What a given path is.
pub(super) enum Found {
    /// A regular file, or a link to one.
    File(Stat),
    /// A directory, and all that is below it; the children of a directory follow it in the byte order of their names.
    Directory { root: Stat, below: Vec<Item> },
    /// Anything else, a link to a directory included.
    Irregular,
}

/// Something below a given directory.
pub(super) struct Item {
    /// Its path below that directory.
    pub(super) relative: PathBuf,
    pub(super) kind: Kind,
    pub(super) stat: Stat,
}

/// What can be below a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Irregular,
}

/// What matters of a file's or directory's metadata.
#[derive(Clone, Copy)]
pub(super) struct Stat {
    /// `st_mode`.
    pub(super) mode: u32,
    /// Bytes.
    pub(super) size: u64,
}

impl Stat {
    fn of(metadata: &Metadata) -> Self {
        Self { mode: metadata.mode(), size: metadata.len() }
    }
}

impl Argument {
    /// Looks at a given path and everything below it. Links below it are not followed.
    pub(super) fn walk(typed: &Path) -> Result<Self, Error> {
        let inspect = |error: io::Error| Error::Inspect { path: typed.to_owned(), cause: error.into() };
        let itself = fs::symlink_metadata(typed).map_err(inspect)?;
        let followed = fs::metadata(typed).map_err(inspect)?;
        let found = if followed.is_file() {
            Found::File(Stat::of(&followed))
        } else if itself.is_dir() {
            Found::Directory { root: Stat::of(&followed), below: below(typed)? }
        } else {
            Found::Irregular
        };
        Ok(Self { typed: typed.to_owned(), found })
    }

    /// Everything below it: nothing where it is no directory.
    pub(super) fn below(&self) -> &[Item] {
        match &self.found {
            Found::Directory { below, .. } => below,
            Found::File(_) | Found::Irregular => &[],
        }
    }

    /// The name of the argument itself.
    pub(super) fn name(&self) -> &OsStr {
        self.typed.file_name().unwrap_or(self.typed.as_os_str())
    }

    /// How the reference spells the path of something below: cleaned of `.` and `..`, unless that is all there is.
    pub(super) fn spelled(&self, relative: &Path) -> PathBuf {
        let root = cleaned(&self.typed);
        if root == Path::new(".") { relative.to_owned() } else { root.join(relative) }
    }
}

fn below(root: &Path) -> Result<Vec<Item>, Error> {
    let walk = WalkDir::new(root).min_depth(1).follow_root_links(false).sort_by_file_name();
    walk.into_iter()
        .map(|entry| {
            let entry = entry.map_err(|error| unreadable(root, error))?;
            let metadata = entry.metadata().map_err(|error| unreadable(root, error))?;
            let kind = match metadata.file_type() {
                kind if kind.is_file() => Kind::File,
                kind if kind.is_dir() => Kind::Directory,
                _ => Kind::Irregular,
            };
            let relative = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_owned();
            Ok(Item { relative, kind, stat: Stat::of(&metadata) })
        })
        .collect()
}

fn unreadable(root: &Path, error: walkdir::Error) -> Error {
    let path = error.path().unwrap_or(root).to_owned();
    let cause = error.into_io_error().unwrap_or_else(|| io::Error::other("links form a circle"));
    Error::Inspect { path, cause: cause.into() }
}

/// The path without needless components, by its text alone; `.` where nothing remains.
pub(super) fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match clean.components().next_back() {
                Some(Component::Normal(_)) => {
                    clean.pop();
                }
                Some(Component::RootDir) => {}
                _ => clean.push(component),
            },
            _ => clean.push(component),
        }
    }
    if clean.as_os_str().is_empty() { PathBuf::from(".") } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cleaned_by_its_text() {
        let cases = [
            ("", "."),
            (".", "."),
            ("./", "."),
            ("a/..", "."),
            ("a//b/./c/", "a/b/c"),
            ("../x/../y", "../y"),
            ("../../x", "../../x"),
            ("/../a", "/a"),
        ];
        for (path, clean) in cases {
            assert_eq!(cleaned(Path::new(path)), Path::new(clean), "{path}");
        }
    }
}

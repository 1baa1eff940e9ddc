//! The list of what goes into a layer.

use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use imgpkg_formats::tar::Mode;

use super::check;
use super::walk::{Argument, Found, Kind, Stat};
use crate::Error;

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// A bundle: configuration with a lock file, marked by a label.
    Bundle,
    /// Any other image.
    Plain,
}

/// The files and directories of an image to be built, in the order of its layer. They have passed all checks that can
/// be made without reading them.
#[derive(Debug, Clone)]
pub struct Contents {
    kind: ImageKind,
    entries: Vec<Entry>,
    images_lock: Option<PathBuf>,
}

/// One entry of the layer.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The name in the layer.
    pub(super) name: Vec<u8>,
    pub(super) path: PathBuf,
    pub(super) mode: Mode,
    pub(super) content: Content,
}

/// What an entry of the layer holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    Directory,
    /// A file of this many bytes.
    File(u64),
}

/// Which entries a layer gets, and with which modes.
struct Selection<'a> {
    exclusions: &'a [String],
    preserve_permissions: bool,
}

impl Contents {
    /// Walks the given paths and checks what is there (sections 3.2 and 3.3).
    ///
    /// `files` are the paths as the user typed them: a link to a directory counts as that directory only with a slash at
    /// its end. `exclusions` are paths relative to each of them (for a file, its name), compared as a whole; `.` excludes
    /// an argument altogether. With `preserve_permissions` the layer carries all permissions, not only the owner's.
    /// No paths at all make an empty layer, which only a plain image can have.
    ///
    /// # Errors
    /// When a path is missing or unreadable, when the kind of image and the files do not go together, when the same name
    /// would come from two places, or when there is something else than regular files and directories.
    pub fn scan(
        kind: ImageKind,
        files: &[PathBuf],
        exclusions: &[String],
        preserve_permissions: bool,
    ) -> Result<Self, Error> {
        let arguments = files.iter().map(|path| Argument::walk(path)).collect::<Result<Vec<_>, _>>()?;
        let images_lock = match kind {
            ImageKind::Bundle => Some(check::bundle_directory(&arguments)?.join("images.yml")),
            ImageKind::Plain => {
                check::refuse_bundle(&arguments)?;
                None
            }
        };
        check::refuse_duplicates(&arguments)?;
        let selection = Selection { exclusions, preserve_permissions };
        let mut entries = Vec::new();
        for argument in &arguments {
            selection.add(argument, &mut entries)?;
        }
        Ok(Self { kind, entries, images_lock })
    }

    /// What the image is for.
    pub fn kind(&self) -> ImageKind {
        self.kind
    }

    /// One line for each entry, in the order of the layer, without line ends: `dir: .`, `file: config.yml`. What is not
    /// UTF-8 in a name is replaced.
    pub fn listing(&self) -> impl Iterator<Item = String> {
        self.entries.iter().map(|entry| {
            let kind = match entry.content {
                Content::Directory => "dir",
                Content::File(_) => "file",
            };
            format!("{kind}: {}", String::from_utf8_lossy(&entry.name))
        })
    }

    /// How many bytes the files have together.
    pub fn size(&self) -> u64 {
        let sizes = self.entries.iter().map(|entry| match entry.content {
            Content::Directory => 0,
            Content::File(size) => size,
        });
        sizes.fold(0, u64::saturating_add)
    }

    /// Where a bundle's lock file is: the absolute path of its `.imgpkg/images.yml`. `None` for a plain image.
    pub fn images_lock(&self) -> Option<&Path> {
        self.images_lock.as_deref()
    }

    /// What is wrong with a bundle's lock file, on one line. Such a bundle can be built (the reference never looks), but
    /// nothing that reads the lock file will accept it.
    pub fn lock_warning(&self) -> Option<String> {
        let lock = self.images_lock()?;
        let error = imgpkg_lock::ImagesLock::read(lock).err()?;
        let mut text =
            format!("'{}' is no valid lock file, so copy and pull will refuse this bundle", lock.display());
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Some(text)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Entry {
    /// Opens the file for reading.
    pub(super) fn open(&self) -> Result<File, Error> {
        File::open(&self.path).map_err(|error| Error::ReadFile {
            operation: "open",
            path: self.path.clone(),
            source: error.into(),
        })
    }
}

impl Selection<'_> {
    fn add(&self, argument: &Argument, entries: &mut Vec<Entry>) -> Result<(), Error> {
        let irregular = |path| Error::Irregular { argument: argument.typed.clone(), path };
        let (root, below) = match &argument.found {
            Found::Irregular => return Err(irregular(argument.typed.clone())),
            Found::File(stat) => {
                let name = Path::new(argument.name());
                if !self.excludes(name) {
                    entries.push(self.file(name, argument.typed.clone(), *stat));
                }
                return Ok(());
            }
            Found::Directory { root, below } => (root, below),
        };
        if self.excludes(Path::new(".")) {
            return Ok(());
        }
        entries.push(self.directory(Path::new("."), argument.typed.clone(), *root));
        let mut excluded: Option<&Path> = None;
        for item in below {
            if excluded.is_some_and(|excluded| item.relative.starts_with(excluded)) {
                continue;
            }
            // Before the exclusions, as in the reference: an excluded link is an error all the same.
            if item.kind == Kind::Irregular {
                return Err(irregular(argument.spelled(&item.relative)));
            }
            if self.excludes(&item.relative) {
                excluded = Some(&item.relative);
                continue;
            }
            let path = argument.typed.join(&item.relative);
            entries.push(match item.kind {
                // With the root's permissions: the reference gives every directory those, and the digest shows it.
                Kind::Directory => self.directory(&item.relative, path, *root),
                Kind::File | Kind::Irregular => self.file(&item.relative, path, item.stat),
            });
        }
        Ok(())
    }

    fn excludes(&self, name: &Path) -> bool {
        self.exclusions.iter().any(|excluded| excluded.as_bytes() == name.as_os_str().as_bytes())
    }

    fn file(&self, name: &Path, path: PathBuf, Stat { mode, size }: Stat) -> Entry {
        let mode = if self.preserve_permissions { Mode::preserved(mode) } else { Mode::owner(mode) };
        Entry { name: name.as_os_str().as_bytes().to_vec(), path, mode, content: Content::File(size) }
    }

    fn directory(&self, name: &Path, path: PathBuf, root: Stat) -> Entry {
        let mode =
            if self.preserve_permissions { Mode::preserved_directory(root.mode) } else { Mode::DIRECTORY };
        Entry { name: name.as_os_str().as_bytes().to_vec(), path, mode, content: Content::Directory }
    }
}

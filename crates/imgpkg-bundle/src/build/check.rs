//! The checks on input, before anything is made of it (section 3.2).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::walk::{Argument, Found, cleaned};
use crate::Error;

/// The directory that makes a bundle a bundle.
const BUNDLE_DIRECTORY: &str = ".imgpkg";

/// The only `.imgpkg` of these paths, which must have the place and the lock file that a bundle's has: its absolute
/// path. Exclusions do not count here.
pub(super) fn bundle_directory(arguments: &[Argument]) -> Result<PathBuf, Error> {
    let mut found = named_imgpkg(arguments)?;
    let Some(directory) = found.pop() else {
        return Err(Error::NotABundle);
    };
    if !found.is_empty() {
        found.push(directory);
        return Err(Error::SeveralBundles { found });
    }
    let mut is_child = false;
    for argument in arguments {
        is_child |= directory.parent() == Some(&absolute(&argument.typed)?);
    }
    if !is_child {
        let arguments = arguments.iter().map(|argument| argument.typed.clone()).collect();
        return Err(Error::MisplacedBundle { arguments, found: directory });
    }
    let lock = directory.join("images.yml");
    // Also where `.imgpkg` is a file, which has nothing below it.
    if lock.metadata().is_err() {
        return Err(Error::NoImagesLock { path: lock });
    }
    Ok(directory)
}

/// The absolute paths of everything that is called `.imgpkg`, at any depth.
fn named_imgpkg(arguments: &[Argument]) -> Result<Vec<PathBuf>, Error> {
    let wanted = Some(OsStr::new(BUNDLE_DIRECTORY));
    let mut found = Vec::new();
    for argument in arguments {
        if argument.typed.file_name() == wanted {
            found.push(absolute(&argument.typed)?);
        }
        for item in argument.below() {
            if item.relative.file_name() == wanted {
                found.push(absolute(&argument.typed.join(&item.relative))?);
            }
        }
    }
    Ok(found)
}

/// A plain image must not hold what would be a bundle. An `.imgpkg` that makes no bundle is just a directory.
pub(super) fn refuse_bundle(arguments: &[Argument]) -> Result<(), Error> {
    match bundle_directory(arguments) {
        Ok(_) => Err(Error::BundleAsImage),
        Err(error @ Error::CurrentDirectory(_)) => Err(error),
        Err(_) => Ok(()),
    }
}

/// No name may come from two places. Exclusions do not count here either.
pub(super) fn refuse_duplicates(arguments: &[Argument]) -> Result<(), Error> {
    if arguments.len() < 2 {
        return Ok(());
    }
    let mut places: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
    for argument in arguments {
        if !matches!(argument.found, Found::Directory { .. }) {
            places.entry(Path::new(argument.name())).or_default().push(argument.typed.clone());
        }
        for item in argument.below() {
            places.entry(&item.relative).or_default().push(argument.spelled(&item.relative));
        }
    }
    let paths: Vec<_> = places.into_values().filter(|paths| paths.len() > 1).flatten().collect();
    if paths.is_empty() { Ok(()) } else { Err(Error::DuplicatePaths { paths }) }
}

/// The absolute path, by its text alone: links are not resolved.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    if path.is_absolute() {
        return Ok(cleaned(path));
    }
    Ok(cleaned(&std::env::current_dir().map_err(|error| Error::CurrentDirectory(error.into()))?.join(path)))
}

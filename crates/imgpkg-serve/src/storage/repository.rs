//! Which repositories there are.

use std::fs;
use std::io;
use std::path::Path;

use super::layout::{BLOB_LINKS, MANIFEST_LINKS};
use super::{Storage, found};
use crate::name::RepositoryName;

impl Storage {
    /// Has anything ever been stored in the repository?
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn has_repository(&self, name: &RepositoryName) -> io::Result<bool> {
        is_repository(&self.layout.repository(name))
    }

    /// All repositories, in no particular order.
    ///
    /// # Errors
    /// When the disk says so.
    pub(crate) fn repositories(&self) -> io::Result<Vec<RepositoryName>> {
        let mut names = Vec::new();
        let mut open = vec![String::new()];
        while let Some(prefix) = open.pop() {
            let Some(entries) = found(fs::read_dir(self.layout.repositories().join(&prefix)))? else {
                continue;
            };
            for entry in entries {
                let entry = entry?;
                let component = entry.file_name();
                let text = match prefix.as_str() {
                    "" => component.to_string_lossy().into_owned(),
                    prefix => format!("{prefix}/{}", component.to_string_lossy()),
                };
                // Directories of links are no names.
                let Some(name) = RepositoryName::parse(&text) else { continue };
                if is_repository(&entry.path())? {
                    names.push(name);
                }
                open.push(text);
            }
        }
        Ok(names)
    }
}

fn is_repository(path: &Path) -> io::Result<bool> {
    Ok(path.join(BLOB_LINKS).try_exists()? || path.join(MANIFEST_LINKS).try_exists()?)
}

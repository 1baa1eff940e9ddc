mod attributes;
mod blobs;
mod entries;
mod output;
mod whiteouts;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use imgpkg_oci::Digest;
use tar::EntryType;

use super::{Directory, Extraction};
use crate::Error;

/// A tar in the making, with names that a well-behaved writer would refuse.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(self, name: &str, kind: EntryType, content: &[u8]) -> Self {
        self.entry_with(name, kind, content, |_| {})
    }

    fn entry_with(
        mut self,
        name: &str,
        kind: EntryType,
        content: &[u8],
        change: impl FnOnce(&mut tar::Header),
    ) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(0o600);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_entry_type(kind);
        change(&mut header);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.entry(name, EntryType::Regular, content.as_bytes())
    }

    fn directory(self, name: &str) -> Self {
        self.entry(name, EntryType::Directory, b"")
    }

    fn bytes(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn digest() -> Digest {
    Digest::sha256_of(b"layer")
}

/// A directory in a directory of its own, so that what escapes can be seen.
struct Place {
    root: tempfile::TempDir,
    output: PathBuf,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("output");
        fs::create_dir(&output).unwrap();
        Self { root, output }
    }

    /// Applies the layers; the number of entries skipped.
    fn extract(&self, layers: impl IntoIterator<Item = Tar>) -> Result<u64, Error> {
        let mut extraction = Extraction::new(Directory::open(&self.output).unwrap());
        for layer in layers {
            extraction.apply_layer(&digest(), &layer.bytes()[..])?;
        }
        Ok(extraction.skipped())
    }

    /// Everything that is in the directory: names, and contents of files.
    fn found(&self) -> Vec<String> {
        let walk = walkdir::WalkDir::new(&self.output).min_depth(1).sort_by_file_name();
        walk.into_iter()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.path().strip_prefix(&self.output).unwrap().display().to_string();
                match entry.file_type() {
                    kind if kind.is_dir() => format!("{name}/"),
                    kind if kind.is_file() => {
                        format!("{name}={}", fs::read_to_string(entry.path()).unwrap())
                    }
                    kind => format!("{name}: {kind:?}"),
                }
            })
            .collect()
    }

    fn assert_nothing_escaped(&self) {
        let beside: Vec<_> =
            fs::read_dir(self.root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside, ["output"]);
    }
}

/// The umask of this process, which only making a file tells.
fn umask(directory: &Path) -> u32 {
    let probe = directory.join("probe");
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o777);
    let mode = options.open(&probe).unwrap().metadata().unwrap().mode();
    fs::remove_file(probe).unwrap();
    0o777 & !mode
}

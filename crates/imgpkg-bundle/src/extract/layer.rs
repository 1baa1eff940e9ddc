//! Applying layers, one after the other, to a directory.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::OwnedFd;

use imgpkg_oci::{BlobReader, Digest};
use tar::EntryType;

use super::compression::Decompressed;
use super::directory::{self, Directory};
use super::entry;
use super::incoming::read_blob;
use super::whiteout::{Whiteout, Written};
use crate::Error;

/// How many entries the layers of an image may have together.
const MAX_ENTRIES: u64 = 10_000_000;

/// How many bytes of headers may belong to one entry: long names, and what other tools keep in records.
const MAX_HEADERS: u64 = 1024 * 1024;

/// How much content is copied at once.
const BUFFER: usize = 128 * 1024;

/// An image on its way into a directory. Layers are applied from the lowest to the highest.
#[derive(Debug)]
pub struct Extraction {
    directory: Directory,
    has_layers: bool,
    entries: u64,
    skipped: u64,
    max_entries: u64,
}

impl Extraction {
    /// Starts with the lowest layer.
    pub fn new(directory: Directory) -> Self {
        Self { directory, has_layers: false, entries: 0, skipped: 0, max_entries: MAX_ENTRIES }
    }

    /// Lowers the limit on entries.
    #[cfg(test)]
    pub(super) fn limit_entries(&mut self, limit: u64) {
        self.max_entries = limit;
    }

    /// How many links, devices and fifos were left out: they are never created.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Applies the next layer while it arrives. It is applied only in part when this fails, or is cancelled; whether its
    /// digest is right is known only at the end. So the directory must not be used before all layers are done.
    ///
    /// # Errors
    /// When the layer does not arrive, is not what its digest says, is no tar, asks for what is not allowed, or when the
    /// disk is full.
    pub async fn apply_blob(mut self, blob: BlobReader) -> Result<Self, Error> {
        let layer = blob.descriptor().digest.clone();
        let of_reading = layer.clone();
        let may_be_damage = |error: &Error| matches!(error, Error::LayerFormat { .. });
        let applied = read_blob(blob, may_be_damage, move |content| {
            self.apply_tar(&of_reading, content)?;
            Ok(self)
        });
        applied.await.map_err(|source| Error::LayerContent { layer, source })?
    }

    /// Applies the next layer, read from `content`, compressed or not. It blocks. The digest is only for messages: the
    /// caller makes sure that `content` is what it stands for.
    ///
    /// # Errors
    /// As [`Extraction::apply_blob`].
    pub fn apply_layer(&mut self, layer: &Digest, content: impl Read) -> Result<(), Error> {
        self.apply_tar(layer, &mut Decompressed::new(content))
    }

    fn apply_tar(&mut self, layer: &Digest, content: &mut dyn Read) -> Result<(), Error> {
        let format = |source| Error::LayerFormat { layer: layer.clone(), source };
        let allowed = Cell::new(0);
        let mut archive = tar::Archive::new(Limited { content, allowed: &allowed });
        let is_first = !std::mem::replace(&mut self.has_layers, true);
        let mut pass = Pass {
            written: (!is_first).then(Written::default),
            extraction: self,
            layer,
            parent: None,
            buffer: vec![0; BUFFER],
        };
        let mut entries = archive.entries().map_err(format)?;
        loop {
            allowed.set(MAX_HEADERS);
            let Some(entry) = entries.next() else {
                return Ok(());
            };
            let mut entry = entry.map_err(format)?;
            allowed.set(u64::MAX);
            pass.apply(&mut entry)?;
            // To the end of the content, so that all of the next limit is for headers.
            io::copy(&mut entry, &mut io::sink()).map_err(format)?;
        }
    }
}

/// Ends with an error when more is read than allowed: the tar reader takes as much into memory as a header says.
struct Limited<'a> {
    content: &'a mut dyn Read,
    allowed: &'a Cell<u64>,
}

impl Read for Limited<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(into)?;
        let Some(left) = self.allowed.get().checked_sub(count as u64) else {
            return Err(io::Error::other("the headers of an entry are larger than 1 MiB"));
        };
        self.allowed.set(left);
        Ok(count)
    }
}

/// One layer being applied.
struct Pass<'a> {
    extraction: &'a mut Extraction,
    layer: &'a Digest,
    /// What whiteouts must leave alone; `None` for the lowest layer, below which there is nothing to hide.
    written: Option<Written>,
    /// The directory that the last entry was written into, with its path.
    parent: Option<(Vec<u8>, OwnedFd)>,
    buffer: Vec<u8>,
}

/// The name of an entry, for messages.
struct Name(Vec<u8>);

impl Pass<'_> {
    fn apply<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<(), Error> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        self.extraction.entries += 1;
        if self.extraction.entries > self.extraction.max_entries {
            let limit = self.extraction.max_entries;
            return Err(Error::TooManyEntries { layer: self.layer.clone(), limit });
        }
        let name = Name(entry.path_bytes().into_owned());
        let steps = entry::components(&name.0).map_err(|reason| self.refused(&name, reason))?;
        let Some((last, parents)) = steps.split_last() else {
            return self.apply_root(&name, kind);
        };
        let whiteout = Whiteout::parse(last).map_err(|reason| self.refused(&name, reason))?;
        if let Some(whiteout) = whiteout {
            return self.hide(parents, &whiteout).map_err(|error| self.write_error(&name, error));
        }
        match kind {
            EntryType::Directory => {
                self.make_directory(&steps).map_err(|error| self.write_error(&name, error))
            }
            // The oldest format has no type for directories.
            EntryType::Regular if entry.header().as_old().linkflag == [0] && name.0.ends_with(b"/") => {
                self.make_directory(&steps).map_err(|error| self.write_error(&name, error))
            }
            EntryType::Regular => self.write_file(entry, &name, &steps),
            kind if is_skipped(kind) => {
                self.extraction.skipped += 1;
                self.remove(parents, last).map_err(|error| self.write_error(&name, error))
            }
            _ => Err(self.unsupported(&name, kind)),
        }
    }

    /// An entry for the output directory itself: it is there already.
    fn apply_root(&mut self, name: &Name, kind: EntryType) -> Result<(), Error> {
        match kind {
            EntryType::Directory => Ok(()),
            EntryType::Regular => {
                Err(self.refused(name, "it would replace the output directory with a file"))
            }
            kind if is_skipped(kind) => {
                self.extraction.skipped += 1;
                Ok(())
            }
            _ => Err(self.unsupported(name, kind)),
        }
    }

    fn hide(&mut self, parents: &[&[u8]], whiteout: &Whiteout<'_>) -> io::Result<()> {
        let Some(written) = &self.written else {
            return Ok(());
        };
        self.parent = None;
        written.hide(&self.extraction.directory, parents, whiteout)
    }

    fn make_directory(&mut self, steps: &[&[u8]]) -> io::Result<()> {
        let directory = self.extraction.directory.make(steps)?;
        self.parent = Some((steps.join(&b'/'), directory));
        self.note(steps);
        Ok(())
    }

    /// What an entry replaces is gone, even when nothing is put into its place.
    fn remove(&mut self, parents: &[&[u8]], name: &[u8]) -> io::Result<()> {
        self.parent = None;
        match self.extraction.directory.existing(parents)? {
            Some(parent) => directory::remove(parent, name),
            None => Ok(()),
        }
    }

    fn write_file<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        name: &Name,
        steps: &[&[u8]],
    ) -> Result<(), Error> {
        let format = |source| Error::LayerFormat { layer: self.layer.clone(), source };
        let mode = entry::file_mode(entry::header_mode(entry.header()).map_err(format)?);
        let owner = entry::owner(entry.header()).map_err(format)?;
        let times = entry::times(entry).map_err(format)?;
        let mut file = self.create(steps, mode).map_err(|error| self.write_error(name, error))?;
        self.copy(entry, name, &mut file)?;
        let finish = || -> io::Result<()> {
            if self.extraction.directory.owned_by_root() {
                let owner = (u32::try_from(owner.0).ok(), u32::try_from(owner.1).ok());
                std::os::unix::fs::fchown(&file, owner.0, owner.1)?;
            }
            times.map_or(Ok(()), |times| file.set_times(times))
        };
        finish().map_err(|error| self.write_error(name, error))?;
        self.note(steps);
        Ok(())
    }

    fn create(&mut self, steps: &[&[u8]], mode: u32) -> io::Result<File> {
        let Some((last, parents)) = steps.split_last() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let path = parents.join(&b'/');
        let directory = match self.parent.take() {
            Some((open, directory)) if open == path => directory,
            _ => self.extraction.directory.make(parents)?,
        };
        let (file, _) = directory::create_file(&directory, last, mode)?;
        self.parent = Some((path, directory));
        Ok(file)
    }

    fn copy<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        name: &Name,
        file: &mut File,
    ) -> Result<(), Error> {
        let format = |source| Error::LayerFormat { layer: self.layer.clone(), source };
        let mut left = entry.size();
        loop {
            let count = match entry.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result.map_err(format)?,
            };
            if count == 0 {
                break;
            }
            left = left.saturating_sub(count as u64);
            file.write_all(&self.buffer[..count]).map_err(|error| self.write_error(name, error))?;
        }
        if left > 0 {
            return Err(format(io::Error::new(io::ErrorKind::UnexpectedEof, "the tar ends inside a file")));
        }
        Ok(())
    }

    fn note(&mut self, steps: &[&[u8]]) {
        if let Some(written) = &mut self.written {
            written.insert(steps);
        }
    }

    fn refused(&self, name: &Name, reason: &'static str) -> Error {
        Error::Refused { layer: self.layer.clone(), entry: name.text(), reason }
    }

    fn unsupported(&self, name: &Name, kind: EntryType) -> Error {
        let kind = char::from(kind.as_byte());
        Error::UnsupportedEntry { layer: self.layer.clone(), entry: name.text(), kind }
    }

    fn write_error(&self, name: &Name, error: io::Error) -> Error {
        let directory = self.extraction.directory.typed().to_owned();
        Error::WriteEntry { layer: self.layer.clone(), entry: name.text(), directory, source: error.into() }
    }
}

impl Name {
    /// The start of the name, with what could disturb a terminal or is not UTF-8 replaced.
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let printable = text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
        let mut shown: String = printable.clone().take(200).collect();
        if printable.count() > 200 {
            shown.push('…');
        }
        shown
    }
}

/// Is it a kind of entry that is never created, but does not stop the extraction either?
fn is_skipped(kind: EntryType) -> bool {
    kind.is_symlink()
        || kind.is_hard_link()
        || kind.is_character_special()
        || kind.is_block_special()
        || kind.is_fifo()
}

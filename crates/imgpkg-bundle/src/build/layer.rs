//! The one layer: files → tar → gzip → disk, in a single pass over the files.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use imgpkg_formats::gzip::Encoder;
use imgpkg_formats::tar;

use super::contents::{Content, Entry};
use super::spool::{Lane, Spool, Spooled};
use crate::Error;

/// Builds the layer of these entries in an unnamed temporary file.
pub(super) fn write(entries: &[Entry]) -> Result<Spooled, Error> {
    let file = tempfile::tempfile().map_err(spool_error)?;
    let (spool, tar, layer) = Spool::start(file).map_err(spool_error)?;
    let mut stream = TarStream { tar, encoder: Encoder::new(layer) };
    let packed = entries.iter().try_for_each(|entry| stream.add(entry));
    let ended = match packed.and_then(|()| stream.push(&tar::END)) {
        Ok(()) => stream.finish(),
        Err(error) => {
            stream.abandon();
            Err(error)
        }
    };
    // What stopped the second thread is the cause of what the first saw, so it comes first.
    let spooled = spool.finish().map_err(spool_error);
    match (ended, spooled) {
        (Ok(()), spooled) => spooled,
        (Err(Error::Spool { .. }), Err(cause)) => Err(cause),
        (Err(error), _) => Err(error),
    }
}

fn spool_error(error: io::Error) -> Error {
    Error::Spool { directory: std::env::temp_dir(), source: error.into() }
}

/// The tar on its way into the encoder and to the digests.
struct TarStream {
    tar: Lane,
    encoder: Encoder<Lane>,
}

impl TarStream {
    fn add(&mut self, entry: &Entry) -> Result<(), Error> {
        let header = match entry.content {
            Content::Directory => tar::Entry::directory(&entry.name, entry.mode).header(),
            Content::File(size) => tar::Entry::file(&entry.name, entry.mode, size).header(),
        };
        let header = header.map_err(|source| Error::Unrepresentable { path: entry.path.clone(), source })?;
        self.push(&header)?;
        if let Content::File(size) = entry.content {
            self.add_content(entry, size)?;
            self.push(&[0; 512][..tar::padding(size)])?;
        }
        Ok(())
    }

    fn add_content(&mut self, entry: &Entry, size: u64) -> Result<(), Error> {
        let changed = || Error::FileChanged { path: entry.path.clone(), announced: size };
        let unreadable = |error: io::Error| Error::ReadFile {
            operation: "read",
            path: entry.path.clone(),
            source: error.into(),
        };
        let mut file = entry.open()?;
        let mut left = size;
        while left > 0 {
            let room = self.tar.room();
            let wanted = usize::try_from(left).map_or(room.len(), |left| left.min(room.len()));
            let count = read(&mut file, &mut room[..wanted]).map_err(unreadable)?;
            if count == 0 {
                return Err(changed());
            }
            left -= count as u64;
            self.advance(count)?;
        }
        match read(&mut file, &mut [0]).map_err(unreadable)? {
            0 => Ok(()),
            _ => Err(changed()),
        }
    }

    fn push(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let room = self.tar.room();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            self.advance(count)?;
        }
        Ok(())
    }

    fn advance(&mut self, count: usize) -> Result<(), Error> {
        if self.tar.advance(count) {
            self.encoder.write_all(self.tar.waiting()).map_err(spool_error)?;
            self.tar.hand_over().map_err(spool_error)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), Error> {
        match self.encoder.write_all(self.tar.waiting()).and_then(|()| self.tar.finish()) {
            Ok(()) => self.encoder.finish().and_then(Lane::finish),
            Err(error) => {
                drop(self.encoder.abandon());
                Err(error)
            }
        }
        .map_err(spool_error)
    }

    fn abandon(self) {
        drop(self.encoder.abandon());
    }
}

fn read(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

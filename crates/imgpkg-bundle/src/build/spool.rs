//! The second thread of a build. It hashes the tar and the compressed layer and puts the layer on disk, while the first
//! reads, packs and compresses.
//!
//! Bytes go over in whole buffers, which come back to be filled again: nothing is copied, and memory does not depend on
//! the length of the layer.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{self, JoinHandle};

use imgpkg_oci::{Algorithm, Digest, Digester};

/// The size of a buffer.
const BUFFER: usize = 256 * 1024;

/// How many buffers may wait for the second thread: enough to go on while the system gives the processor to others.
const WAITING: usize = 16;

/// A buffer with the number of bytes in it that count.
struct Piece {
    stream: Stream,
    bytes: Vec<u8>,
    filled: usize,
}

#[derive(Clone, Copy)]
enum Stream {
    Tar,
    Layer,
}

/// What the second thread found out.
pub(super) struct Spooled {
    /// The file with the layer.
    pub(super) file: File,
    /// The digest of the tar.
    pub(super) diff_id: Digest,
    /// The digest of the layer.
    pub(super) digest: Digest,
    /// The size of the layer in bytes.
    pub(super) size: u64,
}

/// The second thread.
pub(super) struct Spool {
    thread: JoinHandle<io::Result<Spooled>>,
}

/// One of the two streams to it. What is written is handed over when a buffer is full, and with [`Lane::finish`].
pub(super) struct Lane {
    stream: Stream,
    pieces: SyncSender<Piece>,
    empty: Receiver<Vec<u8>>,
    buffer: Vec<u8>,
    filled: usize,
}

impl Spool {
    /// Starts the thread, which will write the layer into `file`: the two lanes are for the tar and for the layer.
    pub(super) fn start(file: File) -> io::Result<(Self, Lane, Lane)> {
        let (pieces, received) = mpsc::sync_channel(WAITING);
        let (tar_back, tar_empty) = mpsc::channel();
        let (layer_back, layer_empty) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("layer-digests".to_owned())
            .spawn(move || spool(file, &received, &tar_back, &layer_back))?;
        let tar = Lane::new(Stream::Tar, pieces.clone(), tar_empty);
        let layer = Lane::new(Stream::Layer, pieces, layer_empty);
        Ok((Self { thread }, tar, layer))
    }

    /// Waits for the end. Both lanes must be finished or dropped before.
    pub(super) fn finish(self) -> io::Result<Spooled> {
        match self.thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn spool(
    mut file: File,
    pieces: &Receiver<Piece>,
    tar_back: &Sender<Vec<u8>>,
    layer_back: &Sender<Vec<u8>>,
) -> io::Result<Spooled> {
    let mut diff_id = Digester::new(Algorithm::Sha256);
    let mut digest = Digester::new(Algorithm::Sha256);
    let mut size = 0;
    for Piece { stream, bytes, filled } in pieces {
        let content = &bytes[..filled];
        let back = match stream {
            Stream::Tar => {
                diff_id.update(content);
                tar_back
            }
            Stream::Layer => {
                file.write_all(content)?;
                digest.update(content);
                size += filled as u64;
                layer_back
            }
        };
        // A lane that has ended wants no more buffers.
        let _unwanted = back.send(bytes);
    }
    Ok(Spooled { file, diff_id: diff_id.finish(), digest: digest.finish(), size })
}

impl Lane {
    fn new(stream: Stream, pieces: SyncSender<Piece>, empty: Receiver<Vec<u8>>) -> Self {
        Self { stream, pieces, empty, buffer: vec![0; BUFFER], filled: 0 }
    }

    /// The part of the buffer that is still to be filled; never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.buffer[self.filled..]
    }

    /// What has been filled in and not yet handed over.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Takes note that `count` more bytes are in the buffer. True when it is full, and has to be handed over.
    pub(super) fn advance(&mut self, count: usize) -> bool {
        self.filled = (self.filled + count).min(BUFFER);
        self.filled == BUFFER
    }

    /// Hands the buffer over and takes an empty one.
    pub(super) fn hand_over(&mut self) -> io::Result<()> {
        // The number of buffers is bounded by how many can wait: a new one is made only while all others do.
        let next = self.empty.try_recv().unwrap_or_else(|_| vec![0; BUFFER]);
        let bytes = std::mem::replace(&mut self.buffer, next);
        let filled = std::mem::take(&mut self.filled);
        let piece = Piece { stream: self.stream, bytes, filled };
        self.pieces.send(piece).map_err(|_| io::Error::other("the layer can no longer be written"))
    }

    /// Hands over what is left.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.hand_over()
    }
}

impl Write for Lane {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room();
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        if self.advance(count) {
            self.hand_over()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! The stream: header, blocks, trailer, and the writer they go to.

use std::io::{self, Write};

use super::bits::{BitWriter, CAPACITY, Carry};
use super::block;
use super::crc32::Crc32;
use super::search::Search;
use super::window::{BLOCK, Window};

/// Magic number, DEFLATE, no flags, no time, "fastest", unknown operating system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff];

/// Compresses what is written to it into `W`, as one gzip member.
///
/// The bytes depend on the input alone; [the module](super) says on what they are frozen. Any number of bytes may be
/// written in any pieces, and memory stays constant.
///
/// # Ending the stream
///
/// A stream is complete only after [`finish`](Self::finish), which is also the only way to get a whole stream's writer
/// back. Whoever gives up half-way (because reading the input failed, say) calls [`abandon`](Self::abandon). An encoder
/// that is dropped without either is a mistake in the calling code: with debug assertions on, that panics (except
/// during another panic, and after an error of the inner writer, which ends the stream too). In release builds it does
/// nothing; the output then lacks its closing block and its trailer, so that every reader refuses it as truncated.
///
/// # Errors
///
/// The first error of the inner writer is returned as it is. What reached the writer is unknown from then on, so every
/// later call fails too, with the same kind of error.
///
/// # Flushing
///
/// [`flush`](Write::flush) flushes the inner writer and leaves the block that is being gathered alone, since ending it
/// early would change the output.
#[must_use = "the stream is incomplete until `finish` is called"]
#[derive(Debug)]
pub struct Encoder<W: Write> {
    inner: W,
    window: Window,
    search: Search,
    block: block::Writer,
    out: Box<[u8; CAPACITY]>,
    /// How much of `out` waits to be written to `inner`.
    ready: usize,
    carry: Carry,
    crc: Crc32,
    /// Bytes of input modulo 2^32, as the trailer wants it.
    length: u32,
    state: State,
}

impl<W: Write> Encoder<W> {
    /// An encoder that writes to `inner`. Nothing is written before the first block is complete.
    pub fn new(inner: W) -> Self {
        let mut out = Box::new([0; CAPACITY]);
        out[..HEADER.len()].copy_from_slice(&HEADER);
        Self {
            inner,
            window: Window::new(),
            search: Search::new(),
            block: block::Writer::new(),
            out,
            ready: HEADER.len(),
            carry: Carry::default(),
            crc: Crc32::new(),
            length: 0,
            state: State::default(),
        }
    }

    /// Completes the stream, flushes the inner writer and returns it.
    ///
    /// # Errors
    ///
    /// The error of the inner writer, now or earlier.
    pub fn finish(mut self) -> io::Result<W> {
        self.state.check()?;
        let result = self.write_end();
        self.state.record(result)?;
        Ok(self.abandon())
    }

    /// Gives the stream up and returns the inner writer, to which an unknown part of it has been written.
    pub fn abandon(mut self) -> W {
        self.state.ended = true;
        self.inner
    }

    fn write_end(&mut self) -> io::Result<()> {
        self.write_block()?;
        let mut bits = BitWriter::resume(&mut self.out, self.ready, self.carry);
        block::write_closing(&mut bits);
        bits.align();
        bits.put_bytes(&self.crc.value().to_le_bytes());
        bits.put_bytes(&self.length.to_le_bytes());
        (self.ready, self.carry) = bits.suspend();
        self.write_ready()?;
        self.inner.flush()
    }

    /// Encodes what has been gathered, if anything, and starts the next block.
    fn write_block(&mut self) -> io::Result<()> {
        if !self.window.block().is_empty() {
            let bits = BitWriter::resume(&mut self.out, self.ready, self.carry);
            (self.ready, self.carry) = self.block.write(bits, &self.window, &mut self.search);
            self.window.advance();
        }
        self.write_ready()
    }

    fn write_ready(&mut self) -> io::Result<()> {
        let ready = std::mem::take(&mut self.ready);
        self.inner.write_all(&self.out[..ready])
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, input: &[u8]) -> io::Result<usize> {
        self.state.check()?;
        let taken = self.window.push(input);
        let input = &input[..taken];
        self.crc.update(input);
        // At most one block, so the cast keeps the value.
        self.length = self.length.wrapping_add(taken as u32);
        if self.window.block().len() == BLOCK {
            let result = self.write_block();
            self.state.record(result)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.state.check()?;
        let result = self.inner.flush();
        self.state.record(result)
    }
}

/// Whether the stream can go on. A field of its own so that the encoder itself has no destructor and can be taken
/// apart.
#[derive(Debug, Default)]
struct State {
    /// The kind and text of the inner writer's first error.
    failure: Option<(io::ErrorKind, String)>,
    ended: bool,
}

impl State {
    fn check(&self) -> io::Result<()> {
        match &self.failure {
            Some((kind, message)) => Err(io::Error::new(*kind, message.clone())),
            None => Ok(()),
        }
    }

    /// Passes a result on and remembers its error.
    fn record<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            self.failure = Some((error.kind(), error.to_string()));
        }
        result
    }
}

impl Drop for State {
    fn drop(&mut self) {
        debug_assert!(
            self.ended || self.failure.is_some() || std::thread::panicking(),
            "gzip::Encoder dropped without `finish` or `abandon`: its output is a truncated stream"
        );
    }
}

#[cfg(test)]
mod tests;

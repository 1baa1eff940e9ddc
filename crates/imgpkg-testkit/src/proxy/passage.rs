//! Passing the body of a message on, whole or not.

use std::io::{self, BufRead, Write};
use std::thread;
use std::time::Duration;

use super::message::{Framing, line};

/// How much is passed on at a time; less on a slow way, so that it flows evenly.
const PIECE_BYTES: u64 = 64 * 1024;
const SLOW_PIECE_BYTES: u64 = 4 * 1024;

/// What happens to a body on its way.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passage {
    /// It ends after so many bytes.
    pub(super) cut: Option<u64>,
    /// After so many bytes nothing moves for a while, and then it ends.
    pub(super) stall: Option<(u64, Duration)>,
    /// One bit of this byte changes.
    pub(super) flip: Option<u64>,
    /// So many bytes pass in a second.
    pub(super) bytes_per_second: Option<u64>,
}

impl Passage {
    /// Passes a body on; `observer` hears of the bytes before they go, and may object. False if it did not pass whole.
    pub(super) fn relay(
        &self,
        reader: &mut impl BufRead,
        writer: &mut impl Write,
        framing: Framing,
        mut observer: impl FnMut(u64) -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut position = 0;
        match framing {
            Framing::Length(length) => {
                self.part(reader, writer, (length, framing), &mut position, &mut observer)
            }
            Framing::ToEnd => self.part(reader, writer, (u64::MAX, framing), &mut position, &mut observer),
            Framing::Chunked => loop {
                let size = line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
                let size = size.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
                if !self.part(reader, writer, (size, framing), &mut position, &mut observer)? {
                    return Ok(false);
                }
                line(reader)?;
                if size == 0 {
                    writer.write_all(b"0\r\n\r\n")?;
                    return Ok(true);
                }
            },
        }
    }

    /// Passes so many bytes on, or as many as there are. False if the body has to end here.
    fn part(
        &self,
        reader: &mut impl BufRead,
        writer: &mut impl Write,
        (length, framing): (u64, Framing),
        position: &mut u64,
        observer: &mut impl FnMut(u64) -> io::Result<()>,
    ) -> io::Result<bool> {
        let end = position.saturating_add(length);
        while *position < end {
            if self.ends_at(*position) {
                return Ok(false);
            }
            let available = reader.fill_buf()?;
            if available.is_empty() {
                let expected = framing == Framing::ToEnd;
                return if expected { Ok(true) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            let piece = self.piece(*position, end).min(available.len() as u64) as usize;
            let mut bytes = available[..piece].to_vec();
            reader.consume(piece);
            if let Some(at) = self.flip.and_then(|at| at.checked_sub(*position))
                && let Some(byte) = bytes.get_mut(at as usize)
            {
                *byte ^= 1;
            }
            if let Some(rate) = self.bytes_per_second {
                thread::sleep(Duration::from_secs_f64(piece as f64 / rate as f64));
            }
            observer(piece as u64)?;
            if framing == Framing::Chunked {
                write!(writer, "{piece:x}\r\n")?;
                bytes.extend_from_slice(b"\r\n");
            }
            writer.write_all(&bytes)?;
            *position += piece as u64;
        }
        Ok(!self.ends_at(*position))
    }

    /// Does the body end here? After a stall, if there is one.
    fn ends_at(&self, position: u64) -> bool {
        if let Some((_, time)) = self.stall.filter(|(after, _)| *after <= position) {
            thread::sleep(time);
            return true;
        }
        self.cut.is_some_and(|cut| cut <= position)
    }

    /// How many bytes may go at once from here, up to the next place where something happens.
    fn piece(&self, position: u64, end: u64) -> u64 {
        let most = if self.bytes_per_second.is_some() { SLOW_PIECE_BYTES } else { PIECE_BYTES };
        let stall = self.stall.map(|(after, _)| after);
        let next = [self.cut, stall].into_iter().flatten().filter(|at| *at > position).min();
        most.min(end - position).min(next.map_or(u64::MAX, |at| at - position))
    }
}

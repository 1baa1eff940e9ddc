//! The body of a streamed upload, and the watch over its progress.
//!
//! The HTTP library has no time limit for sending. It asks for the next piece when it has got rid of the last one, so
//! the time between the two is the network's, and the time until the piece is there is the source's. Only the former is
//! watched: a source that has to be reconnected takes as long as it takes.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use imgpkg_oci::{BlobError, BlobReader};

use super::checkpoint::Checkpoints;
use crate::error::Cause;
use crate::http::Body;

/// Pieces are at most this large, so that a slow connection gets rid of one in time.
const PIECE: usize = 64 * 1024;

/// How long the answer may take when the last byte has been sent.
pub(crate) fn patience(size: u64) -> Duration {
    Duration::from_secs(300.max(size / 10_000_000))
}

/// Who everybody is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nobody yet: the request has not begun.
    Nobody,
    /// The source of the content.
    Source,
    /// The network, since then.
    Network(Instant),
    /// The registry's answer, since then.
    Answer(Instant),
}

/// The content of a blob on its way: what has been read and not sent, and what is still to be read. It outlives the
/// requests that carry it.
pub(crate) struct Content {
    reader: BlobReader,
    piece: Bytes,
    checkpoints: Checkpoints,
    failure: Option<BlobError>,
}

/// Content that is handed from one request to the next. Only one of them reads it at a time.
pub(crate) type Shared = Arc<tokio::sync::Mutex<Content>>;

impl Content {
    /// Content from where `reader` begins. How far it has come is noted in `checkpoints`.
    pub(crate) fn new(reader: BlobReader, checkpoints: Checkpoints) -> Self {
        Self { reader, piece: Bytes::new(), checkpoints, failure: None }
    }

    /// Why the content ended early, if it did.
    pub(crate) fn take_failure(&mut self) -> Option<BlobError> {
        self.failure.take()
    }

    /// Reads and drops so many bytes.
    ///
    /// # Errors
    /// When the content breaks, or turns out to be another one.
    pub(crate) async fn skip(&mut self, bytes: u64) -> Result<(), BlobError> {
        let mut left = bytes;
        while left > 0 {
            if self.piece.is_empty() {
                match self.read().await? {
                    Some(piece) => self.piece = piece,
                    None => return Ok(()),
                }
            }
            // At most the length of a piece in memory, so the cast keeps the value.
            let part = left.min(self.piece.len() as u64) as usize;
            drop(self.piece.split_to(part));
            left -= part as u64;
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<Bytes>, BlobError> {
        let piece = self.reader.next().await?;
        self.checkpoints.note(self.reader.progress());
        Ok(piece)
    }
}

/// One request's part of the content.
struct Part {
    content: Shared,
    left: u64,
    phase: Arc<Mutex<Phase>>,
}

/// A body that sends the next `length` bytes of the content of a blob of `size` bytes.
pub(crate) fn of(content: &Shared, length: u64, size: u64, stall: Duration) -> Body {
    let phase = Arc::new(Mutex::new(Phase::Nobody));
    let part = Part { content: Arc::clone(content), left: length, phase: Arc::clone(&phase) };
    let stream = futures_util::stream::unfold(Some(part), |state| async move {
        let mut part = state?;
        match part.next().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(part))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    let progress = Box::pin(watch(phase, stall, patience(size)));
    Body::Stream { body: reqwest::Body::wrap_stream(stream), progress }
}

impl Part {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            enter(&self.phase, Phase::Answer(Instant::now()));
            return Ok(None);
        }
        let mut content = self.content.lock().await;
        if content.piece.is_empty() {
            enter(&self.phase, Phase::Source);
            match content.read().await {
                Ok(Some(chunk)) => content.piece = chunk,
                Ok(None) => {
                    enter(&self.phase, Phase::Answer(Instant::now()));
                    return Ok(None);
                }
                Err(error) => {
                    content.failure = Some(error);
                    return Err(io::Error::other("the content could not be read"));
                }
            }
        }
        let most = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE).min(content.piece.len());
        let piece = content.piece.split_to(most);
        self.left -= piece.len() as u64;
        // Whoever sends as many bytes as were announced does not ask for more.
        let now = Instant::now();
        enter(&self.phase, if self.left == 0 { Phase::Answer(now) } else { Phase::Network(now) });
        Ok(Some(piece))
    }
}

fn enter(phase: &Mutex<Phase>, next: Phase) {
    *phase.lock().unwrap_or_else(PoisonError::into_inner) = next;
}

/// Ends when nothing has moved for too long.
async fn watch(phase: Arc<Mutex<Phase>>, stall: Duration, answer: Duration) -> Cause {
    {
        let mut phase = phase.lock().unwrap_or_else(PoisonError::into_inner);
        if *phase == Phase::Nobody {
            *phase = Phase::Network(Instant::now());
        }
    }
    loop {
        let now = *phase.lock().unwrap_or_else(PoisonError::into_inner);
        let left = match now {
            Phase::Nobody | Phase::Source => stall,
            Phase::Network(since) => stall.saturating_sub(since.elapsed()),
            Phase::Answer(since) => answer.saturating_sub(since.elapsed()),
        };
        if left.is_zero() {
            return match now {
                Phase::Answer(_) => Cause::no_headers(),
                _ => Cause::stalled(stall.as_secs()),
            };
        }
        tokio::time::sleep(left.max(Duration::from_millis(10))).await;
    }
}

//! The body of a streamed upload, and the watch over its progress.
//!
//! The HTTP library has no time limit for sending. It asks for the next piece when it has got rid of the last one, so
//! the time between the two is the network's, and the time until the piece is there is the source's. Only the former is
//! watched: a source that has to be reconnected takes as long as it takes.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use imgpkg_oci::BlobReader;

use super::Failure;
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

struct Content {
    reader: BlobReader,
    piece: Bytes,
    left: u64,
    phase: Arc<Mutex<Phase>>,
    failure: Failure,
}

/// A body that sends what a reader reads; and where to look for the reader's error, should it end early.
pub(crate) fn of(reader: BlobReader, stall: Duration) -> (Body, Failure) {
    let size = reader.descriptor().size;
    let phase = Arc::new(Mutex::new(Phase::Nobody));
    let failure = Failure::default();
    let content = Content {
        reader,
        piece: Bytes::new(),
        left: size,
        phase: Arc::clone(&phase),
        failure: Arc::clone(&failure),
    };
    let stream = futures_util::stream::unfold(Some(content), |state| async move {
        let mut content = state?;
        match content.next().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(content))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    let progress = Box::pin(watch(phase, stall, patience(size)));
    (Body::Stream { body: reqwest::Body::wrap_stream(stream), progress }, failure)
}

impl Content {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.piece.is_empty() {
            enter(&self.phase, Phase::Source);
            match self.reader.next().await {
                Ok(Some(chunk)) => self.piece = chunk,
                Ok(None) => {
                    enter(&self.phase, Phase::Answer(Instant::now()));
                    return Ok(None);
                }
                Err(error) => {
                    self.failure.put(error);
                    return Err(io::Error::other("the content could not be read"));
                }
            }
        }
        let piece = self.piece.split_to(self.piece.len().min(PIECE));
        self.left = self.left.saturating_sub(piece.len() as u64);
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

//! From a request's body into an upload: the next bytes are received while the last ones are hashed and written.

use std::future;
use std::io;
use std::sync::Arc;

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::Semaphore;

use crate::disk;

use super::session::{Session, SessionError, Turn};

/// How much is received at most while the disk is busy, by an upload that reads ahead.
const MAX_WAITING_BYTES: usize = 256 * 1024;

/// How many uploads read ahead, whatever their number. It bounds memory; the others leave what comes while the disk is
/// busy in the buffers of their sockets.
static READ_AHEAD: Semaphore = Semaphore::const_new(8);

/// Why a body did not get into an upload as a whole.
#[derive(Debug)]
pub(crate) enum ReceiveError {
    /// The upload cannot go on.
    Session(SessionError),
    /// The connection broke. What had arrived is kept.
    Broken(axum::Error),
    /// The body is longer than announced.
    TooLong,
}

/// Receives a body of at most `limit` bytes into an upload, and says how many there were. The state on disk follows
/// closely what has arrived, so that an upload whose connection breaks can go on there.
///
/// # Errors
/// When the upload cannot go on, the connection breaks or there is more than the limit.
pub(crate) async fn receive(
    session: &Arc<Session>,
    turn: &Arc<Turn>,
    body: &mut BodyDataStream,
    limit: u64,
) -> Result<u64, ReceiveError> {
    let reads_ahead = READ_AHEAD.try_acquire().ok();
    let max_waiting = if reads_ahead.is_some() { MAX_WAITING_BYTES } else { 0 };
    let mut received = 0;
    let mut waiting = Waiting::default();
    let mut writing: Option<Write> = None;
    let mut end: Option<Result<(), ReceiveError>> = None;
    loop {
        if writing.is_none() && !waiting.chunks.is_empty() {
            let Waiting { chunks, .. } = std::mem::take(&mut waiting);
            let (session, turn) = (Arc::clone(session), Arc::clone(turn));
            writing = Some(disk::run(move || session.append(&turn, &chunks)).boxed());
        }
        if writing.is_none()
            && let Some(end) = end
        {
            return end.map(|()| received);
        }
        let may_read = writing.is_none() || waiting.bytes < max_waiting;
        tokio::select! {
            written = finished(&mut writing), if writing.is_some() => {
                writing = None;
                written.map_err(ReceiveError::Session)?;
            }
            chunk = body.next(), if end.is_none() && may_read => match chunk {
                Some(Ok(chunk)) => {
                    received += chunk.len() as u64;
                    match received <= limit {
                        true => waiting.push(chunk),
                        false => end = Some(Err(ReceiveError::TooLong)),
                    }
                }
                Some(Err(error)) => end = Some(Err(ReceiveError::Broken(error))),
                None => end = Some(Ok(())),
            },
        }
    }
}

/// Chunks on their way to the disk.
type Write = BoxFuture<'static, io::Result<Result<(), SessionError>>>;

/// What has been received and not yet written.
#[derive(Default)]
struct Waiting {
    chunks: Vec<Bytes>,
    bytes: usize,
}

impl Waiting {
    fn push(&mut self, chunk: Bytes) {
        self.bytes += chunk.len();
        self.chunks.push(chunk);
    }
}

async fn finished(writing: &mut Option<Write>) -> Result<(), SessionError> {
    match writing {
        Some(write) => write.await?,
        None => future::pending().await,
    }
}

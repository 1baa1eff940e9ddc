//! From an asynchronous stream to a reader that blocks: unpacking is work for a thread of its own.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use imgpkg_oci::{BlobError, BlobReader, Descriptor};
use tokio::sync::mpsc;

use super::compression::Decompressed;

/// How many chunks may wait for the thread that reads them.
const WAITING: usize = 8;

/// What comes over from the stream.
enum Message {
    Chunk(Bytes),
    /// The blob is complete, and is the one its digest stands for.
    Proven,
    Failed(BlobError),
}

/// The compressed content of a layer as it arrives. It ends only when the digest is proven.
struct Incoming {
    messages: mpsc::Receiver<Message>,
    chunk: Bytes,
    proven: bool,
    failure: Option<BlobError>,
}

impl Incoming {
    /// Reads and drops what is left, so that the digest of the whole is checked.
    fn drain(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(|_| ())
    }
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            if self.proven {
                return Ok(0);
            }
            if self.failure.is_some() {
                return Err(io::Error::other("the layer did not arrive"));
            }
            match self.messages.blocking_recv() {
                Some(Message::Chunk(chunk)) => self.chunk = chunk,
                Some(Message::Proven) => self.proven = true,
                Some(Message::Failed(error)) => self.failure = Some(error),
                None => return Err(io::Error::other("interrupted")),
            }
        }
        let count = self.chunk.len().min(into.len());
        self.chunk.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}

/// Runs `read` over what the blob unpacks to, where blocking is allowed. `Ok` comes only for a blob that has been read
/// to its end and is the one that its digest stands for, whether `read` wanted all of it or not.
///
/// # Errors
/// When the blob does not arrive or is another one; that comes before anything that `read` makes of it.
pub async fn with_blocking_reader<T, E>(
    blob: BlobReader,
    read: impl FnOnce(&mut dyn Read) -> Result<T, E> + Send + 'static,
) -> Result<Result<T, E>, BlobError>
where
    T: Send + 'static,
    E: Send + 'static,
{
    read_blob(blob, |_| true, read).await
}

/// As [`with_blocking_reader`], except that after an error of `read` the rest of the blob is read only if
/// `may_be_damage` says that wrong bytes may be behind it.
pub(super) async fn read_blob<T, E>(
    mut blob: BlobReader,
    may_be_damage: fn(&E) -> bool,
    read: impl FnOnce(&mut dyn Read) -> Result<T, E> + Send + 'static,
) -> Result<Result<T, E>, BlobError>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let descriptor = blob.descriptor().clone();
    let (sender, messages) = mpsc::channel(WAITING);
    let reading = tokio::task::spawn_blocking(move || {
        let mut incoming = Incoming { messages, chunk: Bytes::new(), proven: false, failure: None };
        let result = read(&mut Decompressed::new(&mut incoming));
        let drained = match &result {
            Err(error) if !may_be_damage(error) => Ok(()),
            _ => incoming.drain(),
        };
        match (incoming.failure, drained, result) {
            (Some(failure), _, _) => Err(failure),
            (None, Err(error), Ok(_)) => Err(broken(&descriptor, error)),
            (None, _, result) => Ok(result),
        }
    });
    let feeding = async move {
        loop {
            let (message, is_last) = match blob.next().await {
                Ok(Some(chunk)) => (Message::Chunk(chunk), false),
                Ok(None) => (Message::Proven, true),
                Err(error) => (Message::Failed(error), true),
            };
            // A receiver that is gone has its reasons, which its result tells.
            if sender.send(message).await.is_err() || is_last {
                return blob.descriptor().clone();
            }
        }
    };
    let (descriptor, result) = tokio::join!(feeding, reading);
    match result {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(broken(&descriptor, io::Error::other(error))),
        },
    }
}

fn broken(descriptor: &Descriptor, source: io::Error) -> BlobError {
    BlobError::Broken { digest: descriptor.digest.clone(), offset: 0, size: descriptor.size, source }
}

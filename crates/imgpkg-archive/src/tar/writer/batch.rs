//! Chunks on their way into a slot. They come from the network in small pieces; they go to the disk in larger ones, on
//! another thread, while the next ones are being received.

use std::sync::Arc;

use bytes::Bytes;
use imgpkg_oci::Digest;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;

use super::super::Span;
use super::Shared;
use crate::Error;

/// How many bytes are gathered before they are written. Twice this is the most that a layer takes in memory.
const BATCH_BYTES: usize = 256 * 1024;

/// A slot being filled.
pub(super) struct Batch {
    shared: Arc<Shared>,
    layer: Digest,
    slot: Span,
    lock: Arc<OwnedMutexGuard<()>>,
    chunks: Vec<Bytes>,
    bytes: usize,
    /// Where in the layer the gathered chunks go.
    position: u64,
    writing: Option<JoinHandle<Result<(), Error>>>,
}

impl Batch {
    /// Begins at a position within the layer.
    pub(super) fn new(
        shared: Arc<Shared>,
        layer: Digest,
        slot: Span,
        position: u64,
        lock: Arc<OwnedMutexGuard<()>>,
    ) -> Self {
        Self { shared, layer, slot, lock, chunks: Vec::new(), bytes: 0, position, writing: None }
    }

    /// Takes the next chunk.
    pub(super) async fn push(&mut self, chunk: Bytes) -> Result<(), Error> {
        self.bytes += chunk.len();
        self.chunks.push(chunk);
        if self.bytes >= BATCH_BYTES {
            self.write().await?;
        }
        Ok(())
    }

    /// Writes what is left and waits until all of it is written.
    pub(super) async fn finish(mut self) -> Result<(), Error> {
        if self.bytes > 0 {
            self.write().await?;
        }
        self.written().await
    }

    async fn write(&mut self) -> Result<(), Error> {
        self.written().await?;
        let (shared, layer, slot, lock) =
            (self.shared.clone(), self.layer.clone(), self.slot, self.lock.clone());
        let (chunks, mut position) = (std::mem::take(&mut self.chunks), self.position);
        self.position += std::mem::take(&mut self.bytes) as u64;
        self.writing = Some(tokio::task::spawn_blocking(move || {
            let _until_written = lock;
            for chunk in chunks {
                shared.partial.write(&chunk, slot.offset + position)?;
                position += chunk.len() as u64;
            }
            if shared.progress.written(&layer, position) {
                shared.partial.keep();
            }
            Ok(())
        }));
        Ok(())
    }

    async fn written(&mut self) -> Result<(), Error> {
        match self.writing.take() {
            None => Ok(()),
            Some(writing) => match writing.await {
                Ok(result) => result,
                Err(_) => Err(Error::Interrupted { path: self.shared.target.clone() }),
            },
        }
    }
}

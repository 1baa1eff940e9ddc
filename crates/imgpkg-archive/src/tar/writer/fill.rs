//! Filling a layer's slot: from what is there already, and from a stream for the rest.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use imgpkg_oci::{
    BlobError, BlobOpener, BlobProgress, BlobPut, BlobReader, Descriptor, Digest, ErrorKind, StoreError,
    StoreResult,
};
use tokio::sync::OwnedMutexGuard;

use super::super::Span;
use super::super::journal::Claim;
use super::super::resume::replay;
use super::Shared;
use super::batch::Batch;
use crate::Error;

/// One layer and its slot, which nobody else writes into.
pub(super) struct Fill<'a> {
    shared: &'a Arc<Shared>,
    blob: &'a Descriptor,
    slot: Span,
    lock: Arc<OwnedMutexGuard<()>>,
}

impl Shared {
    /// Makes sure that a layer is in its slot, whole and verified.
    pub(super) async fn put(
        self: &Arc<Self>,
        blob: &Descriptor,
        content: &dyn BlobOpener,
    ) -> StoreResult<BlobPut> {
        let (Some(slot), Some(state)) =
            (self.layout.slots.get(&blob.digest), self.progress.state(&blob.digest))
        else {
            return Ok(BlobPut::Present);
        };
        let lock = Arc::new(state.lock.clone().lock_owned().await);
        if state.is_complete() {
            return Ok(BlobPut::Present);
        }
        let fill = Fill { shared: self, blob, slot: slot.content, lock };
        let from = fill.what_is_there().await?;
        match fill.complete(from, content).await {
            // What an earlier run left was not what it seemed to be, or does not belong to this content; or bytes were
            // damaged on their way. What is wrong twice is wrong where it comes from.
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                fill.complete(BlobProgress::start(&blob.digest), content).await
            }
            result => result,
        }
    }
}

impl Fill<'_> {
    fn digest(&self) -> &Digest {
        &self.blob.digest
    }

    /// What the slot has already, or another unfinished file: hashed, and in its place.
    async fn what_is_there(&self) -> StoreResult<BlobProgress> {
        let (shared, layer, slot) = (self.shared.clone(), self.digest().clone(), self.slot);
        let bytes = shared.progress.state(&layer).map_or(0, |state| state.written());
        let claim = shared.previous.as_ref().and_then(|previous| previous.claim(&layer));
        if bytes == 0 && claim.is_none() {
            return Ok(BlobProgress::start(&layer));
        }
        let lock = self.lock.clone();
        let replayed = tokio::task::spawn_blocking(move || {
            let _until_copied = lock;
            match (&shared.previous, claim) {
                (Some(previous), Some(claim)) if claim.bytes > bytes => {
                    previous.copy(&layer, claim, &shared.partial, slot)
                }
                _ => {
                    let (file, path) = (shared.partial.file(), shared.partial.path());
                    replay(file, Claim { span: slot, bytes }, &layer, path, |_, _| Ok(()))
                }
            }
        });
        match replayed.await {
            Ok(Ok(progress)) => Ok(progress),
            // What cannot be read is fetched again.
            Ok(Err(Error::Read { .. })) => Ok(BlobProgress::start(self.digest())),
            Ok(Err(error)) => Err(write_failure(error)),
            Err(_) => Err(write_failure(Error::Interrupted { path: self.shared.target.clone() })),
        }
    }

    /// Adds what is missing, and proves the whole.
    async fn complete(&self, from: BlobProgress, content: &dyn BlobOpener) -> StoreResult<BlobPut> {
        let (put, result) = if from.offset() > 0 && from.offset() == self.slot.size {
            let nothing = BlobReader::resumed(self.described(), from, stream::empty().boxed());
            (BlobPut::Present, self.stream(nothing).await)
        } else {
            (BlobPut::Sent, self.fetch(from, content).await)
        };
        match result {
            Ok(()) => {
                self.shared.progress.completed(self.digest(), self.slot.size);
                self.shared.partial.keep();
                Ok(put)
            }
            Err(error) => {
                if error.kind() == ErrorKind::Corrupt {
                    self.shared.progress.spoilt(self.digest());
                } else if self.shared.progress.paused(self.digest()) {
                    self.shared.partial.keep();
                }
                Err(error)
            }
        }
    }

    async fn fetch(&self, from: BlobProgress, content: &dyn BlobOpener) -> StoreResult<()> {
        let offset = from.offset();
        let reader = content.open(from).await?;
        let described = reader.descriptor();
        // The reader verifies what it was opened as; that has to be what belongs here, and leave no gap.
        if described.digest != *self.digest()
            || described.size != self.slot.size
            || reader.progress().offset() > offset
        {
            let (digest, got, want) = (self.digest().clone(), described.size, self.slot.size);
            return Err(StoreError::new(ErrorKind::Corrupt, BlobError::Size { digest, got, want }));
        }
        self.stream(reader).await
    }

    /// Writes what the reader has. It proves at its end that the bytes are the right ones.
    async fn stream(&self, mut reader: BlobReader) -> StoreResult<()> {
        let start = reader.progress().offset();
        let mut batch =
            Batch::new(self.shared.clone(), self.digest().clone(), self.slot, start, self.lock.clone());
        loop {
            match reader.next().await {
                Ok(Some(chunk)) => batch.push(chunk).await.map_err(write_failure)?,
                Ok(None) => return batch.finish().await.map_err(write_failure),
                Err(error) => {
                    // What has come is worth keeping where the stream broke; it is hashed again before it is used.
                    batch.finish().await.map_err(write_failure)?;
                    let kind = if error.is_broken_stream() { ErrorKind::Other } else { ErrorKind::Corrupt };
                    return Err(StoreError::new(kind, error));
                }
            }
        }
    }

    fn described(&self) -> Descriptor {
        Descriptor { size: self.slot.size, ..self.blob.clone() }
    }
}

fn write_failure(error: Error) -> StoreError {
    let kind = if matches!(error, Error::Full { .. }) { ErrorKind::Full } else { ErrorKind::Other };
    StoreError::new(kind, error)
}

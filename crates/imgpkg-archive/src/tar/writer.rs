//! Writing an archive: every byte once, in whatever order the layers come.
//!
//! The file has its final size and all headers but the first from the start, so each layer goes straight to its place.
//! The first header is written last. Until then the file is an empty tar to every reader, so that an unfinished archive
//! cannot be taken for a whole one even if somebody renames it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{BoxFuture, FutureExt as _};
use imgpkg_formats::tar::END;
use imgpkg_oci::{
    BlobError, BlobOpener, BlobProgress, BlobPut, BlobReader, Descriptor, Destination, Digest, ErrorKind,
    Manifest, StoreError, StoreResult, TagOrDigest,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::layout::Layout;
use super::partial::Partial;
use super::{BLOCK, Span};
use crate::{Error, Item};

mod batch;

use batch::Batch;

/// How an archive is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions {
    /// Whether layers that their publisher does not allow to be passed on are written all the same. Otherwise they are
    /// described but their bytes left out.
    pub include_non_distributable: bool,
}

/// An archive being written: a [`Destination`] for the layers of the items it was begun with. Cheap to clone.
///
/// It is written into `NAME.partial`. Dropped without [`ArchiveWriter::finish`], it leaves nothing behind, and what had
/// the name before stays as it was.
#[derive(Debug, Clone)]
pub struct ArchiveWriter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: PathBuf,
    partial: Partial,
    layout: Layout,
    states: HashMap<Digest, State>,
}

/// How a layer's slot stands.
#[derive(Debug, Default)]
struct State {
    /// Is it there, whole and verified?
    complete: AtomicBool,
    /// Held by whoever writes into the slot until the last write has returned, even if its future is dropped before.
    lock: Arc<Mutex<()>>,
}

impl ArchiveWriter {
    /// Begins an archive at `path` that will hold these items: lays it out, reserves its room and writes everything that
    /// is not a layer.
    ///
    /// # Errors
    /// [`Error::Create`] when the file cannot be created (or is a directory, a device, a pipe), [`Error::Full`] when
    /// there is no room for it, and [`Error::Item`] when an image cannot be described in an archive.
    pub async fn create(path: &Path, items: &[Item], options: WriteOptions) -> Result<Self, Error> {
        let layout = Layout::new(items, options.include_non_distributable)?;
        let target = path.to_owned();
        blocking(path, move || Shared::create(target, layout))
            .await
            .map(|shared| Self { shared: Arc::new(shared) })
    }

    /// The size of the finished file in bytes.
    pub fn size(&self) -> u64 {
        self.shared.layout.size
    }

    /// The unfinished file.
    pub fn partial_path(&self) -> &Path {
        self.shared.partial.path()
    }

    /// Finishes the archive: makes it durable and gives it its name.
    ///
    /// # Errors
    /// [`Error::Incomplete`] when a layer has not been written, and [`Error::Write`] when the file cannot be made durable
    /// or get its name.
    pub async fn finish(self) -> Result<(), Error> {
        if let Some(digest) = self.shared.missing().next() {
            let (path, count, digest) =
                (self.shared.target.clone(), self.shared.missing().count(), digest.clone());
            return Err(Error::Incomplete { path, count, digest });
        }
        let shared = self.shared.clone();
        blocking(&self.shared.target, move || {
            let (first_header, _) = shared.layout.manifest_json.split_at(BLOCK as usize);
            shared.partial.write(first_header, 0)?;
            shared.partial.publish()
        })
        .await
    }
}

impl Shared {
    fn create(target: PathBuf, layout: Layout) -> Result<Self, Error> {
        let partial = Partial::create(&target)?;
        partial.reserve(layout.size)?;
        let (_, document) = layout.manifest_json.split_at(BLOCK as usize);
        partial.write(document, BLOCK)?;
        for slot in layout.slots.values() {
            partial.write(&slot.header, slot.start())?;
            let end = slot.content.offset + slot.content.size;
            partial.write(&[0; BLOCK as usize][..imgpkg_formats::tar::padding(slot.content.size)], end)?;
        }
        partial.write(&END, layout.size - END.len() as u64)?;
        let states = layout.slots.keys().map(|digest| (digest.clone(), State::default())).collect();
        Ok(Self { target, partial, layout, states })
    }

    /// The layers that are not there yet, ascending by digest.
    fn missing(&self) -> impl Iterator<Item = &Digest> {
        self.layout.slots.keys().filter(|&digest| {
            self.states.get(digest).is_none_or(|state| !state.complete.load(Ordering::Acquire))
        })
    }

    /// Fills a slot. The reader proves at its end that the bytes are the right ones; until then the slot does not count.
    async fn fill(
        self: &Arc<Self>,
        span: Span,
        lock: Arc<OwnedMutexGuard<()>>,
        mut reader: BlobReader,
    ) -> StoreResult<()> {
        let mut batch = Batch::new(self.clone(), span, lock);
        while let Some(chunk) = reader.next().await.map_err(blob_failure)? {
            batch.push(chunk).await.map_err(write_failure)?;
        }
        batch.finish().await.map_err(write_failure)
    }

    async fn put(self: &Arc<Self>, blob: &Descriptor, content: &dyn BlobOpener) -> StoreResult<BlobPut> {
        let (Some(slot), Some(state)) = (self.layout.slots.get(&blob.digest), self.states.get(&blob.digest))
        else {
            return Ok(BlobPut::Present);
        };
        let lock = Arc::new(state.lock.clone().lock_owned().await);
        if state.complete.load(Ordering::Acquire) {
            return Ok(BlobPut::Present);
        }
        let reader = content.open(BlobProgress::start(&blob.digest)).await?;
        let Span { size: want, .. } = slot.content;
        let (described, got) = (reader.descriptor(), reader.descriptor().size);
        // The reader verifies what it was opened as; that has to be what belongs here.
        if described.digest != blob.digest || got != want {
            let error = BlobError::Size { digest: blob.digest.clone(), got, want };
            return Err(StoreError::new(ErrorKind::Corrupt, error));
        }
        self.fill(slot.content, lock.clone(), reader).await?;
        state.complete.store(true, Ordering::Release);
        Ok(BlobPut::Sent)
    }
}

/// The archive never has anything before it is told to take it, so [`Destination::existing`] answers `None`; manifests
/// and configurations are in it from the start, so that there is nothing to do for them.
impl Destination for ArchiveWriter {
    fn existing<'a>(&'a self, _target: &'a TagOrDigest) -> BoxFuture<'a, StoreResult<Option<Digest>>> {
        futures_util::future::ready(Ok(None)).boxed()
    }

    fn put_blob<'a>(
        &'a self,
        blob: &'a Descriptor,
        content: &'a dyn BlobOpener,
    ) -> BoxFuture<'a, StoreResult<BlobPut>> {
        self.shared.put(blob, content).boxed()
    }

    fn put_manifest<'a>(
        &'a self,
        manifest: &'a Manifest,
        _target: &'a TagOrDigest,
    ) -> BoxFuture<'a, StoreResult<()>> {
        let digest = manifest.digest();
        let result = match self.shared.layout.manifests.contains(digest) {
            true => Ok(()),
            false => {
                let error = Error::Unannounced { path: self.shared.target.clone(), digest: digest.clone() };
                Err(StoreError::new(ErrorKind::Other, error))
            }
        };
        futures_util::future::ready(result).boxed()
    }
}

fn blob_failure(error: BlobError) -> StoreError {
    let kind = if error.is_broken_stream() { ErrorKind::Other } else { ErrorKind::Corrupt };
    StoreError::new(kind, error)
}

fn write_failure(error: Error) -> StoreError {
    let kind = if matches!(error, Error::Full { .. }) { ErrorKind::Full } else { ErrorKind::Other };
    StoreError::new(kind, error)
}

/// Runs what waits for the disk where it holds nothing else up.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(Error::Interrupted { path: path.to_owned() }),
    }
}

#[cfg(test)]
mod tests;

//! Writing an archive: every byte once, in whatever order the layers come.
//!
//! The file has its final size and all headers but the first from the start, so each layer goes straight to its place.
//! The first header is written last. Until then the file is an empty tar to every reader, so that an unfinished archive
//! cannot be taken for a whole one even if somebody renames it.

//!
//! What a run that failed or was killed has written stays in `NAME.partial`, and the journal beside it says what that is.
//! The next run for the same archive goes on from there, inside a layer too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _};
use imgpkg_formats::tar::{END, padding};
use imgpkg_oci::{
    BlobOpener, BlobProgress, BlobPut, BlobReader, Descriptor, Destination, Digest, ErrorKind, Manifest,
    MediaType, Source as _, StoreError, StoreResult, TagOrDigest,
};

use super::BLOCK;
use super::journal::{Claims, Journal};
use super::layout::Layout;
use super::partial::{Partial, is_locked, journal_of, previous_of};
use super::resume::{Earlier, Previous};
use crate::{Archive, Error, Item};

mod batch;
mod fill;
mod progress;

use progress::Progress;

/// How many layers are taken from another archive at once.
const REUSED_AT_ONCE: usize = 4;

/// How an archive is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions {
    /// Whether layers that their publisher does not allow to be passed on are written all the same. Otherwise they are
    /// described but their bytes left out.
    pub include_non_distributable: bool,
}

/// An archive being written: a [`Destination`] for the layers of the items it was begun with. Cheap to clone.
///
/// It is written into `NAME.partial`; what had the name before stays as it was until [`ArchiveWriter::finish`]. Dropped
/// without that, it leaves the unfinished file and its journal if a later run can use them, and nothing otherwise.
#[derive(Debug, Clone)]
pub struct ArchiveWriter {
    shared: Arc<Shared>,
}

/// What an unfinished archive has already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The unfinished file.
    pub path: PathBuf,
    /// How many bytes of layers are in it, as far as is known.
    pub bytes: u64,
    /// How many bytes of layers there would be in all of it.
    pub total: u64,
    /// The files that have to be removed to be rid of it: itself, and what belongs to it.
    pub files: Vec<PathBuf>,
}

/// What was taken from another archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reused {
    /// How many layers.
    pub layers: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

#[derive(Debug)]
struct Shared {
    target: PathBuf,
    partial: Partial,
    previous: Option<Previous>,
    layout: Layout,
    progress: Progress,
}

impl ArchiveWriter {
    /// Begins an archive at `path` that will hold these items: lays it out, reserves its room and writes everything that
    /// is not a layer. Where an earlier run left an unfinished file, what it has of these layers is used: each is hashed
    /// when it is put, and only what is missing is asked for.
    ///
    /// # Errors
    /// [`Error::Create`] when the file cannot be created (or is a directory, a device, a pipe) or another process is
    /// writing it, [`Error::Full`] when there is no room for it, and [`Error::Item`] when an image cannot be described in
    /// an archive.
    pub async fn create(path: &Path, items: &[Item], options: WriteOptions) -> Result<Self, Error> {
        let layout = Layout::new(items, options.include_non_distributable)?;
        let target = path.to_owned();
        let shared = blocking(path, move || Shared::create(target, layout)).await?;
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The size of the finished file in bytes.
    pub fn size(&self) -> u64 {
        self.shared.layout.size
    }

    /// The unfinished file.
    pub fn partial_path(&self) -> &Path {
        self.shared.partial.path()
    }

    /// What is left of an archive that a run could not finish; `None` if there is nothing to go on with, or another
    /// process is going on with it. For messages.
    pub fn unfinished(target: &Path) -> Option<Unfinished> {
        let path = Partial::path_of(target).ok()?;
        let claims = Claims::read(&journal_of(&path));
        let (bytes, total) = (claims.bytes(), claims.total());
        if bytes == 0 || !path.exists() || is_locked(&path) {
            return None;
        }
        let previous = previous_of(&path);
        let mut files = vec![path.clone(), journal_of(&path), previous.clone(), journal_of(&previous)];
        files.retain(|file| file.exists());
        Some(Unfinished { path, bytes, total, files })
    }

    /// Takes the layers that another archive has, verified: an earlier version of the same bundle has most of them. A
    /// layer that is damaged there is left out.
    ///
    /// # Errors
    /// When this archive cannot be written.
    pub async fn reuse(&self, archive: &Archive) -> Result<Reused, Error> {
        let layers: Vec<Descriptor> = (self.shared.layout.slots.iter())
            .filter(|(digest, _)| archive.has_layer(digest))
            .map(|(digest, slot)| Descriptor::new(MediaType::default(), digest.clone(), slot.content.size))
            .collect();
        let mut puts = stream::iter(&layers)
            .map(
                |layer| async move { (layer, self.put_blob(layer, &ArchivedLayer { archive, layer }).await) },
            )
            .buffer_unordered(REUSED_AT_ONCE);
        let mut reused = Reused::default();
        while let Some((layer, put)) = puts.next().await {
            match put {
                Ok(_) => {
                    reused.layers += 1;
                    reused.bytes += layer.size;
                }
                Err(error) if error.kind() == ErrorKind::Full => {
                    return Err(self.shared.partial.full_now());
                }
                // It is fetched from where the image is; whatever is wrong with the disk shows there again.
                Err(_) => {}
            }
        }
        Ok(reused)
    }

    /// Finishes the archive: makes it durable and gives it its name.
    ///
    /// # Errors
    /// [`Error::Incomplete`] when a layer has not been written, and [`Error::Write`] when the file cannot be made durable
    /// or get its name.
    pub async fn finish(self) -> Result<(), Error> {
        if let Some(digest) = self.shared.progress.missing().next() {
            let (path, digest) = (self.shared.target.clone(), digest.clone());
            return Err(Error::Incomplete { path, count: self.shared.progress.missing().count(), digest });
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
        let Earlier { partial, claims, previous } = Earlier::examine(Partial::open(&target)?, &layout)?;
        partial.reserve(layout.size)?;
        // In place of the first header, which an earlier run may have written just before it was killed.
        partial.write(&[0; BLOCK as usize], 0)?;
        let (_, document) = layout.manifest_json.split_at(BLOCK as usize);
        partial.write(document, BLOCK)?;
        for slot in layout.slots.values() {
            partial.write(&slot.header, slot.start())?;
            let end = slot.content.offset + slot.content.size;
            partial.write(&[0; BLOCK as usize][..padding(slot.content.size)], end)?;
        }
        partial.write(&END, layout.size - END.len() as u64)?;
        let path = partial.journal_path();
        let failed = |error: std::io::Error| Error::Write { path: path.clone(), source: error.into() };
        let journal = Journal::create(&path, &claims).map_err(failed)?;
        let progress = Progress::new(&claims, journal);
        Ok(Self { target, partial, previous, layout, progress })
    }
}

/// A layer of another archive, as content for this one.
struct ArchivedLayer<'a> {
    archive: &'a Archive,
    layer: &'a Descriptor,
}

impl BlobOpener for ArchivedLayer<'_> {
    fn open(&self, from: BlobProgress) -> BoxFuture<'_, StoreResult<BlobReader>> {
        self.archive.blob(self.layer, from)
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

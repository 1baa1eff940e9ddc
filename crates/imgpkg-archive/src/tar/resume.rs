//! What an earlier run left, and how much of it can be used.
//!
//! An unfinished file of the same layout is continued in place. One of another layout is set aside, and gives the layers
//! that both have. Either way nothing counts before it has been hashed again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use imgpkg_oci::{BlobProgress, Digest, SystemError};
use rustix::fs::FallocateFlags;

use super::Span;
use super::journal::{Claim, Claims};
use super::layout::Layout;
use super::partial::{Partial, journal_of, previous_of};
use crate::Error;

/// How many bytes are read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// An unfinished file of other images, from which layers are taken.
#[derive(Debug)]
pub(super) struct Previous {
    file: File,
    claims: Claims,
}

/// The unfinished file, with what is in it and beside it.
pub(super) struct Earlier {
    /// The file to go on with.
    pub(super) partial: Partial,
    /// What is already in its place there.
    pub(super) claims: Claims,
    /// What can be taken from elsewhere.
    pub(super) previous: Option<Previous>,
}

impl Earlier {
    /// Looks at what is there, and decides what becomes of it.
    pub(super) fn examine(partial: Partial, layout: &Layout) -> Result<Self, Error> {
        let claims = Claims::read(&partial.journal_path());
        let is_intact = claims.bytes() > 0 && partial.length() >= claims.end();
        if is_intact && is_of(&claims, layout) && partial.length() == layout.size {
            partial.keep();
            let previous = Previous::open(&partial.previous_path(), layout);
            return Ok(Self { partial, claims, previous });
        }
        let partial = match is_intact && shares_layers(&claims, layout) {
            true => partial.set_aside()?,
            false => {
                partial.clear()?;
                partial
            }
        };
        let previous = Previous::open(&partial.previous_path(), layout);
        let nothing = layout
            .slots
            .iter()
            .map(|(digest, slot)| (digest.clone(), Claim { span: slot.content, bytes: 0 }));
        Ok(Self { partial, claims: Claims(nothing.collect()), previous })
    }
}

/// How many bytes of each layer of this layout [`Earlier::examine`] would find in unfinished files.
pub(super) fn left_over(partial: &Path, layout: &Layout) -> BTreeMap<Digest, u64> {
    let length = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let claims_of = |path: &Path| {
        let claims = Claims::read(&journal_of(path));
        let is_intact = claims.bytes() > 0 && length(path) >= claims.end();
        if is_intact { claims } else { Claims::default() }
    };
    let first = claims_of(partial);
    let is_set_aside =
        shares_layers(&first, layout) && !(is_of(&first, layout) && length(partial) == layout.size);
    let second = if is_set_aside { Claims::default() } else { claims_of(&previous_of(partial)) };
    let mut found = BTreeMap::new();
    for (digest, claim) in first.0.into_iter().chain(second.0) {
        if is_shared(&digest, &claim, layout) {
            let bytes = found.entry(digest).or_insert(0);
            *bytes = claim.bytes.max(*bytes);
        }
    }
    found
}

/// Are these the places of this layout?
fn is_of(claims: &Claims, layout: &Layout) -> bool {
    claims.0.len() == layout.slots.len()
        && layout
            .slots
            .iter()
            .all(|(digest, slot)| claims.0.get(digest).is_some_and(|claim| claim.span == slot.content))
}

fn shares_layers(claims: &Claims, layout: &Layout) -> bool {
    claims.0.iter().any(|(digest, claim)| is_shared(digest, claim, layout))
}

fn is_shared(digest: &Digest, claim: &Claim, layout: &Layout) -> bool {
    claim.bytes > 0 && layout.slots.get(digest).is_some_and(|slot| slot.content.size == claim.span.size)
}

impl Previous {
    /// The file at this path, if it has anything for this layout. The room that the rest of it takes is given back, where
    /// the file system can do that.
    fn open(path: &Path, layout: &Layout) -> Option<Self> {
        let mut claims = Claims::read(&journal_of(path));
        let file = File::options().read(true).write(true).open(path).ok()?;
        if file.metadata().ok()?.len() < claims.end() {
            return None;
        }
        claims.0.retain(|digest, claim| {
            let shared = is_shared(digest, claim, layout);
            if !shared && claim.span.size > 0 {
                let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
                // Only a courtesy: without it the file takes its room until the archive is finished.
                let _ = rustix::fs::fallocate(&file, flags, claim.span.offset, claim.span.size);
            }
            shared
        });
        (!claims.0.is_empty()).then_some(Self { file, claims })
    }

    /// What it has of this layer.
    pub(super) fn claim(&self, layer: &Digest) -> Option<Claim> {
        self.claims.0.get(layer).copied()
    }

    /// Copies a claimed beginning of a layer to its new place.
    pub(super) fn copy(
        &self,
        layer: &Digest,
        claim: Claim,
        partial: &Partial,
        to: Span,
    ) -> Result<BlobProgress, Error> {
        replay(&self.file, claim, layer, &partial.previous_path(), |bytes, at| {
            partial.write(bytes, to.offset + at)
        })
    }
}

/// Reads what a file is claimed to have of a layer, which gives the state of its hash at that point.
pub(super) fn replay(
    file: &File,
    claim: Claim,
    layer: &Digest,
    path: &Path,
    mut take: impl FnMut(&[u8], u64) -> Result<(), Error>,
) -> Result<BlobProgress, Error> {
    let mut progress = BlobProgress::start(layer);
    let mut buffer = vec![0; CHUNK_BYTES];
    while progress.offset() < claim.bytes {
        let (at, left) = (progress.offset(), claim.bytes - progress.offset());
        let chunk = match usize::try_from(left) {
            Ok(left) if left < CHUNK_BYTES => &mut buffer[..left],
            _ => &mut buffer[..],
        };
        let unreadable = |error| Error::Read { path: path.to_owned(), source: SystemError::from(error) };
        file.read_exact_at(chunk, claim.span.offset + at).map_err(unreadable)?;
        take(chunk, at)?;
        progress.advance(chunk);
    }
    Ok(progress)
}

#[cfg(test)]
mod tests;

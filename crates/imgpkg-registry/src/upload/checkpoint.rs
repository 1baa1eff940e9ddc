//! Where the content of a blob can be taken up again when its upload was interrupted.

use std::sync::{Arc, Mutex, PoisonError};

use imgpkg_oci::{BlobProgress, Digest};

/// How far checkpoints are apart. What lies between the last one and what the registry has is read once more.
const DISTANCE: u64 = 4 * 1024 * 1024;

/// States of the content's hash, ascending by offset. A clone shares them.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints(Arc<Mutex<Vec<BlobProgress>>>);

impl Checkpoints {
    /// The checkpoints of a blob of which nothing has been read.
    pub(crate) fn start(blob: &Digest) -> Self {
        Self(Arc::new(Mutex::new(vec![BlobProgress::start(blob)])))
    }

    /// Takes note of how far the content has been read.
    pub(crate) fn note(&self, progress: &BlobProgress) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if states.last().is_none_or(|last| progress.offset() >= last.offset() + DISTANCE) {
            states.push(progress.clone());
        }
    }

    /// The last checkpoint that is not behind this offset.
    pub(crate) fn before(&self, offset: u64) -> Option<BlobProgress> {
        let states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.iter().rev().find(|state| state.offset() <= offset).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_taken_up_at_the_last_checkpoint_before_what_the_registry_has() {
        let blob = Digest::sha256_of(b"");
        let checkpoints = Checkpoints::start(&blob);
        let mut progress = BlobProgress::start(&blob);
        for _ in 0..20 {
            progress.advance(&[0; 1024 * 1024]);
            checkpoints.note(&progress);
        }
        let offset = |at: u64| checkpoints.before(at).map(|state| state.offset());
        assert_eq!(offset(0), Some(0));
        assert_eq!(offset(DISTANCE - 1), Some(0));
        assert_eq!(offset(DISTANCE), Some(DISTANCE));
        assert_eq!(offset(u64::MAX), Some(5 * DISTANCE));
    }
}

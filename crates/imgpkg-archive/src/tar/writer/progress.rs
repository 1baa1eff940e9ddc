//! How far each layer of an archive has come, in memory and in the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use imgpkg_oci::Digest;
use tokio::sync::Mutex;

use super::super::journal::{Claims, Journal};

/// After how many more bytes of a layer the journal is told. A killed run loses at most this much of each layer that it
/// was writing.
const NOTE_EVERY: u64 = 1024 * 1024;

/// How far all layers have come.
#[derive(Debug)]
pub(super) struct Progress {
    states: BTreeMap<Digest, State>,
    journal: Journal,
}

/// How far one layer has come.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Is it there, whole and verified?
    complete: AtomicBool,
    /// How many bytes are in the file, from its start on; nobody has proven yet that they are the right ones.
    written: AtomicU64,
    /// The last of these numbers that the journal was told.
    noted: AtomicU64,
    /// Held by whoever writes into the slot until the last write has returned, even if its future is dropped before.
    pub(super) lock: Arc<Mutex<()>>,
}

impl State {
    /// Is the layer there, whole and verified?
    pub(super) fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    /// How many bytes are in the file.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }
}

impl Progress {
    /// What the claims say, none of it verified.
    pub(super) fn new(claims: &Claims, journal: Journal) -> Self {
        let state = |bytes: u64| State {
            written: AtomicU64::new(bytes),
            noted: AtomicU64::new(bytes),
            ..State::default()
        };
        let states = claims.0.iter().map(|(digest, claim)| (digest.clone(), state(claim.bytes)));
        Self { states: states.collect(), journal }
    }

    /// How far this layer has come.
    pub(super) fn state(&self, layer: &Digest) -> Option<&State> {
        self.states.get(layer)
    }

    /// The layers that are not complete, ascending.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Digest> {
        self.states.iter().filter(|(_, state)| !state.is_complete()).map(|(digest, _)| digest)
    }

    /// Takes note of how many bytes of a layer are in the file. True if the journal was told.
    pub(super) fn written(&self, layer: &Digest, bytes: u64) -> bool {
        let Some(state) = self.states.get(layer) else { return false };
        state.written.store(bytes, Ordering::Release);
        let due = bytes.abs_diff(state.noted.load(Ordering::Acquire)) >= NOTE_EVERY;
        due && self.note(layer, state, bytes)
    }

    /// Takes note that no more comes for now: the journal is told where the layer stands. True if that is anywhere.
    pub(super) fn paused(&self, layer: &Digest) -> bool {
        let Some(state) = self.states.get(layer) else { return false };
        let bytes = state.written();
        bytes > 0 && self.note(layer, state, bytes)
    }

    /// Takes note that a layer is whole and verified.
    pub(super) fn completed(&self, layer: &Digest, size: u64) {
        let Some(state) = self.states.get(layer) else { return };
        state.written.store(size, Ordering::Release);
        state.complete.store(true, Ordering::Release);
        self.note(layer, state, size);
    }

    /// Takes note that what is there of a layer is wrong.
    pub(super) fn spoilt(&self, layer: &Digest) {
        let Some(state) = self.states.get(layer) else { return };
        state.written.store(0, Ordering::Release);
        self.note(layer, state, 0);
    }

    fn note(&self, layer: &Digest, state: &State, bytes: u64) -> bool {
        if state.noted.swap(bytes, Ordering::AcqRel) == bytes {
            return false;
        }
        // A line that cannot be written costs a later run some work, which is no reason to give up this one.
        self.journal.note(layer, bytes).is_ok()
    }
}

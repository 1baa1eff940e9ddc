//! The uncompressed bytes that the encoder can see: the block being gathered and what came before it.

/// Bytes in a full block. One less than 64 KiB, the most that one stored block can hold.
pub(super) const BLOCK: usize = 65535;
/// How far back a match may reach.
pub(super) const HISTORY: usize = 32768;
/// Unused bytes after the block, so that words can be loaded from its last positions without looking first.
const SLACK: usize = 8;
/// The length of the whole window.
pub(super) const WINDOW: usize = HISTORY + BLOCK + SLACK;

/// One block and its history, in one piece of memory so that a match can run from one into the other.
#[derive(Debug)]
pub(super) struct Window {
    bytes: Box<[u8; WINDOW]>,
    gathered: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { bytes: Box::new([0; WINDOW]), gathered: 0 }
    }

    /// Appends to the block as much of `input` as there is room for and returns how much that was.
    pub(super) fn push(&mut self, input: &[u8]) -> usize {
        let taken = input.len().min(BLOCK - self.gathered);
        let start = HISTORY + self.gathered;
        self.bytes[start..start + taken].copy_from_slice(&input[..taken]);
        self.gathered += taken;
        taken
    }

    /// What has been gathered of the current block.
    pub(super) fn block(&self) -> &[u8] {
        &self.bytes[HISTORY..HISTORY + self.gathered]
    }

    /// The current block with at least [`SLACK`] arbitrary bytes after it.
    pub(super) fn block_and_slack(&self) -> &[u8] {
        &self.bytes[HISTORY..]
    }

    /// History, block and slack: the block starts at [`HISTORY`]. What follows the gathered bytes is arbitrary.
    pub(super) fn bytes(&self) -> &[u8; WINDOW] {
        &self.bytes
    }

    /// Makes the block history and starts an empty one.
    pub(super) fn advance(&mut self) {
        let end = HISTORY + self.gathered;
        self.bytes.copy_within(end - HISTORY..end, 0);
        self.gathered = 0;
    }
}

//! The old GNU format: binary numbers, and names of any length in an entry of their own.

use super::header::{self, BLOCK, Magic};
use super::{Entry, padding};

/// The name that marks an entry whose content is the next entry's name.
const LONG_NAME: &[u8] = b"././@LongLink";

/// The long-name entry if the name does not fit its field, and the entry's own header. Names are written as they are.
pub(super) fn header(entry: &Entry<'_>) -> Vec<u8> {
    let mut blocks = Vec::with_capacity(BLOCK);
    if entry.has_long_name() {
        // The name is followed by NUL.
        let size = entry.name.len() as u64 + 1;
        blocks.extend_from_slice(&header::carrier(LONG_NAME, b'L', size, Magic::Gnu));
        blocks.extend_from_slice(entry.name);
        blocks.push(0);
        blocks.resize(blocks.len() + padding(size), 0);
    }
    blocks.extend_from_slice(&header::gnu(entry));
    blocks
}

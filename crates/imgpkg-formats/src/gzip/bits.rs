//! Bits into bytes, least significant first, as RFC 1951 section 3.1.1 packs them.

use super::window::BLOCK;

/// Room for the longest encoded block, with the gzip header before it and the end of the stream after it.
///
/// A stored block takes 5 bytes of header. Anything else was estimated to be no longer than that, but the estimate
/// leaves out the extra bits of matches: at most 18 for each, and a match takes at least four bytes of the block.
pub(super) const CAPACITY: usize = 1 << 17;

/// Header, closing block, trailer, and the bytes beyond its end that a writer touches.
const AROUND: usize = 64;
const _: () = assert!(BLOCK + 5 + BLOCK / 4 * 18 / 8 + AROUND <= CAPACITY);

/// What has not filled a byte yet when a writer is put aside between two blocks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Carry {
    bits: u64,
    count: u32,
}

/// A position in an output buffer, to the bit. Borrows the buffer and owns the rest, so that in a loop everything
/// stays in registers.
pub(super) struct BitWriter<'a> {
    out: &'a mut [u8; CAPACITY],
    len: usize,
    /// The bits that `out[..len]` does not have yet; those above `count` are zero.
    bits: u64,
    /// At most 7 between calls.
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Goes on at byte `len` of the buffer with the bits left from before.
    pub(super) fn resume(out: &'a mut [u8; CAPACITY], len: usize, carry: Carry) -> Self {
        Self { out, len, bits: carry.bits, count: carry.count }
    }

    /// The number of complete bytes in the buffer, and the bits beyond them.
    pub(super) fn suspend(self) -> (usize, Carry) {
        (self.len, Carry { bits: self.bits, count: self.count })
    }

    /// Adds the `width` low bits of `value`, whose other bits are zero. `width` is at most 56.
    #[inline(always)]
    pub(super) fn put(&mut self, value: u64, width: u32) {
        debug_assert!(width <= 56 && value >> width == 0);
        self.bits |= value << self.count;
        self.count += width;
        // Always eight bytes, of which only the complete ones count: no branch, and the next call overwrites the rest.
        self.out[self.len..self.len + 8].copy_from_slice(&self.bits.to_le_bytes());
        let complete = self.count & !7;
        self.len += (complete >> 3) as usize;
        self.bits >>= complete;
        self.count -= complete;
    }

    /// Fills the last byte up with zeros.
    pub(super) fn align(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }

    /// Adds whole bytes at a byte boundary.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.count, 0);
        self.out[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

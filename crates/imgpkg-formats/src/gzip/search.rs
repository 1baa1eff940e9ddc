//! The match search: which repetitions in a block are found, out of many that could be.
//!
//! One hash table, one position per slot, newest wins; no chains, no lazy evaluation, no extension backwards. A
//! repetition is found at a position if the slot of the four bytes there holds a position that is near enough and has
//! the same four bytes. Where nothing is found for a while, positions are skipped, more and more of them, so that data
//! that does not compress costs little. The table lives as long as the stream: matches reach into the block before.
//!
//! All of this, including which positions enter the table and in what order, decides the output.

use super::symbols::MAX_LENGTH;
use super::window::{HISTORY, WINDOW};

/// Slots of the table.
const SLOTS: usize = 1 << 14;
/// Spreads four bytes over the slots.
const HASH_MULTIPLIER: u32 = 0x1e35_a7bd;
/// The search stops this many bytes before the end of the block.
const MARGIN: usize = 15;
/// The farthest distance of a match.
const MAX_DISTANCE: u32 = HISTORY as u32;
/// The position of the first byte of a stream. So large that an empty slot, which holds position 0, is out of reach.
const FIRST_POSITION: u32 = MAX_DISTANCE + 1;
/// When a block starts beyond this position, all positions are lowered, so that they never overflow.
const LAST_POSITION: u32 = 1 << 31;
/// The search takes a step of `budget >> BUDGET_SHIFT`, and each step adds its length to the budget.
const BUDGET_SHIFT: usize = 5;
/// The budget with which the search starts after each match.
const FIRST_BUDGET: usize = 1 << BUDGET_SHIFT;

/// Literals and the match after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// How many bytes before the match stand for themselves.
    pub(super) literals: u16,
    /// From 4 to 258.
    pub(super) length: u16,
    /// From 1 to 32768.
    pub(super) distance: u16,
}

/// The state of the search, for one stream.
#[derive(Debug)]
pub(super) struct Search {
    table: Box<[Slot; SLOTS]>,
    /// The position of the current block's first byte.
    position: u32,
}

/// A position in its upper half and the four bytes there in its lower half, so that most candidates that are none are
/// refused without looking at the window.
type Slot = u64;

#[inline(always)]
fn hash(word: u32) -> usize {
    (word.wrapping_mul(HASH_MULTIPLIER) >> 18) as usize
}

impl Search {
    pub(super) fn new() -> Self {
        Self::starting_at(FIRST_POSITION)
    }

    fn starting_at(position: u32) -> Self {
        Self { table: Box::new([0; SLOTS]), position }
    }

    /// Searches the block of `len` bytes at [`HISTORY`] in the window and puts its matches into `tokens`, in order.
    /// What follows the last match is literal. `len` is at least 128 and at most a full block.
    pub(super) fn block(&mut self, window: &[u8; WINDOW], len: usize, tokens: &mut Vec<Token>) {
        tokens.clear();
        self.lower_positions();
        let mut pass = Pass { table: &mut self.table, window, position: self.position, len };
        pass.run(tokens);
        // A block has less than 2^16 bytes.
        self.position += len as u32;
    }

    /// Moves all positions down when they have become large. What falls below zero was out of reach anyway.
    fn lower_positions(&mut self) {
        if self.position > LAST_POSITION {
            let by = self.position - FIRST_POSITION;
            for slot in self.table.iter_mut() {
                let position = (*slot >> 32) as u32;
                *slot = u64::from(position.saturating_sub(by)) << 32 | (*slot & u64::from(u32::MAX));
            }
            self.position = FIRST_POSITION;
        }
    }
}

/// The search of one block. Indices count from the block's first byte.
struct Pass<'a> {
    table: &'a mut [Slot; SLOTS],
    window: &'a [u8; WINDOW],
    position: u32,
    len: usize,
}

impl Pass<'_> {
    fn run(&mut self, tokens: &mut Vec<Token>) {
        let end = self.len - MARGIN;
        let mut at = 0;
        let mut literals = 0;
        while let Some((start, found)) = self.scan(at, end) {
            at = start;
            let mut distance = found;
            loop {
                let length = self.match_length(at, distance);
                tokens.push(Token {
                    literals: (at - literals) as u16,
                    length: length as u16,
                    distance: distance as u16,
                });
                at += length;
                literals = at;
                if at >= end {
                    return;
                }
                self.enter(at - 1, self.word(at - 1));
                match self.look_up(at, self.word(at)) {
                    Some(next) => distance = next,
                    None => break,
                }
            }
            at += 1;
        }
    }

    /// The next position from `at` on where a match starts, and its distance.
    #[inline(always)]
    fn scan(&mut self, at: usize, end: usize) -> Option<(usize, usize)> {
        let mut budget = FIRST_BUDGET;
        let mut next = at;
        let mut next_word = self.word(at);
        loop {
            let (at, word) = (next, next_word);
            let step = budget >> BUDGET_SHIFT;
            next = at + step;
            budget += step;
            // Before the table is touched: the last position examined enters nothing.
            if next > end {
                return None;
            }
            next_word = self.word(next);
            if let Some(distance) = self.look_up(at, word) {
                return Some((at, distance));
            }
        }
    }

    /// Fetches the candidate for `at` and puts `at` in its place. Returns its distance if it is a match.
    #[inline(always)]
    fn look_up(&mut self, at: usize, word: u32) -> Option<usize> {
        let position = self.position + at as u32;
        let slot = &mut self.table[hash(word)];
        let old = std::mem::replace(slot, u64::from(position) << 32 | u64::from(word));
        let distance = position - (old >> 32) as u32;
        (old as u32 == word && distance <= MAX_DISTANCE).then_some(distance as usize)
    }

    #[inline(always)]
    fn enter(&mut self, at: usize, word: u32) {
        self.table[hash(word)] = u64::from(self.position + at as u32) << 32 | u64::from(word);
    }

    /// The four bytes at `at`, first byte lowest.
    #[inline(always)]
    fn word(&self, at: usize) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.window[HISTORY + at..HISTORY + at + 4]);
        u32::from_le_bytes(bytes)
    }

    /// How far the bytes at `at` equal those `distance` before them, given that four do: within the block, at most
    /// [`MAX_LENGTH`].
    #[inline(always)]
    fn match_length(&self, at: usize, distance: usize) -> usize {
        let most = (self.len - at).min(MAX_LENGTH);
        let start = HISTORY + at;
        let mut length = 4;
        while length < most {
            let here = self.long_word(start + length);
            let there = self.long_word(start - distance + length);
            let different = here ^ there;
            if different != 0 {
                length += (different.trailing_zeros() / 8) as usize;
                break;
            }
            length += 8;
        }
        length.min(most)
    }

    /// Eight bytes of the window, first byte lowest.
    #[inline(always)]
    fn long_word(&self, index: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.window[index..index + 8]);
        u64::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests;

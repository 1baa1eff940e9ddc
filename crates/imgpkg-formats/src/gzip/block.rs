//! One block: its symbols counted, its codes made, and the decision how it is written.
//!
//! There are three ways: the matches found, the bytes as they are but Huffman-coded, and stored. The fixed codes of
//! RFC 1951 are never used, and no block but the closing one is marked as the last.

use super::bits::{BitWriter, Carry};
use super::huffman::{Code, Codes, MAX_WIDTH};
use super::lengths::Head;
use super::search::{Search, Token};
use super::symbols::{self, DISTANCES, END_OF_BLOCK, LENGTHS, LITERALS, MIN_LENGTH};
use super::window::Window;

/// A block of at most this many bytes is stored without another look.
const ALWAYS_STORED: usize = 16;
/// A shorter block is not searched for matches.
const MIN_SEARCHED: usize = 128;

/// Writes blocks. Keeps its memory from one to the next.
#[derive(Debug)]
pub(super) struct Writer {
    tokens: Vec<Token>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { tokens: Vec::new() }
    }

    /// Writes the window's block and returns where the output stands.
    pub(super) fn write(
        &mut self,
        mut bits: BitWriter<'_>,
        window: &Window,
        search: &mut Search,
    ) -> (usize, Carry) {
        let block = window.block();
        self.tokens.clear();
        if block.len() <= ALWAYS_STORED {
            write_stored(&mut bits, block);
            return bits.suspend();
        }
        if block.len() >= MIN_SEARCHED {
            search.block(window.bytes(), block.len(), &mut self.tokens);
            // Matches that save too little are forgotten. What the search put into its table stays there.
            if symbol_count(block, &self.tokens) > block.len() - block.len() / 16 {
                self.tokens.clear();
            }
        }
        write_cheapest(&mut bits, window.block_and_slack(), block.len(), &self.tokens);
        bits.suspend()
    }
}

/// Literals and matches together.
fn symbol_count(block: &[u8], tokens: &[Token]) -> usize {
    let matched: usize = tokens.iter().map(|token| usize::from(token.length)).sum();
    block.len() - matched + tokens.len()
}

/// Writes the first `len` bytes of `padded` with codes of their own, or stored where that is estimated to save little.
fn write_cheapest(bits: &mut BitWriter<'_>, padded: &[u8], len: usize, tokens: &[Token]) {
    let block = &padded[..len];
    let counts = Counts::of(block, tokens);
    let literals = Codes::new(&counts.literals, MAX_WIDTH);
    let distances = Codes::new(&counts.distances, MAX_WIDTH);
    let head = Head::new(in_use(&literals.codes), in_use(&distances.codes));

    // The extra bits of lengths and distances are missing from the estimate, and the distance code that a block without
    // matches describes but never uses counts one bit. Both decide the output and must stay so.
    let estimate = head.size() + literals.size(&counts.literals) + distances.size(&counts.distances);
    let stored = 8 * (block.len() as u64 + 5);
    if stored < estimate + estimate / 16 {
        write_stored(bits, block);
    } else {
        head.write(bits);
        write_symbols(bits, padded, len, tokens, &Table::new(&literals, &distances));
    }
}

/// The codes up to the last one that is used.
fn in_use(codes: &[Code]) -> &[Code] {
    let len = codes.iter().rposition(|code| code.width > 0).map_or(0, |last| last + 1);
    &codes[..len]
}

/// How often each symbol occurs in a block.
struct Counts {
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
}

impl Counts {
    fn of(block: &[u8], tokens: &[Token]) -> Self {
        let mut literals = [0; LITERALS];
        let mut distances = [0; DISTANCES];
        let mut rest = block;
        for token in tokens {
            let (run, after) = rest.split_at(usize::from(token.literals));
            rest = &after[usize::from(token.length)..];
            for &byte in run {
                literals[usize::from(byte)] += 1;
            }
            literals[usize::from(length(token).number)] += 1;
            distances[usize::from(symbols::distance(usize::from(token.distance)).number)] += 1;
        }
        for &byte in rest {
            literals[usize::from(byte)] += 1;
        }
        literals[END_OF_BLOCK] += 1;
        if tokens.is_empty() {
            // At least one distance code has to be described.
            distances[0] = 1;
        }
        Self { literals, distances }
    }
}

/// The symbol of a token's length.
#[inline(always)]
fn length(token: &Token) -> symbols::Symbol {
    LENGTHS[(usize::from(token.length) - MIN_LENGTH) & 0xff]
}

/// Some bits to write: the bits below, their number above.
type Packed = u32;

/// Where the number of bits starts; the most bits are a length's, 15 of code and 5 extra.
const WIDTH_SHIFT: u32 = 24;

fn pack(code: Code) -> Packed {
    u32::from(code.bits) | u32::from(code.width) << WIDTH_SHIFT
}

/// A block's codes as the loop over its tokens wants them.
struct Table {
    /// Of each byte.
    bytes: [Packed; 256],
    /// Of each match length with its extra bits, starting with [`MIN_LENGTH`].
    lengths: [Packed; 256],
    /// Of each distance symbol, rounded up to a power of two.
    distances: [Packed; 32],
    end: Packed,
}

impl Table {
    fn new(literals: &Codes<LITERALS>, distances: &Codes<DISTANCES>) -> Self {
        let mut table = Self { bytes: [0; 256], lengths: [0; 256], distances: [0; 32], end: 0 };
        for (packed, &code) in table.bytes.iter_mut().zip(&literals.codes) {
            *packed = pack(code);
        }
        for (packed, symbol) in table.lengths.iter_mut().zip(&LENGTHS) {
            let code = literals.codes[usize::from(symbol.number)];
            let with_extra = Code { bits: 0, width: code.width + symbol.extra_width };
            *packed = pack(with_extra) | u32::from(code.bits) | u32::from(symbol.extra) << code.width;
        }
        for (packed, &code) in table.distances.iter_mut().zip(&distances.codes) {
            *packed = pack(code);
        }
        table.end = pack(literals.codes[END_OF_BLOCK]);
        table
    }

    #[inline(always)]
    fn byte(&self, byte: u8) -> Packed {
        self.bytes[usize::from(byte)]
    }
}

/// Writes the symbols of the first `len` bytes of `block`, which is followed by at least two bytes more.
fn write_symbols(bits: &mut BitWriter<'_>, block: &[u8], len: usize, tokens: &[Token], table: &Table) {
    let mut at = 0;
    for token in tokens {
        let literals = usize::from(token.literals);
        let mut group = write_literals(bits, &block[at..at + literals + 2], table);
        at += literals + usize::from(token.length);

        group.add(table.lengths[(usize::from(token.length) - MIN_LENGTH) & 0xff]);
        let symbol = symbols::distance(usize::from(token.distance));
        let mut distance = Group::default();
        distance.add(table.distances[usize::from(symbol.number) & 31]);
        distance.add_bits(u64::from(symbol.extra), u32::from(symbol.extra_width));
        // Nearly always, since short codes are the frequent ones.
        if group.width + distance.width <= Group::MAX_WIDTH {
            group.add_bits(distance.bits, distance.width);
        } else {
            group.write(bits);
            group = distance;
        }
        group.write(bits);
    }
    let mut group = write_literals(bits, &block[at..len + 2], table);
    group.add(table.end);
    group.write(bits);
}

/// Writes literals, except for up to two at the end, which it returns. The last two bytes of `run` are not literals.
#[inline(always)]
fn write_literals(bits: &mut BitWriter<'_>, mut run: &[u8], table: &Table) -> Group {
    while let Some((&[first, second, third], rest)) = run.split_first_chunk()
        && rest.len() >= 2
    {
        let mut group = Group::default();
        group.add(table.byte(first));
        group.add(table.byte(second));
        group.add(table.byte(third));
        group.write(bits);
        run = rest;
    }
    let mut group = Group::default();
    if let [first, second, rest @ ..] = run {
        // A multiplication by one or zero, because a branch here could not be predicted.
        group.add(table.byte(*first) * u32::from(!rest.is_empty()));
        group.add(table.byte(*second) * u32::from(rest.len() > 1));
    }
    group
}

/// Bits collected to be written at once.
#[derive(Default)]
struct Group {
    bits: u64,
    width: u32,
}

impl Group {
    /// What can be written at once.
    const MAX_WIDTH: u32 = 56;

    #[inline(always)]
    fn add_bits(&mut self, bits: u64, width: u32) {
        self.bits |= bits << self.width;
        self.width += width;
    }

    #[inline(always)]
    fn add(&mut self, packed: Packed) {
        self.add_bits(u64::from(packed & ((1 << WIDTH_SHIFT) - 1)), packed >> WIDTH_SHIFT);
    }

    #[inline(always)]
    fn write(self, bits: &mut BitWriter<'_>) {
        bits.put(self.bits, self.width);
    }
}

/// Writes the bytes as they are, in a block that is not the last one.
fn write_stored(bits: &mut BitWriter<'_>, block: &[u8]) {
    bits.put(0b000, 3);
    bits.align();
    write_stored_length(bits, block.len());
    bits.put_bytes(block);
}

/// Writes the empty stored block that ends every stream.
pub(super) fn write_closing(bits: &mut BitWriter<'_>) {
    bits.put(0b001, 3);
    bits.align();
    write_stored_length(bits, 0);
}

fn write_stored_length(bits: &mut BitWriter<'_>, len: usize) {
    // A block has at most 65535 bytes.
    let len = len as u16;
    bits.put_bytes(&len.to_le_bytes());
    bits.put_bytes(&(!len).to_le_bytes());
}

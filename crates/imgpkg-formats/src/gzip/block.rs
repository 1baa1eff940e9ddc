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
        write_cheapest(&mut bits, block, &self.tokens);
        bits.suspend()
    }
}

/// Literals and matches together.
fn symbol_count(block: &[u8], tokens: &[Token]) -> usize {
    let matched: usize = tokens.iter().map(|token| usize::from(token.length)).sum();
    block.len() - matched + tokens.len()
}

/// Writes the block with codes of its own, or stored where that is estimated to save little.
fn write_cheapest(bits: &mut BitWriter<'_>, block: &[u8], tokens: &[Token]) {
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
        write_symbols(bits, block, tokens, &literals, &distances);
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

fn write_symbols(
    bits: &mut BitWriter<'_>,
    block: &[u8],
    tokens: &[Token],
    literals: &Codes<LITERALS>,
    distances: &Codes<DISTANCES>,
) {
    let mut rest = block;
    for token in tokens {
        let (run, after) = rest.split_at(usize::from(token.literals));
        rest = &after[usize::from(token.length)..];
        write_literals(bits, run, literals);
        write_match(bits, token, literals, distances);
    }
    write_literals(bits, rest, literals);
    let end = literals.codes[END_OF_BLOCK];
    bits.put(u64::from(end.bits), u32::from(end.width));
}

#[inline(always)]
fn write_literals(bits: &mut BitWriter<'_>, run: &[u8], codes: &Codes<LITERALS>) {
    let (triples, rest) = run.as_chunks::<3>();
    for triple in triples {
        let mut group = Group::default();
        for &byte in triple {
            group.add_code(codes.codes[usize::from(byte)]);
        }
        group.write(bits);
    }
    let mut group = Group::default();
    for &byte in rest {
        group.add_code(codes.codes[usize::from(byte)]);
    }
    group.write(bits);
}

#[inline(always)]
fn write_match(
    bits: &mut BitWriter<'_>,
    token: &Token,
    literals: &Codes<LITERALS>,
    distances: &Codes<DISTANCES>,
) {
    let length = length(token);
    let distance = symbols::distance(usize::from(token.distance));
    let mut group = Group::default();
    group.add_code(literals.codes[usize::from(length.number)]);
    group.add(u64::from(length.extra), u32::from(length.extra_width));
    group.add_code(distances.codes[usize::from(distance.number)]);
    group.add(u64::from(distance.extra), u32::from(distance.extra_width));
    group.write(bits);
}

/// Bits collected to be written at once: at most 48, which is a match with the longest codes.
#[derive(Default)]
struct Group {
    bits: u64,
    width: u32,
}

impl Group {
    #[inline(always)]
    fn add(&mut self, bits: u64, width: u32) {
        self.bits |= bits << self.width;
        self.width += width;
    }

    #[inline(always)]
    fn add_code(&mut self, code: Code) {
        self.add(u64::from(code.bits), u32::from(code.width));
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

//! The head of a dynamic block: its codes, described by their widths (RFC 1951 section 3.2.7).

use super::bits::BitWriter;
use super::huffman::{Code, Codes, MAX_LENGTHS_WIDTH};

/// Symbols of the alphabet that widths are written in.
const ALPHABET: usize = 19;
/// "Repeat the previous width."
const REPEAT: usize = 16;
/// "A few zeros."
const ZEROS: usize = 17;
/// "Many zeros."
const MANY_ZEROS: usize = 18;
/// The order in which the widths of this alphabet's own codes are sent, the ones that tend to be missing last.
const ORDER: [usize; ALPHABET] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// Fewer widths are never sent.
const MIN_SENT: usize = 4;
/// The most widths described: of literals and lengths, and of distances.
const MAX_WIDTHS: usize = 286 + 30;

/// A symbol of the alphabet and its extra bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Step {
    symbol: u8,
    extra: u8,
}

/// How many extra bits follow a symbol.
const fn extra_width(symbol: usize) -> u32 {
    match symbol {
        REPEAT => 2,
        ZEROS => 3,
        MANY_ZEROS => 7,
        _ => 0,
    }
}

/// The head of one block, ready to be measured and written.
#[derive(Debug)]
pub(super) struct Head {
    literals: usize,
    distances: usize,
    steps: [Step; MAX_WIDTHS],
    step_count: usize,
    counts: [u32; ALPHABET],
    codes: Codes<ALPHABET>,
    sent: usize,
}

impl Head {
    /// Describes the codes of a block: those of literals and lengths (at least 257 of them), then those of distances
    /// (at least one).
    pub(super) fn new(literals: &[Code], distances: &[Code]) -> Self {
        let mut widths = [0; MAX_WIDTHS];
        let len = literals.len() + distances.len();
        for (width, code) in widths.iter_mut().zip(literals.iter().chain(distances)) {
            *width = code.width;
        }

        let mut steps = [Step::default(); MAX_WIDTHS];
        let mut step_count = 0;
        let mut counts = [0; ALPHABET];
        // Runs go on from the literals into the distances.
        for run in widths[..len].chunk_by(|a, b| a == b) {
            describe_run(run[0], run.len(), |step| {
                steps[step_count] = step;
                step_count += 1;
                counts[usize::from(step.symbol)] += 1;
            });
        }

        let codes = Codes::new(&counts, MAX_LENGTHS_WIDTH);
        let used = ORDER.iter().rposition(|&symbol| counts[symbol] > 0).map_or(0, |last| last + 1);
        let (literals, distances) = (literals.len(), distances.len());
        Self { literals, distances, steps, step_count, counts, codes, sent: used.max(MIN_SENT) }
    }

    /// The size in bits, with the three bits that start the block.
    pub(super) fn size(&self) -> u64 {
        let extra: u64 = [REPEAT, ZEROS, MANY_ZEROS]
            .iter()
            .map(|&symbol| u64::from(extra_width(symbol)) * u64::from(self.counts[symbol]))
            .sum();
        3 + 5 + 5 + 4 + 3 * self.sent as u64 + self.codes.size(&self.counts) + extra
    }

    /// Starts a dynamic block that is not the last one.
    pub(super) fn write(&self, bits: &mut BitWriter<'_>) {
        bits.put(0b100, 3);
        bits.put(self.literals as u64 - 257, 5);
        bits.put(self.distances as u64 - 1, 5);
        bits.put(self.sent as u64 - MIN_SENT as u64, 4);
        for &symbol in &ORDER[..self.sent] {
            bits.put(u64::from(self.codes.codes[symbol].width), 3);
        }
        for step in &self.steps[..self.step_count] {
            let symbol = usize::from(step.symbol);
            let code = self.codes.codes[symbol];
            bits.put(u64::from(code.bits), u32::from(code.width));
            bits.put(u64::from(step.extra), extra_width(symbol));
        }
    }
}

/// Splits a run of `len` equal widths into steps: greedily, without balancing.
fn describe_run(width: u8, len: usize, mut put: impl FnMut(Step)) {
    let mut left = len;
    // Repetitions are at most 138, so the casts keep the value.
    if width == 0 {
        while left >= 11 {
            let zeros = left.min(138);
            put(Step { symbol: MANY_ZEROS as u8, extra: (zeros - 11) as u8 });
            left -= zeros;
        }
        if left >= 3 {
            put(Step { symbol: ZEROS as u8, extra: (left - 3) as u8 });
            left = 0;
        }
    } else {
        put(Step { symbol: width, extra: 0 });
        left -= 1;
        while left >= 3 {
            let repeated = left.min(6);
            put(Step { symbol: REPEAT as u8, extra: (repeated - 3) as u8 });
            left -= repeated;
        }
    }
    for _ in 0..left {
        put(Step { symbol: width, extra: 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(width: u8, len: usize) -> Vec<(u8, u8)> {
        let mut steps = Vec::new();
        describe_run(width, len, |step| steps.push((step.symbol, step.extra)));
        steps
    }

    #[test]
    fn a_run_of_widths_is_sent_once_and_repeated_greedily() {
        assert_eq!(steps(5, 1), [(5, 0)]);
        assert_eq!(steps(5, 3), [(5, 0), (5, 0), (5, 0)]);
        assert_eq!(steps(5, 4), [(5, 0), (16, 0)]);
        assert_eq!(steps(5, 7), [(5, 0), (16, 3)]);
        assert_eq!(steps(5, 8), [(5, 0), (16, 3), (5, 0)]);
    }

    #[test]
    fn a_run_of_zeros_takes_as_many_as_one_symbol_can() {
        assert_eq!(steps(0, 2), [(0, 0), (0, 0)]);
        assert_eq!(steps(0, 10), [(17, 7)]);
        assert_eq!(steps(0, 11), [(18, 0)]);
        assert_eq!(steps(0, 140), [(18, 127), (0, 0), (0, 0)]);
        assert_eq!(steps(0, 141), [(18, 127), (17, 0)]);
    }

    #[test]
    fn a_run_crosses_from_literals_into_distances() {
        let one = Code { bits: 0, width: 1 };
        let mut literals = [Code::default(); 257];
        (literals[97], literals[256]) = (one, one);
        let head = Head::new(&literals, &[one]);
        let symbols: Vec<u8> = head.steps[..head.step_count].iter().map(|step| step.symbol).collect();
        assert_eq!(symbols, [18, 1, 18, 18, 1, 1]);
        assert_eq!(head.size(), 17 + 54 + 6 + 7 * 3);
    }
}

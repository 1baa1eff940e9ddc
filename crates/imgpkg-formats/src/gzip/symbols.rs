//! Lengths and distances as symbols with extra bits: RFC 1951 section 3.2.5.

/// Symbols of the literal and length alphabet that can occur.
pub(super) const LITERALS: usize = 286;
/// Symbols of the distance alphabet.
pub(super) const DISTANCES: usize = 30;
/// The symbol that ends a block.
pub(super) const END_OF_BLOCK: usize = 256;
/// The shortest length that has a symbol.
pub(super) const MIN_LENGTH: usize = 3;
/// The longest match.
pub(super) const MAX_LENGTH: usize = 258;

/// The first length symbol.
const FIRST_LENGTH: usize = 257;

/// A value as a symbol of its alphabet and the bits that tell it from the symbol's other values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) number: u16,
    /// How many extra bits follow the symbol's code.
    pub(super) extra_width: u8,
    /// The extra bits.
    pub(super) extra: u16,
}

/// The symbol of each match length, starting with [`MIN_LENGTH`].
pub(super) static LENGTHS: [Symbol; 256] = lengths();

const fn lengths() -> [Symbol; 256] {
    let mut symbols = [Symbol { number: 0, extra_width: 0, extra: 0 }; 256];
    let mut index = 0;
    while index < symbols.len() {
        let (offset, extra_width, extra) = offset(index, 2);
        symbols[index] = Symbol { number: (FIRST_LENGTH + offset) as u16, extra_width, extra };
        index += 1;
    }
    // The longest length has a symbol to itself instead of the last place of the one before.
    symbols[255] = Symbol { number: (FIRST_LENGTH + 28) as u16, extra_width: 0, extra: 0 };
    symbols
}

/// The symbol of a distance from 1 to 32768.
#[inline(always)]
pub(super) const fn distance(distance: usize) -> Symbol {
    let (number, extra_width, extra) = offset(distance.wrapping_sub(1), 1);
    Symbol { number: number as u16, extra_width, extra }
}

/// The rule behind both alphabets. Values are grouped by the position of their highest bit and the `fraction` bits
/// below it; each group is a symbol, and the bits further down are extra. The smallest values have a symbol each.
#[inline(always)]
const fn offset(value: usize, fraction: u32) -> (usize, u8, u16) {
    let top = (value | 1).ilog2();
    if top <= fraction {
        return (value, 0, 0);
    }
    let width = top - fraction;
    let symbol = ((width as usize) << fraction) + (value >> width);
    (symbol, width as u8, (value & ((1 << width) - 1)) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Symbol, extra bits and first value, from the tables in the RFC.
    const RFC_LENGTHS: [(u16, u8, usize); 29] = [
        (257, 0, 3),
        (258, 0, 4),
        (259, 0, 5),
        (260, 0, 6),
        (261, 0, 7),
        (262, 0, 8),
        (263, 0, 9),
        (264, 0, 10),
        (265, 1, 11),
        (266, 1, 13),
        (267, 1, 15),
        (268, 1, 17),
        (269, 2, 19),
        (270, 2, 23),
        (271, 2, 27),
        (272, 2, 31),
        (273, 3, 35),
        (274, 3, 43),
        (275, 3, 51),
        (276, 3, 59),
        (277, 4, 67),
        (278, 4, 83),
        (279, 4, 99),
        (280, 4, 115),
        (281, 5, 131),
        (282, 5, 163),
        (283, 5, 195),
        (284, 5, 227),
        (285, 0, 258),
    ];

    #[test]
    fn every_length_has_the_symbol_and_extra_bits_of_the_rfc() {
        for length in MIN_LENGTH..=MAX_LENGTH {
            let &(number, extra_width, base) = RFC_LENGTHS.iter().rfind(|row| row.2 <= length).unwrap();
            let expected = Symbol { number, extra_width, extra: (length - base) as u16 };
            assert_eq!(LENGTHS[length - MIN_LENGTH], expected, "length {length}");
        }
    }

    #[test]
    fn every_distance_has_the_symbol_and_extra_bits_of_the_rfc() {
        let mut base = 1;
        for number in 0..30u16 {
            // Two symbols for each number of extra bits, except that the first four have none.
            let extra_width = (number / 2).saturating_sub(1) as u8;
            for extra in 0..1u16 << extra_width {
                let expected = Symbol { number, extra_width, extra };
                assert_eq!(distance(base + usize::from(extra)), expected);
            }
            base += 1 << extra_width;
        }
        assert_eq!(base, 32769);
    }
}

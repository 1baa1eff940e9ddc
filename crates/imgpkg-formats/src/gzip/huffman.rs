//! Huffman codes: how long each symbol's code is, and its value.
//!
//! Several sets of code lengths can be equally short. Which one is taken decides the output, so the rule for ties is
//! part of it: symbols are sorted by count, then by number, and **where a symbol and a package of symbols weigh the
//! same, the package comes first**.

/// The longest code of literals, lengths and distances.
pub(super) const MAX_WIDTH: u32 = 15;
/// The longest code of the alphabet that describes the other two.
pub(super) const MAX_LENGTHS_WIDTH: u32 = 7;
/// The most symbols an alphabet has, rounded up.
const MAX_SYMBOLS: usize = 288;

/// The code of one symbol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Code {
    /// The first bit of the code lowest.
    pub(super) bits: u16,
    /// 0 for a symbol that does not occur.
    pub(super) width: u8,
}

/// The codes of an alphabet of `N` symbols.
#[derive(Debug, Clone)]
pub(super) struct Codes<const N: usize> {
    pub(super) codes: [Code; N],
}

impl<const N: usize> Codes<N> {
    /// Optimal codes of at most `limit` bits for symbols that occur so often.
    pub(super) fn new(counts: &[u32; N], limit: u32) -> Self {
        let mut codes = [Code::default(); N];
        for (code, width) in codes.iter_mut().zip(widths(counts, limit)) {
            code.width = width;
        }
        assign(&mut codes);
        Self { codes }
    }

    /// How many bits the symbols take altogether.
    pub(super) fn size(&self, counts: &[u32; N]) -> u64 {
        self.codes.iter().zip(counts).map(|(code, count)| u64::from(code.width) * u64::from(*count)).sum()
    }
}

/// Numbers the codes as RFC 1951 section 3.2.2 says: by width, then by symbol.
fn assign(codes: &mut [Code]) {
    let mut next = [0u16; MAX_WIDTH as usize + 2];
    for code in codes.iter().filter(|code| code.width > 0) {
        next[usize::from(code.width) + 1] += 1;
    }
    // From how many codes each width has to the first code of each width.
    for width in 1..next.len() {
        next[width] = (next[width] + next[width - 1]) << 1;
    }
    for code in codes.iter_mut().filter(|code| code.width > 0) {
        let number = &mut next[usize::from(code.width)];
        code.bits = number.reverse_bits() >> (16 - code.width);
        *number += 1;
    }
}

/// The width of each symbol's code.
fn widths<const N: usize>(counts: &[u32; N], limit: u32) -> [u8; N] {
    let mut widths = [0; N];
    let mut sorted = [0; MAX_SYMBOLS];
    let leaves = sort(counts, &mut sorted);
    if leaves.len() <= 2 {
        for &leaf in leaves.iter() {
            widths[symbol(leaf)] = 1;
        }
        return widths;
    }
    let mut leaf_widths = [0; MAX_SYMBOLS];
    let leaf_widths = &mut leaf_widths[..leaves.len()];
    if !huffman(leaves, limit, leaf_widths) {
        package_merge(leaves, limit, leaf_widths);
    }
    for (&leaf, &width) in leaves.iter().zip(leaf_widths.iter()) {
        widths[symbol(leaf)] = width;
    }
    widths
}

/// A symbol that occurs: its count above its number, so that the order of these numbers is the order wanted.
type Leaf = u64;

const fn count(leaf: Leaf) -> u32 {
    (leaf >> 16) as u32
}

const fn symbol(leaf: Leaf) -> usize {
    (leaf & 0xffff) as usize
}

/// The symbols that occur, in order.
fn sort<'a>(counts: &[u32], sorted: &'a mut [Leaf; MAX_SYMBOLS]) -> &'a [Leaf] {
    let mut len = 0;
    for (symbol, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        sorted[len] = u64::from(count) << 16 | symbol as u64;
        len += 1;
    }
    sorted[..len].sort_unstable();
    &sorted[..len]
}

/// Huffman's own algorithm on at least three leaves, taking the inner node where it weighs as much as a leaf. Tells
/// whether no code is longer than `limit`; otherwise the widths are of no use.
///
/// Where it succeeds, the widths are exactly those of [`package_merge`], only sooner. Take away from every leaf's
/// weight the same tiny amount, and give a far tinier one back, more to each later leaf, in amounts that make no two
/// assignments of widths cost the same. Both algorithms then do what they did before: a leaf loses less than a package
/// or inner node, which holds two leaves or more, so the rule for ties has become the order of the weights, and the
/// leaves are still in order. Both find an assignment that is optimal for the changed weights, and there is only one.
fn huffman(leaves: &[Leaf], limit: u32, widths: &mut [u8]) -> bool {
    // Inner nodes, in the order in which they are made, which is the order of their weights. The last is the root.
    let inner = leaves.len() - 1;
    let mut weights = [0u32; MAX_SYMBOLS];
    let mut inner_parents = [0u16; MAX_SYMBOLS];
    let mut leaf_parents = [0u16; MAX_SYMBOLS];
    let (mut next_leaf, mut next_inner) = (0, 0);
    for node in 0..inner {
        let mut weight = 0;
        for _ in 0..2 {
            let is_inner = next_inner < node
                && (next_leaf == leaves.len() || weights[next_inner] <= count(leaves[next_leaf]));
            if is_inner {
                weight += weights[next_inner];
                inner_parents[next_inner] = node as u16;
                next_inner += 1;
            } else {
                weight += count(leaves[next_leaf]);
                leaf_parents[next_leaf] = node as u16;
                next_leaf += 1;
            }
        }
        weights[node] = weight;
    }

    let mut depths = [0u16; MAX_SYMBOLS];
    for node in (0..inner - 1).rev() {
        depths[node] = depths[usize::from(inner_parents[node])] + 1;
    }
    let mut deepest = 0;
    for (width, &parent) in widths.iter_mut().zip(&leaf_parents) {
        let depth = depths[usize::from(parent)] + 1;
        deepest = deepest.max(depth);
        // Either within the limit or not used.
        *width = depth as u8;
    }
    u32::from(deepest) <= limit
}

/// The package-merge algorithm of Larmore and Hirschberg on at least three leaves: optimal widths up to `limit`.
fn package_merge(leaves: &[Leaf], limit: u32, widths: &mut [u8]) {
    let mut list: Vec<Item> = leaves.iter().map(|&leaf| Item::leaf(leaf)).collect();
    let mut levels = vec![list.clone()];
    for _ in 1..limit {
        list = merge(leaves, &list);
        levels.push(list.clone());
    }

    // Walk back from the last level: of the items taken, leaves count for this level and packages open up in the one
    // before.
    widths.fill(0);
    let mut taken = 2 * leaves.len() - 2;
    for level in levels.iter().rev() {
        let leaf_count = level.iter().take(taken).filter(|item| item.is_leaf).count();
        for width in &mut widths[..leaf_count] {
            *width += 1;
        }
        taken = 2 * (taken - leaf_count);
    }
}

/// One element of a level's list.
#[derive(Debug, Clone, Copy)]
struct Item {
    weight: u64,
    is_leaf: bool,
}

impl Item {
    const fn leaf(leaf: Leaf) -> Self {
        Self { weight: count(leaf) as u64, is_leaf: true }
    }
}

/// The list of the next level: the leaves, and the items of this level's list packed two by two, in order of weight.
fn merge(leaves: &[Leaf], list: &[Item]) -> Vec<Item> {
    let (pairs, _odd) = list.as_chunks::<2>();
    let mut merged = Vec::with_capacity(leaves.len() + pairs.len());
    let mut leaves = leaves.iter().map(|&leaf| Item::leaf(leaf)).peekable();
    for [first, second] in pairs {
        let package = Item { weight: first.weight + second.weight, is_leaf: false };
        while let Some(leaf) = leaves.next_if(|leaf| leaf.weight < package.weight) {
            merged.push(leaf);
        }
        merged.push(package);
    }
    merged.extend(leaves);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package_merge_widths<const N: usize>(counts: &[u32; N], limit: u32) -> Vec<u8> {
        let mut sorted = [0; MAX_SYMBOLS];
        let leaves = sort(counts, &mut sorted);
        let mut widths = vec![0; leaves.len()];
        package_merge(leaves, limit, &mut widths);
        widths
    }

    #[test]
    fn a_package_comes_before_a_leaf_of_the_same_weight() {
        assert_eq!(widths(&[1, 1, 2, 2], 15), [3, 3, 2, 1]);
        assert_eq!(widths(&[1, 1, 1, 1, 2], 15), [3, 3, 3, 3, 1]);
        assert_eq!(widths(&[1; 6], 15), [3, 3, 3, 3, 2, 2]);
    }

    #[test]
    fn widths_stay_within_the_limit() {
        assert_eq!(widths(&[1, 1, 2, 2], 2), [2, 2, 2, 2]);
        assert_eq!(widths(&[1, 1, 2, 3, 5, 8, 13, 21, 34], 7), [7, 7, 7, 7, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn one_or_two_symbols_get_one_bit_each() {
        assert_eq!(widths(&[0, 7, 0], 15), [0, 1, 0]);
        assert_eq!(widths(&[9, 0, 1], 15), [1, 0, 1]);
    }

    #[test]
    fn codes_are_numbered_by_width_then_symbol_with_the_first_bit_lowest() {
        // The example of the RFC: A to H with widths 3, 3, 3, 3, 3, 2, 4, 4.
        let mut codes = [3, 3, 3, 3, 3, 2, 4, 4].map(|width| Code { bits: 0, width });
        assign(&mut codes);
        let expected = [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111u16];
        for (code, expected) in codes.iter().zip(expected) {
            assert_eq!(code.bits, expected.reverse_bits() >> (16 - code.width));
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

        #[test]
        fn the_short_cut_gives_the_widths_of_package_merge(
            counts in proptest::array::uniform32(proptest::prop_oneof![0u32..4, 0u32..40, 0u32..70000]),
        ) {
            let mut sorted = [0; MAX_SYMBOLS];
            let leaves = sort(&counts, &mut sorted);
            proptest::prop_assume!(leaves.len() > 2);
            let mut quick = vec![0; leaves.len()];
            let fits = huffman(leaves, MAX_WIDTH, &mut quick);
            let exact = package_merge_widths(&counts, MAX_WIDTH);
            proptest::prop_assert!(!fits || quick == exact);
            // Whatever the limit, a code must be complete.
            for limit in [5, 7, MAX_WIDTH] {
                let kraft: u32 = package_merge_widths(&counts, limit).iter().map(|w| 1 << (15 - w)).sum();
                proptest::prop_assert_eq!(kraft, 1 << 15);
            }
        }
    }
}

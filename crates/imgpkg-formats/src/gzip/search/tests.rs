use super::*;
use crate::gzip::window::{BLOCK, Window};

/// The tokens of each block of `input`, searched by `search`.
fn tokens(mut search: Search, mut input: &[u8]) -> Vec<Vec<Token>> {
    let mut window = Window::new();
    let mut blocks = Vec::new();
    while !input.is_empty() {
        input = &input[window.push(input)..];
        let mut tokens = Vec::new();
        search.block(window.bytes(), window.block().len(), &mut tokens);
        window.advance();
        blocks.push(tokens);
    }
    blocks
}

/// The tokens of an input of one block as (literals, length, distance).
fn of_one_block(input: &[u8]) -> Vec<(u16, u16, u16)> {
    let blocks = tokens(Search::new(), input);
    assert_eq!(blocks.len(), 1);
    blocks[0].iter().map(|token| (token.literals, token.length, token.distance)).collect()
}

/// Bytes without repetition, as far as the search can see.
fn noise(len: usize) -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(Some(1u64), next).map(|state| (state >> 40) as u8).take(len).collect()
}

#[test]
fn a_match_starts_where_four_bytes_repeat_and_ends_with_the_block() {
    assert_eq!(of_one_block(&b"abcd".repeat(32)), [(4, 124, 4)]);
    assert_eq!(of_one_block(&b"ab".repeat(70)), [(2, 138, 2)]);
}

#[test]
fn after_a_match_the_last_byte_it_covers_is_a_candidate() {
    let input = [[b'a'; 20].as_slice(), &[b'b'; 120]].concat();
    assert_eq!(of_one_block(&input), [(1, 19, 1), (1, 119, 1)]);
}

#[test]
fn a_match_is_at_most_258_long_and_the_last_bytes_of_a_block_start_none() {
    let found = of_one_block(&[0; BLOCK]);
    assert_eq!(found.len(), 254);
    assert_eq!(found[0], (1, 258, 1));
    assert!(found[1..].iter().all(|&token| token == (0, 258, 1)));
}

#[test]
fn a_match_reaches_into_the_block_before_but_not_across_the_end_of_its_own() {
    let blocks = tokens(Search::new(), &[7; BLOCK + 200]);
    // The last match of the first block starts 260 bytes before its end, which is the last position entered.
    assert_eq!(blocks[1], [Token { literals: 0, length: 200, distance: 260 }]);
}

#[test]
fn a_match_is_at_most_32768_bytes_away() {
    let repeated = noise(200);
    for (distance, expected) in [(32768, true), (32769, false)] {
        // What lies between has no repetition near its end, and is skipped in steps of one there.
        let between = vec![0; distance - repeated.len()];
        let input = [&repeated, &between, &repeated[..], &noise(300)[200..]].concat();
        let far = of_one_block(&input).iter().any(|token| usize::from(token.2) == distance);
        assert_eq!(far, expected, "{distance} bytes away");
    }
}

#[test]
fn positions_are_skipped_the_longer_nothing_is_found() {
    // A repetition of 40 bytes at a position that is only examined if no step has been longer than one.
    let start = noise(5000);
    let input = [&start, &start[..40], &noise(5200)[5000..]].concat();
    assert_eq!(of_one_block(&start), []);
    let found = of_one_block(&input);
    // The steps are up to ten bytes long by then, and the bytes skipped stay literal.
    assert_eq!(found.len(), 1);
    assert!(found[0].0 > 5000 && found[0].1 < 40, "{found:?}");
    assert_eq!(found[0].2, 5000);
}

#[test]
fn lowering_positions_changes_nothing() {
    let noise = noise(3000);
    let input: Vec<u8> = (0..500_000).map(|i| noise[(i + 13 * (i / 700)) % noise.len()]).collect();
    let expected = tokens(Search::new(), &input);
    assert!(expected.iter().all(|tokens| tokens.len() > 10));
    for before_limit in [0, 1, 70_000, 200_000] {
        let late = Search::starting_at(LAST_POSITION - before_limit);
        assert_eq!(tokens(late, &input), expected, "starting {before_limit} before the limit");
    }
}

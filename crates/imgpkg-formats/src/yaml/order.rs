//! The order in which keys are written: Go's "natural" one, numbers within names by value.

use std::cmp::Ordering;

/// Sorts entries by their keys.
///
/// The comparison is not transitive (`x10` < `x1a` < `x2` < `x10`), which the standard library's sort answers with a
/// panic and this one with some order. Sorting by bytes first makes that order the same for every order of the input.
pub(super) fn sort_entries<T: Copy>(entries: &mut [(&str, T)]) {
    entries.sort_by_key(|(key, _)| *key);
    let mut merged = entries.to_vec();
    let mut width = 1;
    while width < entries.len() {
        for (run, target) in entries.chunks(2 * width).zip(merged.chunks_mut(2 * width)) {
            let (left, right) = run.split_at(width.min(run.len()));
            merge(left, right, target);
        }
        entries.copy_from_slice(&merged);
        width *= 2;
    }
}

fn merge<'k, T: Copy>(left: &[(&'k str, T)], right: &[(&'k str, T)], target: &mut [(&'k str, T)]) {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    for slot in target {
        let take_right = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) => is_before(b.0, a.0),
            (None, _) => true,
            (_, None) => false,
        };
        if let Some(entry) = if take_right { right.next() } else { left.next() } {
            *slot = *entry;
        }
    }
}

/// Whether `a` is written before `b`.
fn is_before(a: &str, b: &str) -> bool {
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    // Not into the middle of a character: characters that differ may begin with the same bytes.
    let common =
        (0..=common).rev().find(|at| a.is_char_boundary(*at) && b.is_char_boundary(*at)).unwrap_or(0);
    let (Some(left), Some(right)) = (a[common..].chars().next(), b[common..].chars().next()) else {
        return a.len() < b.len();
    };
    match (left.is_alphabetic(), right.is_alphabetic()) {
        (true, true) => left < right,
        (true, false) => false,
        (false, true) => true,
        (false, false) => {
            // A zero counts as a digit of the number before it, not as a leading one.
            let lead = i64::from((left == '0' || right == '0') && follows_number(&a[..common]));
            let (a_number, a_digits) = leading_number(lead, &a[common..]);
            let (b_number, b_digits) = leading_number(lead, &b[common..]);
            a_number.cmp(&b_number).then(a_digits.cmp(&b_digits)).then(left.cmp(&right)) == Ordering::Less
        }
    }
}

/// Whether the digits that end `text` include one that is not zero.
fn follows_number(text: &str) -> bool {
    text.bytes().rev().take_while(u8::is_ascii_digit).any(|digit| digit != b'0')
}

/// The number that starts `text`, appended to `lead`, and how many digits it has. Overflow wraps, as in the reference.
fn leading_number(lead: i64, text: &str) -> (i64, usize) {
    let mut number = lead;
    let mut digits = 0;
    for digit in text.bytes().take_while(u8::is_ascii_digit) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        digits += 1;
    }
    (number, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted<'a>(keys: &[&'a str]) -> Vec<&'a str> {
        let mut entries: Vec<(&str, ())> = keys.iter().map(|key| (*key, ())).collect();
        sort_entries(&mut entries);
        entries.into_iter().map(|(key, ())| key).collect()
    }

    #[test]
    fn numbers_within_names_sort_by_value() {
        let expected = ["a", "a-1", "a.1", "a/b", "a1", "a01", "a001", "a9", "a10", "aa", "b"];
        let mut shuffled = expected;
        shuffled.reverse();
        assert_eq!(sorted(&shuffled), expected);
        assert_eq!(sorted(&["10", "9"]), ["9", "10"]);
    }

    #[test]
    fn what_is_not_a_letter_comes_first_and_capitals_before_small_letters() {
        assert_eq!(sorted(&["a", "B", "A", "9", "_z", "é"]), ["_z", "9", "A", "B", "a", "é"]);
    }

    #[test]
    fn digests_sort_by_the_number_they_start_with() {
        let expected = ["sha256:27f3", "sha256:97a2", "sha256:0231", "sha256:cafd"];
        assert_eq!(sorted(&["sha256:cafd", "sha256:97a2", "sha256:0231", "sha256:27f3"]), expected);
    }

    #[test]
    fn a_zero_after_another_digit_does_not_lead_a_number() {
        assert_eq!(sorted(&["a10", "a1", "a9", "a109", "a12"]), ["a1", "a9", "a10", "a12", "a109"]);
        assert_eq!(sorted(&["k1-", "k100", "k10"]), ["k1-", "k10", "k100"]);
    }

    #[test]
    fn inconsistent_keys_are_sorted_the_same_from_every_order_and_without_a_panic() {
        let mut keys: Vec<String> =
            (0..60).flat_map(|n| [format!("k1{n}"), format!("k{n}a"), format!("k00{n}")]).collect();
        let borrowed =
            |keys: &[String]| sorted(&keys.iter().map(String::as_str).collect::<Vec<_>>()).join(" ");
        let expected = borrowed(&keys);
        keys.reverse();
        assert_eq!(borrowed(&keys), expected);
        keys.rotate_left(37);
        assert_eq!(borrowed(&keys), expected);
    }
}

//! Ranges of bytes: those a client asks for (RFC 9110, section 14) and those it says it sends (distribution specification,
//! "Pushing a blob in chunks").

use std::ops::Range;

/// What a `Range` header asks of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: no header, one that is no byte range, or several ranges at once, which a server may ignore.
    Whole,
    /// One part, never empty.
    Part(Range<u64>),
    /// A part that the blob does not have.
    Unsatisfiable,
}

/// Reads a `Range` header for a blob of `size` bytes.
pub(crate) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some((first, last)) =
        header.and_then(|text| text.trim().strip_prefix("bytes=")).and_then(|text| text.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    let range = match (first, number(first), number(last)) {
        ("", _, Some(count)) => size.saturating_sub(count)..size,
        (_, Some(first), None) if last.is_empty() => first..size,
        (_, Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        _ => return Wanted::Whole,
    };
    if range.is_empty() { Wanted::Unsatisfiable } else { Wanted::Part(range) }
}

/// Reads the `Content-Range` of a chunk: `<first>-<last>`, as the specification writes it, or HTTP's own form
/// `bytes <first>-<last>/<size>`. Nothing if it is neither.
pub(crate) fn announced(header: &str) -> Option<Range<u64>> {
    let text = header.trim();
    let text = text.strip_prefix("bytes").map_or(text, |rest| rest.trim_start_matches(['=', ' ']));
    let text = text.split_once('/').map_or(text, |(range, _)| range);
    let (first, last) = text.split_once('-')?;
    let (first, last) = (number(first.trim())?, number(last.trim())?);
    let end = last.checked_add(1)?;
    (first <= last).then_some(first..end)
}

/// A decimal number without a sign.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_a_part() {
        assert_eq!(wanted(Some("bytes=0-0"), 10), Wanted::Part(0..1));
        assert_eq!(wanted(Some("bytes=2-5"), 10), Wanted::Part(2..6));
        assert_eq!(wanted(Some("bytes=2-"), 10), Wanted::Part(2..10));
        assert_eq!(wanted(Some("bytes=-3"), 10), Wanted::Part(7..10));
        assert_eq!(wanted(Some("bytes=-30"), 10), Wanted::Part(0..10));
        assert_eq!(wanted(Some("bytes=5-18446744073709551615"), 10), Wanted::Part(5..10));
    }

    #[test]
    fn what_the_blob_does_not_have_is_unsatisfiable() {
        for (header, size) in [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0)] {
            assert_eq!(wanted(Some(header), size), Wanted::Unsatisfiable, "{header}");
        }
    }

    #[test]
    fn what_is_no_single_byte_range_is_ignored() {
        for header in
            ["", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "lines=0-1", "bytes=+1-2"]
        {
            assert_eq!(wanted(Some(header), 10), Wanted::Whole, "{header}");
        }
        assert_eq!(wanted(None, 10), Wanted::Whole);
    }

    #[test]
    fn a_chunk_announces_itself_in_either_form() {
        assert_eq!(announced("0-9"), Some(0..10));
        assert_eq!(announced("bytes 10-19/*"), Some(10..20));
        assert_eq!(announced("bytes=10-19/40"), Some(10..20));
        for header in ["", "5", "5-", "-5", "9-5", "a-b", "0-18446744073709551615", "+1-2"] {
            assert_eq!(announced(header), None, "{header}");
        }
    }
}

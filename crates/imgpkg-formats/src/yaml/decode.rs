//! From bytes to characters: encodings and the characters YAML 1.1 does not allow.

use std::borrow::Cow;

use super::error::Error;
use super::node::Position;

/// The characters of a document, byte order mark removed.
///
/// # Errors
///
/// Broken UTF-8 or UTF-16, and control characters, at the first place either occurs.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    let (text, broken) = match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    };
    let forbidden = text.char_indices().find(|(_, found)| !is_allowed(*found));
    let (end, problem) = match (forbidden, broken) {
        (Some((end, _)), _) => (end, "control characters are not allowed"),
        (None, Some(problem)) => (text.len(), problem),
        (None, None) => return Ok(text),
    };
    Err(Error::new(format!("yaml: {problem}"), end_of(&text[..end])))
}

/// The place just after `text`, which starts a document.
pub(super) fn end_of(text: &str) -> Position {
    let mut at = Position { line: 1, column: 1 };
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if is_break(character) {
            if character == '\r' {
                characters.next_if_eq(&'\n');
            }
            at = Position { line: at.line + 1, column: 1 };
        } else {
            at.column += 1;
        }
    }
    at
}

/// Whether YAML 1.1 ends a line at this character.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_allowed(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The valid beginning and what is wrong after it.
fn utf8(bytes: &[u8]) -> (Cow<'_, str>, Option<&'static str>) {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return (Cow::Borrowed(text), None),
        Err(error) => error,
    };
    let (valid, rest) = bytes.split_at(error.valid_up_to());
    let text = std::str::from_utf8(valid).unwrap_or_default();
    let width = match rest.first() {
        Some(0xC0..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF7) => 4,
        _ => return (Cow::Borrowed(text), Some("invalid leading UTF-8 octet")),
    };
    let problem = if rest.len() < width {
        "incomplete UTF-8 octet sequence"
    } else if rest[1..width].iter().any(|byte| byte & 0xC0 != 0x80) {
        "invalid trailing UTF-8 octet"
    } else if matches!(rest, [0xC0 | 0xC1, ..] | [0xE0, ..=0x9F, ..] | [0xF0, ..=0x8F, ..]) {
        "invalid length of a UTF-8 sequence"
    } else {
        "invalid Unicode character"
    };
    (Cow::Borrowed(text), Some(problem))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> (Cow<'_, str>, Option<&'static str>) {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut units = 0;
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) => {
                units += character.len_utf16();
                text.push(character);
            }
            Err(lone) => {
                let problem = if lone.unpaired_surrogate() >= 0xDC00 {
                    "unexpected low surrogate area"
                } else if units + 1 == pairs.len() {
                    "incomplete UTF-16 surrogate pair"
                } else {
                    "expected low surrogate area"
                };
                return (Cow::Owned(text), Some(problem));
            }
        }
    }
    let problem = if odd.is_empty() { None } else { Some("incomplete UTF-16 character") };
    (Cow::Owned(text), problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(bytes: &[u8]) -> (String, usize, usize) {
        let error = decode(bytes).expect_err("refused");
        (error.problem(), error.line(), error.column())
    }

    #[test]
    fn byte_order_marks_choose_the_encoding_and_vanish() {
        assert_eq!(decode(b"\xEF\xBB\xBFa").expect("UTF-8"), "a");
        assert_eq!(decode(b"\xFF\xFEa\0\x3D\xD8\0\xDE").expect("little endian"), "a😀");
        assert_eq!(decode(b"\xFE\xFF\0a").expect("big endian"), "a");
    }

    #[test]
    fn broken_utf8_is_reported_where_it_starts() {
        assert_eq!(failure(b"a\nb\xFF"), ("yaml: invalid leading UTF-8 octet".into(), 2, 2));
        assert_eq!(failure(b"\xC3"), ("yaml: incomplete UTF-8 octet sequence".into(), 1, 1));
        assert_eq!(failure(b"\xC3a"), ("yaml: invalid trailing UTF-8 octet".into(), 1, 1));
        assert_eq!(failure(b"\xE0\x80\x80"), ("yaml: invalid length of a UTF-8 sequence".into(), 1, 1));
        assert_eq!(failure(b"\xED\xA0\x80"), ("yaml: invalid Unicode character".into(), 1, 1));
    }

    #[test]
    fn broken_utf16_is_reported_where_it_starts() {
        assert_eq!(failure(b"\xFF\xFEa\0\0\xDC"), ("yaml: unexpected low surrogate area".into(), 1, 2));
        assert_eq!(failure(b"\xFF\xFE\0\xD8"), ("yaml: incomplete UTF-16 surrogate pair".into(), 1, 1));
        assert_eq!(failure(b"\xFF\xFE\0\xD8a\0"), ("yaml: expected low surrogate area".into(), 1, 1));
        assert_eq!(failure(b"\xFF\xFEa\0b"), ("yaml: incomplete UTF-16 character".into(), 1, 2));
    }

    #[test]
    fn a_control_character_before_broken_bytes_is_what_is_reported() {
        assert_eq!(
            failure("é\r\n\u{7f}".as_bytes()),
            ("yaml: control characters are not allowed".into(), 2, 1)
        );
        assert_eq!(failure(b"a\0b\xFF"), ("yaml: control characters are not allowed".into(), 1, 2));
    }
}

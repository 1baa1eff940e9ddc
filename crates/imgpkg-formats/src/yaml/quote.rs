//! Text in quotes as Go prints it, for error messages.

use std::fmt::Write;

use super::number;
use super::value::Scalar;

/// A scalar the way Go's `%#v` shows it.
pub(super) fn literal(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Null => "<nil>".to_owned(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Uint(value) => format!("{value:#x}"),
        Scalar::Float(value) => number::double(*value),
        Scalar::String(text) => quoted(text),
    }
}

/// Text between double quotes, with Go's escapes for what cannot be shown.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 2);
    result.push('"');
    for character in text.chars() {
        match character {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\u{7}' => result.push_str("\\a"),
            '\u{8}' => result.push_str("\\b"),
            '\u{c}' => result.push_str("\\f"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            '\u{b}' => result.push_str("\\v"),
            shown if !shown.is_control() && !matches!(shown, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                result.push(shown)
            }
            // Writing to a string does not fail.
            hidden if u32::from(hidden) < 0x80 => drop(write!(result, "\\x{:02x}", u32::from(hidden))),
            hidden => drop(write!(result, "\\u{:04x}", u32::from(hidden))),
        }
    }
    result.push('"');
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_is_escaped() {
        assert_eq!(quoted("a\"\\\n\u{1}é\u{85}😀"), "\"a\\\"\\\\\\n\\x01é\\u0085😀\"");
    }

    #[test]
    fn scalars_look_like_go_literals() {
        assert_eq!(literal(&Scalar::Null), "<nil>");
        assert_eq!(literal(&Scalar::Uint(255)), "0xff");
        assert_eq!(literal(&Scalar::Float(1.5)), "1.5");
        assert_eq!(literal(&Scalar::String("kind".into())), "\"kind\"");
    }
}

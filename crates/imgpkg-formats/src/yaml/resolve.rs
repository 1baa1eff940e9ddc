//! Which type a scalar has: the YAML 1.1 rules as the reference applies them.

use super::number;
use super::timestamp::is_timestamp;
use super::value::Scalar;

const PREFIX: &str = "tag:yaml.org,2002:";

/// What a plain scalar without a tag means.
pub(super) fn resolve_plain(text: &str) -> Scalar {
    classify(text, true).1
}

/// Whether `text`, written plain, reads back as itself.
pub(super) fn is_plain_string(text: &str) -> bool {
    classify(text, true).0 == "str"
}

/// What a scalar with an explicit, fully expanded tag means. Tags that are not about scalars, and unknown ones, leave
/// the text as it is.
///
/// # Errors
///
/// The problem, when the text cannot be what the tag says.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Result<Scalar, String> {
    let Some(wanted) = tag.strip_prefix(PREFIX) else {
        return Ok(Scalar::String(text.to_owned()));
    };
    match wanted {
        "bool" | "int" | "float" | "null" | "timestamp" => {}
        "binary" => {
            return decode_binary(text)
                .ok_or_else(|| "!!binary value contains invalid base64 data".to_owned());
        }
        _ => return Ok(Scalar::String(text.to_owned())),
    }
    match (wanted, classify(text, wanted == "timestamp")) {
        (wanted, (found, scalar)) if wanted == found => Ok(scalar),
        ("float", (_, Scalar::Int(value))) => Ok(Scalar::Float(value as f64)),
        (wanted, (found, _)) => Err(format!("cannot decode !!{found} `{text}` as a !!{wanted}")),
    }
}

/// The name of the type of `text` and its value. Timestamps stay text; they are recognised only where the reference
/// looks for them.
fn classify(text: &str, timestamps: bool) -> (&'static str, Scalar) {
    let string = || ("str", Scalar::String(text.to_owned()));
    let Some(first) = text.bytes().next() else { return ("null", Scalar::Null) };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(text).unwrap_or_else(string)
        }
        b'.' => infinity(text)
            .or_else(|| number::parse_float(text).map(|value| ("float", Scalar::Float(value))))
            .unwrap_or_else(string),
        b'+' | b'-' | b'0'..=b'9' => {
            if let Some(found) = infinity(text) {
                return found;
            }
            if timestamps && is_timestamp(text) {
                return ("timestamp", Scalar::String(text.to_owned()));
            }
            number(text).unwrap_or_else(string)
        }
        _ => string(),
    }
}

fn word(text: &str) -> Option<(&'static str, Scalar)> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(("bool", Scalar::Bool(true)))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(("bool", Scalar::Bool(false)))
        }
        "~" | "null" | "Null" | "NULL" => Some(("null", Scalar::Null)),
        _ => None,
    }
}

fn infinity(text: &str) -> Option<(&'static str, Scalar)> {
    let value = match text {
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        _ => return None,
    };
    Some(("float", Scalar::Float(value)))
}

fn number(text: &str) -> Option<(&'static str, Scalar)> {
    let plain = text.replace('_', "");
    if let Some(value) = number::parse_int(&plain) {
        return Some(("int", Scalar::Int(value)));
    }
    if let Some(value) = number::parse_uint(&plain) {
        return Some(("int", Scalar::Uint(value)));
    }
    number::parse_float(&plain).map(|value| ("float", Scalar::Float(value)))
}

/// Standard base64 with padding; line breaks do not count. Bytes that are not UTF-8 become replacement characters.
fn decode_binary(text: &str) -> Option<Scalar> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    let groups = digits.len() / 4;
    for (index, group) in digits.chunks_exact(4).enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != groups) {
            return None;
        }
        let mut bits = 0_u32;
        for byte in &group[..4 - padding] {
            bits = (bits << 6) | sextet(*byte)?;
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Some(Scalar::String(String::from_utf8_lossy(&bytes).into_owned()))
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_booleans_and_nulls_only_in_the_listed_spellings() {
        assert_eq!(resolve_plain("yES"), Scalar::String("yES".into()));
        assert_eq!(resolve_plain("On"), Scalar::Bool(true));
        assert_eq!(resolve_plain("n"), Scalar::Bool(false));
        assert_eq!(resolve_plain("NULL"), Scalar::Null);
        assert_eq!(resolve_plain(""), Scalar::Null);
    }

    #[test]
    fn numbers_may_hold_underscores_anywhere_after_their_first_character() {
        assert_eq!(resolve_plain("1_000"), Scalar::Int(1000));
        assert_eq!(resolve_plain("0x_1f"), Scalar::Int(31));
        assert_eq!(resolve_plain("_1"), Scalar::String("_1".into()));
        assert_eq!(resolve_plain("18446744073709551615"), Scalar::Uint(u64::MAX));
        assert_eq!(resolve_plain("12:30:45"), Scalar::String("12:30:45".into()));
    }

    #[test]
    fn a_tag_that_contradicts_the_text_is_refused() {
        let tagged = |name: &str, text: &str| resolve_tagged(&format!("{PREFIX}{name}"), text);
        assert_eq!(tagged("null", "x"), Err("cannot decode !!str `x` as a !!null".into()));
        assert_eq!(tagged("int", "1.5"), Err("cannot decode !!float `1.5` as a !!int".into()));
        assert_eq!(tagged("float", "1"), Ok(Scalar::Float(1.0)));
        assert_eq!(tagged("timestamp", "2020-01-01"), Ok(Scalar::String("2020-01-01".into())));
        assert_eq!(tagged("str", "1"), Ok(Scalar::String("1".into())));
        assert_eq!(resolve_tagged("!foo", "1"), Ok(Scalar::String("1".into())));
    }

    #[test]
    fn binary_is_decoded_strictly() {
        let binary = |text: &str| resolve_tagged(&format!("{PREFIX}binary"), text);
        assert_eq!(binary("aGk="), Ok(Scalar::String("hi".into())));
        assert_eq!(binary("aGVs\nbG8h"), Ok(Scalar::String("hello!".into())));
        assert_eq!(binary(""), Ok(Scalar::String(String::new())));
        for text in ["aGk", "a===", "aG=k", "aGk=aGk=", "a Gk"] {
            assert!(binary(text).is_err(), "{text}");
        }
    }
}

//! How a string is written: plain, quoted or as a block.

use super::decode::is_break;
use super::resolve::is_plain_string;

/// The four ways to write a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// What a text allows.
#[derive(Default)]
struct Features {
    indicators: bool,
    breaks: bool,
    special: bool,
    outer_space: bool,
    trailing_space: bool,
    break_space: bool,
    space_break: bool,
}

/// The style of a string that is a value, or a key when `simple_key`: those stay on one line.
pub(super) fn choose(text: &str, simple_key: bool) -> Style {
    let features = analyse(text);
    let mut style = if text.contains('\n') {
        Style::Literal
    } else if is_plain_string(text) && !is_base_60(text) {
        Style::Plain
    } else {
        Style::DoubleQuoted
    };
    // The reference leaves the key `<<` plain and then cannot read it.
    if simple_key && (features.breaks || text == "<<") {
        style = Style::DoubleQuoted;
    }
    let hidden = features.special || features.space_break;
    if style == Style::Plain && (features.indicators || features.breaks || features.outer_space || hidden) {
        style = Style::SingleQuoted;
    }
    if style == Style::SingleQuoted && (hidden || features.break_space) {
        style = Style::DoubleQuoted;
    }
    if style == Style::Literal && (hidden || features.trailing_space) {
        style = Style::DoubleQuoted;
    }
    style
}

/// Whether a key may stand before its colon on one line.
pub(super) fn is_simple_key(text: &str) -> bool {
    text.len() <= 128 && !text.contains(is_break)
}

/// Whether a character stands for itself; the others are escaped.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

fn analyse(text: &str) -> Features {
    let mut features = Features::default();
    let mut before = None;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let after = rest.clone().next();
        let blank = |neighbour: Option<char>| neighbour.is_none_or(|found| found == ' ' || found == '\t');
        features.indicators |= match character {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`'
                if before.is_none() =>
            {
                true
            }
            '?' | '-' if before.is_none() => blank(after),
            ':' => blank(after),
            '#' => blank(before) || before.is_some_and(is_break),
            _ => false,
        };
        features.special |= !is_printable(character);
        if character == ' ' {
            features.outer_space |= before.is_none() || after.is_none();
            features.trailing_space |= after.is_none();
            features.break_space |= before.is_some_and(is_break);
        } else if is_break(character) {
            features.breaks = true;
            features.space_break |= before == Some(' ');
        }
        before = Some(character);
    }
    features.indicators |= text.starts_with("---") || text.starts_with("...");
    features
}

/// Numbers like `1:20` were sexagesimal once; the reference reads them as text but still quotes them.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) =
        unsigned.split_once('.').map_or((unsigned, ""), |(whole, fraction)| (whole, fraction));
    let mut places = whole.split(':');
    let first = places.next().unwrap_or_default();
    let mut sixties = places.peekable();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    first.starts_with(|first: char| first.is_ascii_digit())
        && digits(first)
        && sixties.peek().is_some()
        && sixties.all(|place| {
            (1..=2).contains(&place.len())
                && place.bytes().all(|byte| byte.is_ascii_digit())
                && place.parse().is_ok_and(|value: u8| value < 60)
        })
        && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sexagesimal_numbers_are_quoted() {
        for text in ["1:20", "-1_0:59", "190:20:30.15", "1:2."] {
            assert!(is_base_60(text), "{text}");
        }
        for text in ["1", "1:60", "1:", ":1", "_1:2", "1:2:x", "1:234", "1.5:2"] {
            assert!(!is_base_60(text), "{text}");
        }
    }

    #[test]
    fn plain_is_preferred_then_single_quotes_then_double_quotes() {
        assert_eq!(choose("it's", false), Style::Plain);
        assert_eq!(choose("a: b", false), Style::SingleQuoted);
        assert_eq!(choose("a\tb", false), Style::DoubleQuoted);
        assert_eq!(choose("1.0", false), Style::DoubleQuoted);
        assert_eq!(choose("a\nb", false), Style::Literal);
        assert_eq!(choose("a \nb", false), Style::DoubleQuoted);
        assert_eq!(choose("a\nb", true), Style::DoubleQuoted);
    }
}

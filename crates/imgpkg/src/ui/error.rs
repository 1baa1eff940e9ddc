//! Errors as a user reads them: the chain of causes on one line, then spread over indented lines, one per step.

use std::error::Error;

/// The error and its causes, joined by `: `. A cause that the text already ends with is not said twice.
pub(crate) fn message(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let line = error.to_string();
        if !text.ends_with(&line) {
            text.push_str(": ");
            text.push_str(&line);
        }
        cause = error.source();
    }
    text
}

/// Breaks the first line after each `: ` that is followed by a capital and stands outside brackets, and indents each piece
/// by two more spaces than the one before. Further lines stay as they are.
///
/// As in the reference, a closing bracket closes whatever was opened last and is printed as its partner, and a stretch
/// marked `...|` to `|...` (a quotation out of something longer) is taken as it is. Unlike there, a closing bracket that
/// closes nothing is ordinary text instead of the end of the message.
pub(crate) fn layout(message: &str) -> String {
    let (first, further) = match message.split_once('\n') {
        Some((first, further)) => (first, Some(further)),
        None => (message, None),
    };
    let pieces = split(first);
    let mut text = String::with_capacity(message.len() + 2 * pieces.len() * pieces.len());
    for (depth, piece) in pieces.iter().enumerate() {
        if depth > 0 {
            text.push('\n');
            text.extend(std::iter::repeat_n("  ", depth));
        }
        text.push_str(piece);
    }
    if let Some(further) = further {
        text.push('\n');
        text.push_str(further);
    }
    text
}

fn split(line: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut partners = Vec::new();
    let mut quoted = false;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let (mark, after) = if quoted { ("|...", false) } else { ("...|", true) };
        if let Some(behind) = rest.strip_prefix(mark) {
            piece.push_str(mark);
            quoted = after;
            rest = behind;
            continue;
        }
        rest = &rest[character.len_utf8()..];
        match character {
            _ if quoted => piece.push(character),
            '(' | '[' | '{' => {
                partners.push(partner(character));
                piece.push(character);
            }
            ')' | ']' | '}' => piece.push(partners.pop().unwrap_or(character)),
            ':' if partners.is_empty() && starts_a_step(rest) => {
                piece.push(':');
                pieces.push(std::mem::take(&mut piece));
                rest = &rest[1..];
            }
            _ => piece.push(character),
        }
    }
    pieces.push(piece);
    pieces
}

fn partner(opener: char) -> char {
    match opener {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn starts_a_step(rest: &str) -> bool {
    matches!(rest.as_bytes(), [b' ', next, ..] if next.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{line}")]
    struct Step {
        line: &'static str,
        source: Option<Box<Step>>,
    }

    #[test]
    fn the_chain_of_causes_is_joined_and_spread_over_indented_lines() {
        let fact = Step { line: "MANIFEST_UNKNOWN: manifest unknown; map[Tag:latest]", source: None };
        let request = Step {
            line: "GET http://localhost:5001/v2/spec/src/nope/manifests/latest",
            source: Some(fact.into()),
        };
        let fetch = Step { line: "Fetching image", source: Some(request.into()) };
        let check = Step {
            line: "Unable to check if localhost:5001/spec/src/nope is a bundle",
            source: Some(fetch.into()),
        };
        assert_eq!(
            layout(&message(&check)),
            "Unable to check if localhost:5001/spec/src/nope is a bundle:\n  Fetching image:\n    \
             GET http://localhost:5001/v2/spec/src/nope/manifests/latest:\n      \
             MANIFEST_UNKNOWN: manifest unknown; map[Tag:latest]"
        );
    }

    #[test]
    fn a_cause_that_was_already_printed_is_not_repeated() {
        let inner = Step { line: "no route", source: None };
        let outer = Step { line: "connecting: no route", source: Some(inner.into()) };
        assert_eq!(message(&outer), "connecting: no route");
    }

    #[test]
    fn only_a_capital_after_the_colon_starts_a_line() {
        assert_eq!(layout("open x: file not found"), "open x: file not found");
        assert_eq!(layout("Get \"http://h/\": EOF"), "Get \"http://h/\":\n  EOF");
        assert_eq!(layout("could not parse reference: Bad!ref"), "could not parse reference:\n  Bad!ref");
        assert_eq!(layout("a:B: c"), "a:B: c");
    }

    #[test]
    fn what_is_in_brackets_is_not_split() {
        assert_eq!(layout("A (hint: Use -b: Really) b: C"), "A (hint: Use -b: Really) b:\n  C");
        assert_eq!(layout("A [b {c: D} e: F]: G"), "A [b {c: D} e: F]:\n  G");
        assert_eq!(layout("A (never closed: B"), "A (never closed: B");
    }

    #[test]
    fn a_closing_bracket_is_printed_as_the_partner_of_the_one_it_closes() {
        assert_eq!(layout("a (b] c: D"), "a (b) c:\n  D");
    }

    #[test]
    fn a_closing_bracket_that_closes_nothing_loses_no_text() {
        assert_eq!(layout("open dir/a).yml: No such file"), "open dir/a).yml:\n  No such file");
    }

    #[test]
    fn a_quoted_stretch_is_taken_as_it_is() {
        assert_eq!(layout("near ...|[{\"a: B\"|... there: C"), "near ...|[{\"a: B\"|... there:\n  C");
    }

    #[test]
    fn further_lines_stay_as_they_are() {
        assert_eq!(layout("A: B\n  c: D (\n"), "A:\n  B\n  c: D (\n");
    }
}

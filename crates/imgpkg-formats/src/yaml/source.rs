//! The text as the scanner gets it.
//!
//! The scanner panics in two situations that are ordinary input: a block scalar or an escape that ends with the file
//! instead of a line break, and, inside brackets, a tag with a comma right after it. The text is completed so that
//! neither occurs, and what was added is taken out of values and positions again.

use std::borrow::Cow;
use std::io::BufReader;

use libyaml_safer::{Encoding, Error as ScanError, ErrorKind, Mark, Parser, Scanner, TokenData};

use super::decode::{end_of, is_break};
use super::error::Error;
use super::node::Position;

/// The scanner's look-ahead holds four bytes per character of this many bytes.
const READ_AHEAD: usize = 64 << 10;

/// A document's text and what was added to it.
pub(super) struct Source<'a> {
    text: Cow<'a, str>,
    /// A line break was added to the end.
    completed: bool,
    /// Offsets in `text` of the spaces that were put between a tag and a comma.
    spaces: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(mut text: Cow<'a, str>) -> Self {
        // Spaces at the very end mean nothing, unless they are the indented last line of a block scalar; the reference
        // would keep those that stick out, which nobody can have meant.
        let kept = text.trim_end_matches(' ').len();
        let completed = match text[..kept].chars().next_back() {
            Some(last) => !is_break(last),
            None => false,
        };
        if completed {
            text.to_mut().push('\n');
        } else {
            text = match text {
                Cow::Borrowed(text) => Cow::Borrowed(&text[..kept]),
                Cow::Owned(mut text) => {
                    text.truncate(kept);
                    Cow::Owned(text)
                }
            };
        }
        let (text, spaces) = separate_tags(text);
        Self { text, completed, spaces }
    }

    pub(super) fn parser(&self) -> Parser<BufReader<&[u8]>> {
        let mut parser = Parser::new();
        parser.set_encoding(Encoding::Utf8);
        parser.set_input(BufReader::with_capacity(READ_AHEAD, self.text.as_bytes()));
        parser
    }

    /// The text between two marks.
    pub(super) fn span(&self, start: Mark, end: Mark) -> &str {
        self.text.get(offset(start)..offset(end)).unwrap_or_default()
    }

    /// Whether a scalar that ends at `end` took in the line break that was added.
    pub(super) fn is_completed_by(&self, end: Mark) -> bool {
        self.completed && offset(end) >= self.text.len()
    }

    pub(super) fn position(&self, mark: Mark) -> Position {
        let end = offset(mark);
        if self.completed && end >= self.text.len() {
            let text = self.text.strip_suffix('\n').unwrap_or(&self.text);
            return end_of(text);
        }
        let line_start = self.text[..end].rfind(is_break).map_or(0, |found| found + 1);
        let added = if self.spaces.is_empty() {
            0
        } else {
            self.spaces.iter().filter(|space| (line_start..end).contains(*space)).count()
        };
        Position { line: count(mark.line) + 1, column: count(mark.column) + 1 - added }
    }

    /// The scanner's error with the reference's text: parser errors carry the number of the line before, and line 0 is
    /// left out.
    pub(super) fn error(&self, error: &ScanError) -> Error {
        let problem = error.problem();
        let mark = error.problem_mark().unwrap_or_default();
        let at = self.position(mark);
        let reported = match error.kind() {
            _ if mark.line == 0 => error.context_mark().map_or(0, |context| count(context.line)),
            ErrorKind::Scanner => at.line,
            _ => at.line - 1,
        };
        Error::new(with_line(reported, problem), at)
    }

    /// An error at a byte offset of the text, in the words of the scanner.
    pub(super) fn error_at(&self, offset: usize, problem: &str) -> Error {
        let at = end_of(&self.text[..offset]);
        Error::new(with_line(if at.line == 1 { 0 } else { at.line }, problem), at)
    }
}

fn with_line(line: usize, problem: &str) -> String {
    if line == 0 { format!("yaml: {problem}") } else { format!("yaml: line {line}: {problem}") }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn offset(mark: Mark) -> usize {
    count(mark.index)
}

/// Puts a space between every tag and a comma that follows it directly.
///
/// Whether an exclamation mark starts a tag or is part of a text is for the scanner to say, so it reads the text once
/// with a space at every place that might be one: inside a text the space changes that text only, not where it ends.
fn separate_tags(text: Cow<'_, str>) -> (Cow<'_, str>, Vec<usize>) {
    let candidates = commas_after_tags(&text);
    if candidates.is_empty() {
        return (text, Vec::new());
    }
    let trial = insert_spaces(&text, &candidates);
    let mut scanner = Scanner::new();
    scanner.set_encoding(Encoding::Utf8);
    scanner.set_input(BufReader::with_capacity(READ_AHEAD, trial.as_bytes()));
    let mut tags = Vec::new();
    let mut open = 0_usize;
    while let Ok(token) = scanner.scan() {
        match token.data {
            TokenData::StreamEnd => break,
            TokenData::FlowSequenceStart | TokenData::FlowMappingStart => open += 1,
            TokenData::FlowSequenceEnd | TokenData::FlowMappingEnd => open = open.saturating_sub(1),
            TokenData::Tag { .. } => tags.push(offset(token.end_mark)),
            _ => {}
        }
        // The parser stops here as well, and the scanner's time grows with the depth.
        if open > super::MAX_DEPTH {
            break;
        }
    }
    let real: Vec<usize> = candidates
        .iter()
        .enumerate()
        .filter(|(index, comma)| tags.binary_search(&(*comma + index)).is_ok())
        .map(|(_, comma)| *comma)
        .collect();
    if real.is_empty() {
        return (text, real);
    }
    let separated = insert_spaces(&text, &real);
    let spaces = real.iter().enumerate().map(|(index, comma)| comma + index).collect();
    (Cow::Owned(separated), spaces)
}

/// Offsets of the commas that end a run of tag characters started by an exclamation mark.
fn commas_after_tags(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(start) = bytes[rest..].iter().position(|byte| *byte == b'!') {
        let start = rest + start;
        let run = bytes[start..].iter().take_while(|byte| is_tag_byte(**byte)).count();
        rest = start + run;
        if bytes.get(rest) == Some(&b',') {
            found.push(rest);
        }
    }
    found
}

fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-;/?:@&=+$.%!~*'()".contains(&byte)
}

fn insert_spaces(text: &str, offsets: &[usize]) -> String {
    let mut result = String::with_capacity(text.len() + offsets.len());
    let mut done = 0;
    for offset in offsets {
        result.push_str(&text[done..*offset]);
        result.push(' ');
        done = *offset;
    }
    result.push_str(&text[done..]);
    result
}

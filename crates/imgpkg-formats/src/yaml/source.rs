//! The text as the scanner gets it.
//!
//! The scanner panics in two situations that are ordinary input: a block scalar or an escape that ends with the file
//! instead of a line break, and, inside brackets, a tag with a comma right after it. The text is completed so that
//! neither occurs, and what was added is taken out of values and positions again.

use std::borrow::Cow;
use std::io::BufReader;

use libyaml_safer::{Encoding, Error as ScanError, ErrorKind, Mark, Parser, Scanner, TokenData};

use super::MAX_DEPTH;
use super::decode::{end_of, is_break};
use super::error::Error;
use super::node::Position;

/// The scanner's look-ahead holds four bytes per character of this many bytes.
const READ_AHEAD: usize = 64 << 10;

/// A document's text and what was added to it.
pub(super) struct Source<'a> {
    text: Cow<'a, str>,
    /// A line break was added to the end, which was here.
    end: Option<Position>,
    /// Line (from 0) and offset in `text` of the spaces that were put between a tag and a comma.
    spaces: Vec<(usize, usize)>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: Cow<'a, str>) -> Self {
        let (text, spaces) = separate_tags(trim(text));
        if text.chars().next_back().is_none_or(is_break) {
            return Self { text, end: None, spaces };
        }
        let end = Some(end_of(&text));
        let mut text = text.into_owned();
        text.push('\n');
        Self { text: Cow::Owned(text), end, spaces }
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
        self.end.is_some() && offset(end) >= self.text.len()
    }

    pub(super) fn position(&self, mark: Mark) -> Position {
        if let Some(end) = self.end
            && offset(mark) >= self.text.len()
        {
            return end;
        }
        let line = count(mark.line);
        let before = |place: (usize, usize)| self.spaces.partition_point(|space| *space < place);
        let added = before((line, offset(mark))) - before((line, 0));
        Position { line: line + 1, column: count(mark.column) + 1 - added }
    }

    /// The scanner's error with the reference's text: parser errors carry the number of the line before, and line 0 is
    /// left out.
    pub(super) fn error(&self, error: &ScanError) -> Error {
        let problem = error.problem();
        let mark = error.problem_mark().unwrap_or_default();
        let at = self.position(mark);
        let reported = match error.kind() {
            _ if at.line == 1 => error.context_mark().map_or(0, |context| count(context.line)),
            ErrorKind::Scanner => at.line,
            _ => at.line - 1,
        };
        Error::new(with_line(reported, problem), self.within(mark, at))
    }

    /// The place of a problem: where the scanner met the end of a text with a line break at its end, the last line, not
    /// the one that would come next.
    fn within(&self, mark: Mark, at: Position) -> Position {
        if self.end.is_some() || offset(mark) < self.text.len() {
            return at;
        }
        match self.text.strip_suffix(is_break) {
            Some(text) => end_of(text.strip_suffix('\r').unwrap_or(text)),
            None => at,
        }
    }

    /// An error of the parser's kind at `mark`.
    pub(super) fn parser_error(&self, mark: Mark, problem: &str) -> Error {
        let at = self.position(mark);
        Error::new(with_line(at.line - 1, problem), at)
    }

    /// An error of the scanner's kind at a byte offset of the text.
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

/// Drops the spaces of a last line that has nothing else. They mean nothing, unless they stick out of a block scalar's
/// indentation; the reference would keep those, which nobody can have meant.
fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    let kept = text.trim_end_matches(' ').len();
    if text[..kept].chars().next_back().is_some_and(|last| !is_break(last)) {
        return text;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..kept]),
        Cow::Owned(mut text) => {
            text.truncate(kept);
            Cow::Owned(text)
        }
    }
}

/// Puts a space between every tag and a comma that follows it directly.
///
/// Whether an exclamation mark starts a tag or is part of a text is for the scanner to say, so it reads the text once
/// with a space at every place that might be one: inside a text the space changes that text only, not where it ends.
/// Where the trial fails the reading will fail as well, so what stands after that may stay as it was tried.
fn separate_tags(text: Cow<'_, str>) -> (Cow<'_, str>, Vec<(usize, usize)>) {
    let candidates = ends_before_commas(&text);
    if candidates.is_empty() {
        return (text, Vec::new());
    }
    let (ends, seen) = tag_ends(&insert_spaces(&text, &candidates));
    let real: Vec<usize> = candidates
        .iter()
        .enumerate()
        .map(|(index, end)| (end + index, end))
        .filter(|(space, _)| *space > seen || ends.binary_search(space).is_ok())
        .map(|(_, end)| *end)
        .collect();
    if real.is_empty() {
        return (text, Vec::new());
    }
    let text = insert_spaces(&text, &real);
    let (mut line, mut done) = (0, 0);
    let mut spaces = Vec::with_capacity(real.len());
    for (index, end) in real.into_iter().enumerate() {
        let space = end + index;
        line += end_of(&text[done..space]).line - 1;
        done = space;
        spaces.push((line, space));
    }
    (Cow::Owned(text), spaces)
}

/// Where the scanner sees tags end, and how far it got. What comes after that is not handed to the parser either, but
/// the scanner looks at some of it.
fn tag_ends(text: &str) -> (Vec<usize>, usize) {
    let completed = format!("{text}\n");
    let mut scanner = Scanner::new();
    scanner.set_encoding(Encoding::Utf8);
    scanner.set_input(BufReader::with_capacity(READ_AHEAD, completed.as_bytes()));
    let mut ends = Vec::new();
    let mut seen = 0;
    let mut open = 0_usize;
    // The parser stops at half this depth, and the scanner's time grows with it.
    while open <= 2 * MAX_DEPTH {
        let Some(Ok(token)) = scanner.next() else { return (ends, seen) };
        seen = offset(token.end_mark);
        match token.data {
            TokenData::StreamEnd => return (ends, usize::MAX),
            TokenData::FlowSequenceStart | TokenData::FlowMappingStart => open += 1,
            TokenData::FlowSequenceEnd | TokenData::FlowMappingEnd => open = open.saturating_sub(1),
            TokenData::Tag { .. } => ends.push(seen),
            _ => {}
        }
    }
    (ends, seen)
}

/// Offsets of what follows that might be a tag with a comma after it: `!`, `!name`, `!handle!name` or `!<name>`.
///
/// A name in angle brackets may hold an exclamation mark and a comma itself; such a tag does not survive the trial and is
/// refused.
fn ends_before_commas(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let run = |from: usize, inside: &[u8]| {
        bytes[from..].iter().take_while(|byte| is_tag_byte(**byte) || inside.contains(byte)).count() + from
    };
    let mut rest = 0;
    while let Some(start) = bytes[rest..].iter().position(|byte| *byte == b'!') {
        let start = rest + start;
        if bytes.get(start + 1) == Some(&b'<') {
            let end = run(start + 2, b",[]");
            if bytes.get(end..end + 2) == Some(b">,") {
                found.push(end + 1);
            }
            rest = start + 2;
        } else {
            rest = run(start, b"");
            if bytes.get(rest) == Some(&b',') {
                // A colon before a space would end a text; one that ends a tag is given up.
                let colons = bytes[start..rest].iter().rev().take_while(|byte| **byte == b':').count();
                found.push(rest - colons);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
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

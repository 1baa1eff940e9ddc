//! Why a document could not be read, and where.

use std::fmt;

use super::node::Position;

/// Why a document could not be read.
///
/// [`Error::problem`] is the reference's text, whose line number is often that of the line before; `Display` adds the
/// true place in parentheses: `yaml: line 1: did not find expected node content (at line 2, column 5)`, or
/// `(at images.yml:2:5)` once [`Error::in_file`] has named the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    problem: String,
    at: Position,
    more: Vec<(String, Position)>,
    file: Option<String>,
}

impl Error {
    /// An error at `at` whose text is already the reference's.
    pub(super) fn new(problem: impl Into<String>, at: Position) -> Self {
        Self { problem: problem.into(), at, more: Vec::new(), file: None }
    }

    /// Several keys that are set twice; the first is the error's own place.
    pub(super) fn duplicates(found: Vec<(String, Position)>) -> Option<Self> {
        let mut found = found.into_iter();
        let (first, at) = found.next()?;
        let more = found.map(|(text, at)| (format!("\n  {text}"), at)).collect();
        Some(Self { more, ..Self::new(format!("yaml: unmarshal errors:\n  {first}"), at) })
    }

    /// The line of the offending place, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.at.line
    }

    /// The column of the offending place in characters, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.at.column
    }

    /// The reference's text for this error, without the place that `Display` adds.
    #[must_use]
    pub fn problem(&self) -> String {
        let mut text = self.problem.clone();
        text.extend(self.more.iter().map(|(line, _)| line.as_str()));
        text
    }

    /// The same error, naming the file it is in.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = std::iter::once((self.problem.as_str(), self.at));
        for (text, at) in first.chain(self.more.iter().map(|(text, at)| (text.as_str(), *at))) {
            match &self.file {
                Some(file) => write!(f, "{text} (at {file}:{}:{})", at.line, at.column)?,
                None => write!(f, "{text} (at line {}, column {})", at.line, at.column)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

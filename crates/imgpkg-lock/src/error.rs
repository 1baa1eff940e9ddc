//! Why a document could not be read or written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use imgpkg_formats::yaml::{self, Position};

use crate::version::API_VERSION;

/// Why a document could not be read or written. The chain of causes, joined by `: `, is the reference's message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("Reading path {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: FileError,
    },
    /// The file is larger than a lock file may be.
    #[error("Reading path {}: Expected at most {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// The text is not YAML, or not of the document's shape.
    #[error("Unmarshaling {document}")]
    Unmarshal {
        /// The document: `images lock`, `bundle lock` or `image locations config`.
        document: &'static str,
        /// What is wrong and where.
        source: UnmarshalError,
    },
    /// The document has the right shape and a wrong content.
    #[error("Validating {document}")]
    Validate {
        /// The document, as in [`Error::Unmarshal`].
        document: &'static str,
        /// What is wrong.
        source: ValidationError,
    },
    /// The file is no BundleLock, and no ImagesLock either.
    #[error("Trying to read bundle or images lock file")]
    Any {
        /// Why it is no ImagesLock.
        source: Box<Error>,
    },
    /// The file could not be written; if there was one before, it is unchanged.
    #[error("Writing {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: FileError,
    },
}

/// Why a text is not the document it should be. The places are those of the file, in parentheses at the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnmarshalError {
    /// It is not YAML, or not YAML that JSON can express.
    #[error("error converting YAML to JSON")]
    Yaml(#[source] yaml::Error),
    /// It has a field that the document does not have, or a value of another type.
    #[error("error unmarshaling JSON: while decoding JSON: json: {problem} (at {place})")]
    Json {
        /// What is wrong, in the reference's words.
        problem: String,
        /// Where: `FILE:LINE:COLUMN`, or line and column in words.
        place: Place,
    },
}

/// A place in a document, with the document's file if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Option<PathBuf>,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}:{}:{}", file.display(), self.line, self.column),
            None => write!(f, "line {}, column {}", self.line, self.column),
        }
    }
}

/// What a document of the right shape has wrong, where, and what helps. It prints the reference's text first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidationError {
    /// What is wrong.
    pub problem: Invalid,
    /// The file, if the document came from one.
    pub file: Option<PathBuf>,
    /// Where in the document, unless it is something that is not there.
    pub at: Option<Position>,
    /// What to do about it, where there is something to say.
    pub hint: Option<String>,
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        match (&self.file, self.at) {
            (file, Some(Position { line, column })) => {
                write!(f, " (at {})", Place { file: file.clone(), line, column })?;
            }
            (Some(file), None) => write!(f, " (in {})", file.display())?,
            (None, None) => {}
        }
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ValidationError {}

/// What a document of the right shape has wrong, in the reference's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// The version is missing or unknown.
    #[error("Validating apiVersion: Unknown version (known: {API_VERSION})")]
    ApiVersion,
    /// The kind is missing or another one.
    #[error("Validating kind: Unknown kind (known: {known})")]
    Kind {
        /// The kind that was expected.
        known: &'static str,
    },
    /// An image is not named by its digest.
    #[error("Expected ref to be in digest form, got '{image}'")]
    NotDigest {
        /// What stands there.
        image: String,
    },
}

/// A failed operation on a file, told as the reference tells it: `open x: no such file or directory`.
#[derive(Debug)]
pub struct FileError {
    operation: &'static str,
    path: PathBuf,
    error: io::Error,
}

impl FileError {
    pub(crate) fn new(operation: &'static str, path: &Path, error: io::Error) -> Self {
        Self { operation, path: path.to_owned(), error }
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.error.kind()
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.error.to_string();
        let text = text.split(" (os error").next().unwrap_or(&text);
        let mut characters = text.chars();
        let first = characters.next().map(|first| first.to_ascii_lowercase()).into_iter();
        let text: String = first.chain(characters).collect();
        write!(f, "{} {}: {text}", self.operation, self.path.display())
    }
}

impl std::error::Error for FileError {}

//! What can go wrong with a registry. The texts are those of the reference tool (section 10 of its behaviour); each
//! error prints its own line only, its cause is its `source()`.

mod cause;
mod refusal;

use std::path::PathBuf;
use std::sync::Arc;

use http::StatusCode;
use imgpkg_oci::{BlobError, Digest, ErrorKind, StoreError};

use url::Url;

use crate::origin;

pub use cause::{Cause, CauseKind};
pub use refusal::Refusal;

/// A failure to get something from a registry, or into it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The HTTP client could not be set up.
    #[error("Creating registry HTTP transport: {problem}")]
    Setup {
        /// What is wrong.
        problem: String,
    },
    /// A file with certificates cannot be read.
    #[error("Creating registry HTTP transport: Reading CA certificates from '{}': {problem}", path.display())]
    CertificateFile {
        /// The file.
        path: PathBuf,
        /// Why not: `open FILE: no such file or directory`.
        problem: String,
    },
    /// A file with certificates has none that can be used.
    #[error("Creating registry HTTP transport: Adding CA certificates from '{}': failed", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
    },
    /// Credentials could not be read.
    #[error("Unable retrieve credentials for registry: {problem}")]
    Credentials {
        /// What is wrong with where they come from.
        problem: String,
    },
    /// No first contact with the registry.
    #[error("Error while preparing a transport to talk with the registry: Unable to create round tripper")]
    Contact {
        /// What happened.
        source: Box<Error>,
    },
    /// Neither https nor plain http gave an answer.
    #[error("{}; {}", https.chain(), http.chain())]
    BothSchemes {
        /// What happened over https.
        https: Box<Error>,
        /// What happened over plain http.
        http: Box<Error>,
    },
    /// A request had no answer.
    #[error("{method} \"{url}\"")]
    Transport {
        /// The method, as in `Get`.
        method: String,
        /// The URL, without secrets.
        url: String,
        /// What happened.
        source: Cause,
    },
    /// A registry answered, but not with what was asked for.
    #[error("{method} {url}")]
    Status {
        /// The method, as in `GET`.
        method: String,
        /// The URL, without secrets.
        url: String,
        /// The answer.
        source: Box<Refusal>,
    },
    /// A registry answered with success, but the answer cannot be used.
    #[error("{method} {url}: {problem}")]
    Protocol {
        /// The method, as in `GET`.
        method: String,
        /// The URL, without secrets.
        url: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// A manifest fetched by digest has another one.
    #[error(
        "manifest digest: \"{actual}\" does not match requested digest: \"{expected}\" for \"{reference}\""
    )]
    ManifestDigest {
        /// The digest of what came.
        actual: Digest,
        /// The digest asked for.
        expected: Digest,
        /// What was asked for.
        reference: String,
    },
    /// A document is larger than anything that is read into memory.
    #[error(
        "{method} {url}: the answer is larger than {limit} bytes, the most that is read of such a document"
    )]
    TooLarge {
        /// The method, as in `GET`.
        method: String,
        /// The URL, without secrets.
        url: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The registry wants to be left alone for longer than a run should wait.
    #[error("the registry at {host} asks to come back in {seconds} seconds, which is too long to wait for")]
    Busy {
        /// The host and its port.
        host: String,
        /// How long, in seconds.
        seconds: u64,
        /// Its answer.
        source: Box<Error>,
    },
    /// The content that was to be uploaded could not be read.
    #[error(transparent)]
    Content(#[from] BlobError),
    /// The content that was to be uploaded could not be opened.
    #[error(transparent)]
    Open(#[from] StoreError),
    /// A failure that several requests share.
    #[error(transparent)]
    Shared(Arc<Error>),
}

impl Error {
    /// What the failure means to who asked.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Status { source, .. } => source.kind(),
            Self::ManifestDigest { .. } => ErrorKind::Corrupt,
            Self::Content(BlobError::Size { .. } | BlobError::Checksum { .. }) => ErrorKind::Corrupt,
            Self::Open(error) => error.kind(),
            Self::Contact { source } | Self::Busy { source, .. } => source.kind(),
            Self::Shared(error) => error.kind(),
            _ => ErrorKind::Other,
        }
    }

    /// Is it likely to go away by itself, so that the same request is worth another try?
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Status { source, .. } => source.is_temporary(),
            Self::Transport { source, .. } => source.is_temporary(),
            Self::BothSchemes { https, http } => https.is_temporary() || http.is_temporary(),
            Self::Shared(error) => error.is_temporary(),
            _ => false,
        }
    }

    /// Is nobody there to answer, or nobody behind the gateway that did?
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Transport { source, .. } => source.is_temporary(),
            _ => self.status().is_some_and(|status| matches!(status.as_u16(), 502..=504)),
        }
    }

    /// The status code that the registry answered with.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::BothSchemes { https, http } => http.status().or(https.status()),
            _ => self.refusal().map(Refusal::status),
        }
    }

    /// What the registry answered.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Status { source, .. } => Some(source),
            Self::Shared(error) => error.refusal(),
            _ => None,
        }
    }

    /// The host that it is about, with its port where that is not the usual one.
    pub(crate) fn host(&self) -> Option<String> {
        match self {
            Self::Transport { url, .. } | Self::Status { url, .. } | Self::Protocol { url, .. } => {
                Url::parse(url).ok().map(|url| origin::shown(&url))
            }
            Self::BothSchemes { https, .. } => https.host(),
            Self::Shared(error) => error.host(),
            _ => None,
        }
    }

    /// Did it fail at once: a connection refused or closed, a name without an address?
    pub(crate) fn is_abrupt(&self) -> bool {
        match self {
            Self::Transport { source, .. } => {
                matches!(source.kind(), CauseKind::Refused | CauseKind::NoSuchHost | CauseKind::Broken)
            }
            Self::BothSchemes { https, http } => https.is_abrupt() && http.is_abrupt(),
            Self::Shared(error) => error.is_abrupt(),
            _ => false,
        }
    }

    /// Did it fail before the request itself, so that another request would fail in the same way?
    pub(crate) fn is_preliminary(&self) -> bool {
        match self {
            Self::Contact { .. } | Self::Credentials { .. } | Self::Setup { .. } | Self::Busy { .. } => true,
            Self::Shared(error) => error.is_preliminary(),
            _ => false,
        }
    }

    /// The error and its causes in one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        StoreError::new(error.kind(), error)
    }
}

//! References: the names under which registries know content. The rules and the spelling are those of the reference
//! tool (`ubuntu` is `index.docker.io/library/ubuntu:latest`), so that names written by one are read by the other.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Digest, DigestError};

const DOCKER_HUB: &str = "index.docker.io";
const REPOSITORY_CHARACTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789_-./";
const TAG_CHARACTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Why a text names nothing that a registry could have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The host, or its port, is not one.
    #[error("registries must be valid RFC 3986 URI authorities: {registry}")]
    Registry {
        /// What stands where the registry should.
        registry: String,
    },
    /// A repository or a tag that is too short or too long.
    #[error("{what} must be between {least} and {most} characters in length: {text}")]
    Length {
        /// `repository` or `tag`.
        what: &'static str,
        /// The least number of characters.
        least: usize,
        /// The largest number of characters.
        most: usize,
        /// What was given.
        text: String,
    },
    /// A repository or a tag with a character that may not be in it.
    #[error("{what} can only contain the characters `{allowed}`: {text}")]
    Characters {
        /// `repository` or `tag`.
        what: &'static str,
        /// The characters that may be in it.
        allowed: &'static str,
        /// What was given.
        text: String,
    },
    /// A repository with an empty component, or one that a URL would treat as a step up or no step at all.
    #[error("repository can not have the component '{component}': {text}")]
    Component {
        /// The component: empty, `.` or `..`.
        component: String,
        /// What was given.
        text: String,
    },
    /// Not exactly one `@`.
    #[error("a digest must contain exactly one '@' separator (e.g. registry/repository@digest) saw: {text}")]
    Separator {
        /// What was given.
        text: String,
    },
    /// What follows the `@` is no digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// A digest of an algorithm that references are not made with.
    #[error("unsupported digest algorithm: {text}")]
    Algorithm {
        /// The digest given.
        text: String,
    },
    /// A URL where a reference is wanted.
    #[error("Reference '{text}' should not include {prefix} protocol prefix")]
    Protocol {
        /// What was given.
        text: String,
        /// `http://` or `https://`.
        prefix: &'static str,
    },
    /// Neither a tag reference nor a digest reference.
    #[error("could not parse reference: {text}")]
    Unparsable {
        /// What was given.
        text: String,
    },
}

/// A registry: a host name, with a port where one is given. `docker.io` is spelled `index.docker.io`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry(Arc<str>);

impl Registry {
    /// Reads a host and, optionally, a port.
    ///
    /// # Errors
    /// When the text could not stand between `https://` and a path.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if !is_authority(text) {
            return Err(ReferenceError::Registry { registry: text.to_owned() });
        }
        Ok(Self(if text == "docker.io" { DOCKER_HUB.into() } else { text.into() }))
    }

    /// Host and port as they are written in references and URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it Docker Hub?
    pub fn is_docker_hub(&self) -> bool {
        &*self.0 == DOCKER_HUB
    }
}

/// Host names, IPv4 addresses and bracketed IPv6 addresses, with an optional decimal port.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => (address, None),
            Some((address, rest)) => match rest.strip_prefix(':') {
                Some(port) => (address, Some(port)),
                None => return false,
            },
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let in_host =
        |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b) || (text.starts_with('[') && b == b':');
    !host.is_empty()
        && host.bytes().all(in_host)
        && port.is_none_or(|port| port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// A repository: a path within a registry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: Registry,
    path: Arc<str>,
}

impl Repository {
    /// Reads `[registry/]path`. Without a registry it is Docker Hub's, whose single-component paths get `library/`.
    ///
    /// # Errors
    /// When the registry or the path is not a valid one; in particular a tag or a digest is refused.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (registry, path) = match text.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) => (first, rest),
            _ => (DOCKER_HUB, text),
        };
        checked("repository", path, REPOSITORY_CHARACTERS, 2, 255)?;
        if let Some(component) = path.split('/').find(|part| matches!(*part, "" | "." | "..")) {
            return Err(ReferenceError::Component { component: component.to_owned(), text: path.to_owned() });
        }
        let registry = Registry::parse(registry)?;
        let path = match registry.is_docker_hub() && !path.contains('/') {
            true => format!("library/{path}").into(),
            false => path.into(),
        };
        Ok(Self { registry, path })
    }

    /// The registry it is in.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Its path within the registry, without slashes at the ends.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// This repository at a tag.
    pub fn tagged(&self, tag: Tag) -> TagReference {
        TagReference { repository: self.clone(), tag }
    }

    /// This repository at a digest.
    pub fn at(&self, digest: Digest) -> DigestReference {
        DigestReference { repository: self.clone(), digest }
    }
}

/// A tag: 1 to 128 letters, digits, underscores, dashes and dots.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Reads a tag.
    ///
    /// # Errors
    /// When it is too long, empty, or has other characters.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        checked("tag", text, TAG_CHARACTERS, 1, 128)?;
        Ok(Self(text.into()))
    }

    /// The tag that is meant where none is given.
    pub fn latest() -> Self {
        Self("latest".into())
    }

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a registry finds a manifest by: a tag, or a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagOrDigest {
    /// A name that can be moved.
    Tag(Tag),
    /// A name that cannot.
    Digest(Digest),
}

impl TagOrDigest {
    /// The text that stands in a registry's URL.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

impl From<Tag> for TagOrDigest {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for TagOrDigest {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

/// `repository:tag`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagReference {
    repository: Repository,
    tag: Tag,
}

impl TagReference {
    /// Reads `repository[:tag]`; without a tag it is `latest`.
    ///
    /// # Errors
    /// When the repository or the tag is not valid; a digest is refused.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        // A colon before a slash belongs to the registry's port.
        let (base, tag) = match text.rsplit_once(':') {
            Some((base, tag)) if !tag.contains('/') => (base, tag),
            _ => (text, ""),
        };
        let tag = if tag.is_empty() { Tag::latest() } else { Tag::parse(tag)? };
        Ok(Self { repository: Repository::parse(base)?, tag })
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag.
    pub fn tag(&self) -> &Tag {
        &self.tag
    }
}

/// `repository@digest`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestReference {
    repository: Repository,
    digest: Digest,
}

impl DigestReference {
    /// Reads `repository@sha256:…`. In `repository:tag@sha256:…` the tag is dropped: the digest decides.
    ///
    /// # Errors
    /// When there is not exactly one `@`, or one of the parts is not valid.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (base, digest) = match text.split_once('@') {
            Some((base, digest)) if !digest.contains('@') => (base, digest),
            _ => return Err(ReferenceError::Separator { text: text.to_owned() }),
        };
        if !digest.starts_with("sha256:") {
            return Err(ReferenceError::Algorithm { text: digest.to_owned() });
        }
        let digest = Digest::parse(digest)?;
        let repository = match TagReference::parse(base) {
            Ok(tagged) => tagged.repository,
            Err(_) => Repository::parse(base)?,
        };
        Ok(Self { repository, digest })
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// A tag reference or a digest reference.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// `repository:tag`.
    Tag(TagReference),
    /// `repository@digest`.
    Digest(DigestReference),
}

impl Reference {
    /// Reads a reference: first as a tag reference, then as a digest reference.
    ///
    /// # Errors
    /// When it is neither. A URL is told apart where that is possible.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        for prefix in ["https://", "http://"] {
            if text.strip_prefix(prefix).is_some_and(|rest| !rest.contains(':') && Self::parse(rest).is_ok())
            {
                return Err(ReferenceError::Protocol { text: text.to_owned(), prefix });
            }
        }
        TagReference::parse(text)
            .map(Self::Tag)
            .or_else(|_| DigestReference::parse(text).map(Self::Digest))
            .map_err(|_| ReferenceError::Unparsable { text: text.to_owned() })
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        match self {
            Self::Tag(reference) => &reference.repository,
            Self::Digest(reference) => &reference.repository,
        }
    }

    /// The tag, where it has one.
    pub fn tag(&self) -> Option<&Tag> {
        match self {
            Self::Tag(reference) => Some(&reference.tag),
            Self::Digest(_) => None,
        }
    }

    /// What the registry finds the manifest by.
    pub fn target(&self) -> TagOrDigest {
        match self {
            Self::Tag(reference) => TagOrDigest::Tag(reference.tag.clone()),
            Self::Digest(reference) => TagOrDigest::Digest(reference.digest.clone()),
        }
    }
}

fn checked(
    what: &'static str,
    text: &str,
    allowed: &'static str,
    least: usize,
    most: usize,
) -> Result<(), ReferenceError> {
    let length = text.chars().count();
    if length < least || length > most {
        return Err(ReferenceError::Length { what, least, most, text: text.to_owned() });
    }
    if !text.chars().all(|c| allowed.contains(c)) {
        return Err(ReferenceError::Characters { what, allowed, text: text.to_owned() });
    }
    Ok(())
}

/// Display is the reference tool's spelling; Debug is the same, and parsing is `FromStr` too.
macro_rules! spelled {
    ($($name:ident: |$self:ident| $($argument:expr),+;)+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $self = self;
                $(fmt::Display::fmt(&$argument, f)?;)+
                Ok(())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ReferenceError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    )+};
}

spelled! {
    Registry: |this| this.0;
    Repository: |this| this.registry, '/', this.path;
    Tag: |this| this.0;
    TagReference: |this| this.repository, ':', this.tag;
    DigestReference: |this| this.repository, '@', this.digest;
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(reference) => reference.fmt(f),
            Self::Digest(reference) => reference.fmt(f),
        }
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<DigestReference> for Reference {
    fn from(reference: DigestReference) -> Self {
        Self::Digest(reference)
    }
}

impl From<TagReference> for Reference {
    fn from(reference: TagReference) -> Self {
        Self::Tag(reference)
    }
}

#[cfg(test)]
mod tests;

//! References as they were typed, together with what they mean.

use imgpkg_oci::{Reference, ReferenceError, TagReference};

use super::ArgumentError;

/// A reference that was typed. Messages repeat it as it was typed; requests are made with what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypedReference {
    /// What was typed.
    pub(crate) text: String,
    /// What it means.
    pub(crate) reference: Reference,
}

impl TypedReference {
    /// Reads a reference to something that would be looked at first: is it a bundle?
    pub(crate) fn checked(text: &str) -> Result<Self, ArgumentError> {
        match Reference::parse(text) {
            Ok(reference) => Ok(Self { text: text.to_owned(), reference }),
            Err(source) => Err(ArgumentError::Checked { text: text.to_owned(), source }),
        }
    }
}

/// Reads a reference that something is written to: with a tag, or `latest`.
pub(crate) fn destination(text: &str) -> Result<TagReference, ArgumentError> {
    let parsed = match Reference::parse(text) {
        // What is true of a URL says more than that its parts are no repository.
        Err(url @ ReferenceError::Protocol { .. }) => Err(url),
        _ => TagReference::parse(text),
    };
    parsed.map_err(|source| ArgumentError::Reference { text: text.to_owned(), source })
}

/// What came of reading a flag's text as a reference; where there was no text, the error names the flag.
pub(crate) fn required<T>(
    flag: &'static str,
    short: char,
    text: &str,
    parsed: Result<T, ArgumentError>,
) -> Result<T, ArgumentError> {
    parsed.map_err(|source| match text {
        "" => ArgumentError::Missing { flag, short, source: Box::new(source) },
        _ => source,
    })
}

/// A flag with an empty value counts as not given.
pub(crate) fn given(flag: &Option<String>) -> Option<&str> {
    flag.as_deref().filter(|text| !text.is_empty())
}

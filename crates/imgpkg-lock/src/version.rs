//! What all documents begin with.

use std::path::Path;

use crate::error::{Error, Invalid, ValidationError};
use crate::fields::Text;

/// The one version of all documents.
pub const API_VERSION: &str = "imgpkg.carvel.dev/v1alpha1";

/// A document's `apiVersion` and `kind` as they were read.
#[derive(Debug, Default)]
pub(crate) struct Version {
    pub(crate) api_version: Text,
    pub(crate) kind: Text,
}

impl Version {
    /// Checks the version first, then the kind.
    pub(crate) fn validate(&self, kind: &'static str, origin: &Origin<'_>) -> Result<(), Error> {
        if self.api_version.text != API_VERSION {
            return Err(origin.invalid(Invalid::ApiVersion, &self.api_version, origin.absence("apiVersion")));
        }
        if self.kind.text != kind {
            return Err(origin.invalid(Invalid::Kind { known: kind }, &self.kind, origin.absence("kind")));
        }
        Ok(())
    }
}

/// Where a document comes from, for what there is to say about it.
pub(crate) struct Origin<'a> {
    pub(crate) document: &'static str,
    pub(crate) bytes: &'a [u8],
    pub(crate) file: Option<&'a Path>,
}

impl Origin<'_> {
    /// The error about this text; `absent` is the hint where there is none.
    fn invalid(&self, problem: Invalid, text: &Text, absent: String) -> Error {
        let hint = text.at.is_none().then_some(absent);
        self.error(problem, text, hint)
    }

    /// The error about an image that is not named by its digest.
    pub(crate) fn not_digest(&self, image: Text) -> Error {
        let hint = imgpkg_oci::TagReference::parse(&image.text).is_ok().then(|| {
            format!("resolve the tag to a digest, e.g. with 'imgpkg tag resolve -i {}'", image.text)
        });
        self.error(Invalid::NotDigest { image: image.text.clone() }, &image, hint)
    }

    fn error(&self, problem: Invalid, text: &Text, hint: Option<String>) -> Error {
        let file = self.file.map(Path::to_owned);
        Error::Validate {
            document: self.document,
            source: ValidationError { problem, file, at: text.at, hint },
        }
    }

    fn absence(&self, field: &str) -> String {
        match self.bytes.trim_ascii().is_empty() {
            true => "it is empty".to_owned(),
            false => format!("it has no {field}"),
        }
    }
}

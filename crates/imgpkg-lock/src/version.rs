//! What all documents begin with.

use crate::error::ValidationError;

/// The one version of all documents.
pub const API_VERSION: &str = "imgpkg.carvel.dev/v1alpha1";

/// A document's `apiVersion` and `kind` as they were read.
#[derive(Debug, Default)]
pub(crate) struct Version {
    pub(crate) api_version: String,
    pub(crate) kind: String,
}

impl Version {
    /// Checks the version first, then the kind.
    pub(crate) fn validate(&self, kind: &'static str) -> Result<(), ValidationError> {
        if self.api_version != API_VERSION {
            return Err(ValidationError::ApiVersion);
        }
        if self.kind != kind {
            return Err(ValidationError::Kind { known: kind });
        }
        Ok(())
    }
}

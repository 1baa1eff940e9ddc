//! The endpoints of the distribution specification, one noun to a module.

pub(crate) mod blob;
pub(crate) mod manifest;
pub(crate) mod referrer;
pub(crate) mod tag;
pub(crate) mod upload;

use http::{HeaderName, HeaderValue};
use imgpkg_oci::Digest;
use oci_spec::distribution::ErrorCode;

use crate::api_error::{ApiError, ApiResult};
use crate::name::RepositoryName;
use crate::storage::Storage;

/// The header with the digest of what an answer is about.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A header's value made of checked names, digests and numbers.
fn value(text: &str) -> ApiResult<HeaderValue> {
    HeaderValue::from_str(text).map_err(|error| ApiError::from(std::io::Error::other(error)))
}

/// A digest as an entity tag.
fn entity_tag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// Why something was not found: it does not exist, or not even the repository does.
fn missing(storage: &Storage, name: &RepositoryName, code: ErrorCode, what: &str) -> ApiError {
    match storage.has_repository(name) {
        Ok(true) => ApiError::not_found(code, format!("repository {name} has no {what}")),
        Ok(false) => ApiError::not_found(ErrorCode::NameUnknown, format!("there is no repository {name}")),
        Err(error) => error.into(),
    }
}

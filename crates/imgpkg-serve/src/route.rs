//! What a request is about: its path and query, taken apart and checked. Nothing else reads a path that a client sent.

use http::{Method, Uri};
use imgpkg_oci::{Digest, TagOrDigest};
use oci_spec::distribution::ErrorCode;

use crate::api_error::{ApiError, ApiResult};
use crate::name::{self, RepositoryName};

/// What a path names (distribution specification, "Endpoints").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/v2/`: does the registry speak the protocol?
    Base,
    /// `/v2/_catalog`: the repositories; not in the specification, but widely known.
    Catalog,
    /// `/v2/<name>/tags/list`
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<reference>`
    Manifest(RepositoryName, TagOrDigest),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepositoryName, Digest),
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`: where uploads start.
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload(RepositoryName, String),
}

impl Route {
    /// Takes a path apart. A repository's name may itself have components such as `blobs`, so the end decides.
    ///
    /// # Errors
    /// 404 for paths that name nothing, 400 for names and digests that are none.
    pub(crate) fn parse(method: &Method, path: &str) -> ApiResult<Self> {
        let nowhere = || ApiError::not_found(ErrorCode::Unsupported, format!("there is nothing at {path}"));
        let segments: Option<Vec<String>> =
            path.strip_prefix("/v2").and_then(|rest| rest.split('/').map(percent_decoded).collect());
        let segments = segments.ok_or_else(nowhere)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Ok(match segments.as_slice() {
            [""] | ["", ""] => Self::Base,
            ["", "_catalog"] => Self::Catalog,
            ["", name @ .., "tags", "list"] => Self::Tags(repository(name)?),
            ["", name @ .., "manifests", text] => Self::Manifest(repository(name)?, reference(method, text)?),
            ["", name @ .., "referrers", text] => Self::Referrers(repository(name)?, digest(text)?),
            ["", name @ .., "blobs", "uploads"] | ["", name @ .., "blobs", "uploads", ""] => {
                Self::Uploads(repository(name)?)
            }
            ["", name @ .., "blobs", "uploads", id] => Self::Upload(repository(name)?, (*id).to_owned()),
            ["", name @ .., "blobs", text] => Self::Blob(repository(name)?, digest(text)?),
            _ => return Err(nowhere()),
        })
    }

    /// The methods that can be used on it.
    pub(crate) fn methods(&self) -> &'static [Method] {
        match self {
            Self::Base | Self::Catalog | Self::Tags(_) | Self::Referrers(..) => &[Method::GET, Method::HEAD],
            Self::Manifest(..) => &[Method::GET, Method::HEAD, Method::PUT, Method::DELETE],
            Self::Blob(..) => &[Method::GET, Method::HEAD, Method::DELETE],
            Self::Uploads(_) => &[Method::POST],
            Self::Upload(..) => &[Method::GET, Method::PATCH, Method::PUT, Method::DELETE],
        }
    }
}

fn repository(components: &[&str]) -> ApiResult<RepositoryName> {
    // A slash that came as %2F would join two components into one; no component may have one.
    let text = components.join("/");
    (components.iter().all(|component| !component.contains('/')))
        .then(|| RepositoryName::parse(&text))
        .flatten()
        .ok_or_else(|| {
            ApiError::bad_request(ErrorCode::NameInvalid, format!("invalid repository name '{text}'"))
        })
}

/// A digest that a client sent, in a path or a query.
pub(crate) fn digest(text: &str) -> ApiResult<Digest> {
    Digest::parse(text).map_err(|error| ApiError::bad_request(ErrorCode::DigestInvalid, error.to_string()))
}

/// What cannot be a tag or a digest cannot be found, and cannot be written.
fn reference(method: &Method, text: &str) -> ApiResult<TagOrDigest> {
    name::tag_or_digest(text).ok_or_else(|| {
        let message = format!("'{text}' is neither a tag nor a digest");
        match *method {
            Method::PUT => ApiError::bad_request(ErrorCode::ManifestInvalid, message),
            _ => ApiError::not_found(ErrorCode::ManifestUnknown, message),
        }
    })
}

/// A path segment without its percent signs; nothing if what it stands for is no text.
fn percent_decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The parameters behind a path's question mark.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        Self(url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The value of a parameter; the first one where it is given more than once.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str) -> Option<Route> {
        Route::parse(&Method::GET, path).ok()
    }

    fn repository(text: &str) -> RepositoryName {
        RepositoryName::parse(text).unwrap()
    }

    #[test]
    fn every_endpoint_is_found_below_names_of_several_components() {
        let digest = Digest::sha256_of(b"");
        let name = || repository("a/b/c");
        assert_eq!(route("/v2"), Some(Route::Base));
        assert_eq!(route("/v2/"), Some(Route::Base));
        assert_eq!(route("/v2/_catalog"), Some(Route::Catalog));
        assert_eq!(route("/v2/a/b/c/tags/list"), Some(Route::Tags(name())));
        assert_eq!(
            route(&format!("/v2/a/b/c/manifests/{digest}")),
            Some(Route::Manifest(name(), digest.clone().into()))
        );
        assert_eq!(
            route(&format!("/v2/a/b/c/referrers/{digest}")),
            Some(Route::Referrers(name(), digest.clone()))
        );
        assert_eq!(route("/v2/a/b/c/blobs/uploads/"), Some(Route::Uploads(name())));
        assert_eq!(route("/v2/a/b/c/blobs/uploads"), Some(Route::Uploads(name())));
        assert_eq!(route("/v2/a/b/c/blobs/uploads/1"), Some(Route::Upload(name(), "1".to_owned())));
        assert_eq!(route(&format!("/v2/a/b/c/blobs/{digest}")), Some(Route::Blob(name(), digest)));
    }

    #[test]
    fn a_repository_may_be_called_like_an_endpoint() {
        assert_eq!(route("/v2/blobs/uploads/tags/list"), Some(Route::Tags(repository("blobs/uploads"))));
        assert_eq!(route("/v2/manifests/blobs/uploads/"), Some(Route::Uploads(repository("manifests"))));
    }

    #[test]
    fn a_colon_may_be_percent_encoded() {
        let digest = Digest::sha256_of(b"");
        let path = format!("/v2/a/blobs/{}", digest.as_str().replace(':', "%3A"));
        assert_eq!(route(&path), Some(Route::Blob(repository("a"), digest)));
    }

    #[test]
    fn paths_that_try_to_leave_are_refused() {
        for path in [
            "/",
            "/v1/",
            "/v2a/tags/list",
            "/v2/tags/list",
            "/v2/../tags/list",
            "/v2/%2e%2e/tags/list",
            "/v2/a%2Fb/tags/list",
            "/v2/a%2f..%2f..%2fetc/tags/list",
            "/v2/a%00b/tags/list",
            "/v2/a%zz/tags/list",
            "/v2/a%/tags/list",
            "/v2/a%ff/tags/list",
            "/v2/a//b/tags/list",
            "/v2/a/manifests/..",
            "/v2/a/manifests/%2e%2e",
            "/v2/a/manifests/%2E%2E%2Fx",
            "/v2/a/manifests/sha256:..%2F..%2Fx",
            "/v2/a/blobs/sha256:%2e%2e",
            "/v2/a/_tags/tags/list",
            "/v2/a/nowhere",
        ] {
            assert_eq!(route(path), None, "{path}");
        }
    }

    #[test]
    fn a_query_is_decoded_and_its_first_value_counts() {
        let query = Query::of(&Uri::from_static("/v2/?digest=sha256%3Aab&last=a%26b&last=c&empty"));
        assert_eq!(query.get("digest"), Some("sha256:ab"));
        assert_eq!(query.get("last"), Some("a&b"));
        assert_eq!(query.get("empty"), Some(""));
        assert_eq!(query.get("none"), None);
    }
}

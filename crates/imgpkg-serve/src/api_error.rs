//! What a client is told when its request cannot be done (distribution specification, "Error Codes").

use std::io;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use imgpkg_oci::SystemError;
use oci_spec::distribution::ErrorCode;
use serde::Serialize;

/// An answer that is an error: a status, a code and words.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: Code,
    message: String,
    /// Apart, so that what is returned in place of an answer stays small.
    headers: Box<HeaderMap>,
    /// What the system said, if the registry's storage is the reason.
    storage_failure: Option<SystemError>,
}

/// The code of an error: one of the specification's, or one of those that registries use where it has none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Code {
    Specified(ErrorCode),
    Other(&'static str),
}

#[derive(Serialize)]
struct Errors<'a> {
    errors: [Entry<'a>; 1],
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'a Code,
    message: &'a str,
}

/// What a handler answers with.
pub(crate) type ApiResult<T = Response> = Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self::with_code(status, Code::Specified(code), message.into())
    }

    pub(crate) fn bad_request(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn not_found(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// An error that the specification has no code for.
    pub(crate) fn other(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self::with_code(status, Code::Other(code), message.into())
    }

    fn with_code(status: StatusCode, code: Code, message: String) -> Self {
        Self { status, code, message, headers: Box::default(), storage_failure: None }
    }

    /// What the system said, if the registry's storage is the reason.
    pub(crate) fn storage_failure(&self) -> Option<&SystemError> {
        self.storage_failure.as_ref()
    }

    /// The same error with these headers as well.
    #[must_use]
    pub(crate) fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The same error with one more header, if its value can stand in one.
    #[must_use]
    pub(crate) fn with_header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl From<io::Error> for ApiError {
    fn from(error: io::Error) -> Self {
        let error = SystemError::from(error);
        let status = match error.is_full() {
            true => StatusCode::INSUFFICIENT_STORAGE,
            false => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let answer = Self::other(status, "UNKNOWN", format!("the registry's storage failed: {error}"));
        Self { storage_failure: Some(error), ..answer }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let entry = Entry { code: &self.code, message: &self.message };
        let body = serde_json::to_vec(&Errors { errors: [entry] }).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        *response.headers_mut() = *self.headers;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_body_has_the_form_of_the_specification() {
        let error = ApiError::not_found(ErrorCode::ManifestBlobUnknown, "no \"blob\"");
        let response = error.into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"no \"blob\""}]}"#
        );
    }

    #[test]
    fn a_full_disk_is_told_apart_from_other_failures() {
        let status = |kind| ApiError::from(io::Error::from(kind)).status;
        assert_eq!(status(io::ErrorKind::StorageFull), StatusCode::INSUFFICIENT_STORAGE);
        assert_eq!(status(io::ErrorKind::PermissionDenied), StatusCode::INTERNAL_SERVER_ERROR);
    }
}

//! Listing tags (distribution specification, "Listing Tags") and repositories.

use std::sync::Arc;

use axum::response::Response;
use http::header;
use oci_spec::distribution::ErrorCode;
use serde_json::json;

use super::value;
use crate::api_error::{ApiError, ApiResult};
use crate::app::{self, Call};
use crate::disk;
use crate::name::RepositoryName;
use crate::page::Page;

/// `GET /v2/<name>/tags/list`
pub(crate) async fn list(call: &Call<'_>, name: RepositoryName) -> ApiResult {
    let storage = Arc::clone(&call.app.storage);
    let asked = name.clone();
    let tags = disk::answer(move || match storage.has_repository(&asked)? {
        true => Ok(storage.tags(&asked)?),
        false => Err(ApiError::not_found(ErrorCode::NameUnknown, format!("there is no repository {asked}"))),
    })
    .await?;
    let Page { entries, next } = Page::cut(tags, &call.query)?;
    let response = app::json(&json!({ "name": name.as_str(), "tags": entries }));
    linked(response, &format!("/v2/{name}/tags/list"), next)
}

/// `GET /v2/_catalog`
pub(crate) async fn catalog(call: &Call<'_>) -> ApiResult {
    let storage = Arc::clone(&call.app.storage);
    let names = disk::answer(move || Ok(storage.repositories()?)).await?;
    let names = names.iter().map(ToString::to_string).collect();
    let Page { entries, next } = Page::cut(names, &call.query)?;
    linked(app::json(&json!({ "repositories": entries })), "/v2/_catalog", next)
}

fn linked(mut response: Response, path: &str, next: Option<String>) -> ApiResult {
    if let Some(query) = next {
        let link = value(&format!("<{path}?{query}>; rel=\"next\""))?;
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

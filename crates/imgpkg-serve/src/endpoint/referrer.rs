//! Listing the manifests that are about another one (distribution specification, "Listing Referrers").

use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};
use imgpkg_oci::{Digest, media_type};
use serde_json::{Value, json};

use crate::api_error::ApiResult;
use crate::app::{self, Call};
use crate::disk;
use crate::name::RepositoryName;

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// `GET /v2/<name>/referrers/<digest>`: an index, empty where nothing is about the digest or nobody knows it.
pub(crate) async fn list(call: &Call<'_>, name: RepositoryName, subject: Digest) -> ApiResult {
    let storage = Arc::clone(&call.app.storage);
    let filter = call.query.get("artifactType").map(str::to_owned);
    let filtered = filter.is_some();
    let descriptors = disk::answer(move || {
        let mut descriptors = Vec::new();
        for bytes in storage.referrers(&name, &subject)? {
            let descriptor: Value = serde_json::from_slice(&bytes).map_err(std::io::Error::from)?;
            if filter.is_none() || descriptor.get("artifactType").and_then(Value::as_str) == filter.as_deref()
            {
                descriptors.push(descriptor);
            }
        }
        Ok(descriptors)
    })
    .await?;
    let index = json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": descriptors });
    let mut response = app::json(&index);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::OCI_INDEX));
    if filtered {
        headers.insert(FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    Ok(response)
}

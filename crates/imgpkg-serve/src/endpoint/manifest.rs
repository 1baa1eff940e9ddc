//! Reading, storing and deleting manifests (distribution specification, "Pulling manifests", "Pushing Manifests" and
//! "Deleting Manifests").

mod document;

use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderName, HeaderValue, StatusCode, header};
use imgpkg_oci::manifest::MAX_MANIFEST_BYTES;
use imgpkg_oci::{Digest, TagOrDigest};
use oci_spec::distribution::ErrorCode;

use super::{CONTENT_DIGEST, entity_tag, missing, value};
use crate::api_error::{ApiError, ApiResult};
use crate::app::Call;
use crate::disk;
use crate::name::RepositoryName;
use crate::storage::{FoundManifest, PutManifestError, Storage};

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// `HEAD` and `GET`: the bytes and the media type exactly as they were sent.
pub(crate) async fn get(call: &Call<'_>, name: RepositoryName, reference: TagOrDigest) -> ApiResult {
    let storage = Arc::clone(&call.app.storage);
    let is_head = call.is_head();
    let (found, body) = disk::answer(move || {
        let found = find(&storage, &name, &reference)?;
        let body = if is_head { Body::empty() } else { Body::from(std::fs::read(&found.path)?) };
        Ok((found, body))
    })
    .await?;
    let FoundManifest { digest, content_type, size, .. } = found;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, size.into());
    headers.insert(header::CONTENT_TYPE, value(&content_type)?);
    headers.insert(header::ETAG, value(&entity_tag(&digest))?);
    headers.insert(CONTENT_DIGEST, value(digest.as_str())?);
    Ok(response)
}

/// `PUT`: by tag, or by a digest that the bytes must have.
pub(crate) async fn put(
    call: &Call<'_>,
    body: &mut BodyDataStream,
    name: RepositoryName,
    reference: TagOrDigest,
) -> ApiResult {
    let content_type = call.header(header::CONTENT_TYPE).unwrap_or_default().to_owned();
    let length = call.header(header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_MANIFEST_BYTES) {
        return Err(too_large());
    }
    let bytes = collect(body).await?;
    let storage = Arc::clone(&call.app.storage);
    let asked = name.clone();
    let (digest, subject) = disk::answer(move || {
        let (tag, digest) = match reference {
            TagOrDigest::Tag(tag) => (Some(tag), Digest::sha256_of(&bytes)),
            TagOrDigest::Digest(digest) => (None, digest),
        };
        if tag.is_none() && !digest.matches(&bytes) {
            let message = format!("the manifest sent is not the one that {digest} stands for");
            return Err(ApiError::bad_request(ErrorCode::DigestInvalid, message));
        }
        let manifest = document::checked(bytes, digest, &content_type)
            .map_err(|message| ApiError::bad_request(ErrorCode::ManifestInvalid, message))?;
        storage.put_manifest(&asked, tag.as_ref(), &manifest).map_err(|error| match error {
            PutManifestError::Io(error) => error.into(),
            PutManifestError::Missing(missing) => {
                let message = format!("the manifest needs {missing}, which repository {asked} does not have");
                ApiError::not_found(ErrorCode::ManifestBlobUnknown, message)
            }
        })?;
        Ok((manifest.digest, manifest.referrer.map(|referrer| referrer.subject)))
    })
    .await?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, value(&format!("/v2/{name}/manifests/{digest}"))?);
    headers.insert(CONTENT_DIGEST, value(digest.as_str())?);
    if let Some(subject) = subject {
        headers.insert(SUBJECT, value(subject.as_str())?);
    }
    Ok(response)
}

/// `DELETE`: a tag alone, or a manifest with the tags that name it.
pub(crate) async fn delete(call: &Call<'_>, name: RepositoryName, reference: TagOrDigest) -> ApiResult {
    let storage = Arc::clone(&call.app.storage);
    disk::answer(move || {
        let removed = match &reference {
            TagOrDigest::Tag(tag) => storage.delete_tag(&name, tag)?,
            TagOrDigest::Digest(digest) => {
                let found = find(&storage, &name, &reference)?;
                let subject = document::subject(&std::fs::read(found.path)?);
                storage.delete_manifest(&name, digest, subject.as_ref())?
            }
        };
        if removed { Ok(()) } else { Err(unknown(&storage, &name, &reference)) }
    })
    .await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    Ok(response)
}

fn find(storage: &Storage, name: &RepositoryName, reference: &TagOrDigest) -> ApiResult<FoundManifest> {
    storage.find_manifest(name, reference)?.ok_or_else(|| unknown(storage, name, reference))
}

fn unknown(storage: &Storage, name: &RepositoryName, reference: &TagOrDigest) -> ApiError {
    missing(storage, name, ErrorCode::ManifestUnknown, &format!("manifest {}", reference.as_str()))
}

fn too_large() -> ApiError {
    let message = format!("a manifest has at most {MAX_MANIFEST_BYTES} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, message)
}

async fn collect(body: &mut BodyDataStream) -> ApiResult<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::bad_request(ErrorCode::ManifestInvalid, format!("the body broke off: {error}"))
        })?;
        if (bytes.len() + chunk.len()) as u64 > MAX_MANIFEST_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

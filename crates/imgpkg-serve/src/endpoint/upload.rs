//! Uploading blobs (distribution specification, "Pushing blobs"): in one request, in two, in chunks, or not at all
//! because another repository has the blob already.

use std::ops::Range;
use std::sync::Arc;

use axum::body::BodyDataStream;
use axum::response::Response;
use http::{HeaderMap, HeaderName, StatusCode, header};
use imgpkg_oci::{Algorithm, Digest};
use oci_spec::distribution::ErrorCode;

use super::{CONTENT_DIGEST, value};
use crate::api_error::{ApiError, ApiResult};
use crate::app::Call;
use crate::disk;
use crate::name::RepositoryName;
use crate::range;
use crate::route;
use crate::upload::{ReceiveError, Session, SessionError, Turn, receive};

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// `POST /v2/<name>/blobs/uploads/`: starts an upload; `?digest=` takes the whole blob at once, and `?mount=&from=` links
/// one of another repository if that has it.
pub(crate) async fn start(call: &Call<'_>, body: &mut BodyDataStream, name: RepositoryName) -> ApiResult {
    let uploads = Arc::clone(&call.app.uploads);
    if let Some(digest) = call.query.get("digest") {
        let digest = route::digest(digest)?;
        let (repository, algorithm) = (name.clone(), digest.algorithm());
        let session = disk::answer(move || Ok(uploads.start_unlisted(&repository, algorithm)?)).await?;
        let turn = take_in(call, body, &session).await?;
        return store(call, session, turn, digest).await;
    }
    if let Some(digest) = call.query.get("mount") {
        let digest = route::digest(digest)?;
        // Without a repository to mount from, or with one that cannot exist, it is an upload like any other.
        if let Some(from) = call.query.get("from").and_then(RepositoryName::parse) {
            let (storage, to, wanted) = (Arc::clone(&call.app.storage), name.clone(), digest.clone());
            if disk::answer(move || Ok(storage.mount_blob(&from, &to, &wanted)?)).await? {
                return created(&name, &digest);
            }
        }
    }
    let algorithm = match call.query.get("digest-algorithm") {
        None | Some("sha256") => Algorithm::Sha256,
        Some("sha512") => Algorithm::Sha512,
        Some(other) => {
            let message = format!("unsupported digest algorithm: {other}");
            return Err(ApiError::bad_request(ErrorCode::DigestInvalid, message));
        }
    };
    let session = disk::answer(move || Ok(uploads.start(&name, algorithm)?)).await?;
    answer(StatusCode::ACCEPTED, &session, 0)
}

/// `PATCH`: one more chunk, or a stream without an announced range.
pub(crate) async fn append(
    call: &Call<'_>,
    body: &mut BodyDataStream,
    name: RepositoryName,
    id: String,
) -> ApiResult {
    let session = find(call, &name, &id)?;
    take_in(call, body, &session).await?;
    progress(StatusCode::ACCEPTED, session).await
}

/// `PUT`: the last chunk, if there is one, and the digest of everything.
pub(crate) async fn finish(
    call: &Call<'_>,
    body: &mut BodyDataStream,
    name: RepositoryName,
    id: String,
) -> ApiResult {
    let session = find(call, &name, &id)?;
    let Some(digest) = call.query.get("digest") else {
        let message = "the parameter digest is missing: it says which blob this should be";
        return Err(ApiError::bad_request(ErrorCode::DigestInvalid, message));
    };
    let digest = route::digest(digest)?;
    let turn = take_in(call, body, &session).await?;
    store(call, session, turn, digest).await
}

/// `GET`: how far the upload is.
pub(crate) async fn status(call: &Call<'_>, name: &RepositoryName, id: &str) -> ApiResult {
    let session = find(call, name, id)?;
    progress(StatusCode::NO_CONTENT, session).await
}

/// `DELETE`: gives the upload up.
pub(crate) async fn cancel(call: &Call<'_>, name: &RepositoryName, id: &str) -> ApiResult {
    let session = find(call, name, id)?;
    give_up(call, session).await?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Ends an upload that will not be completed, and removes what has arrived of it.
async fn give_up(call: &Call<'_>, session: Arc<Session>) -> ApiResult<()> {
    call.app.uploads.forget(session.id());
    disk::answer(move || {
        session.cancel();
        Ok(())
    })
    .await
}

fn find(call: &Call<'_>, name: &RepositoryName, id: &str) -> ApiResult<Arc<Session>> {
    call.app.uploads.find(name, id).ok_or_else(unknown)
}

fn unknown() -> ApiError {
    ApiError::not_found(ErrorCode::BlobUploadUnknown, "there is no such upload; it may have ended")
}

/// Takes a request's body into an upload. A chunk that is not what its `Content-Range` announces is taken back.
async fn take_in(call: &Call<'_>, body: &mut BodyDataStream, session: &Arc<Session>) -> ApiResult<Arc<Turn>> {
    let announced = announced(call)?;
    let offset = announced.as_ref().map(|range| range.start);
    let beginning = Arc::clone(session);
    let turn =
        disk::answer(move || beginning.begin(offset).map_err(|error| refusal(&beginning, error))).await?;
    let turn = Arc::new(turn);
    let expected = announced.map(|range| range.end - range.start);
    let mistaken = match receive(session, &turn, body, expected.unwrap_or(u64::MAX)).await {
        Ok(received) => expected.is_some_and(|expected| expected != received),
        Err(ReceiveError::TooLong) => true,
        Err(ReceiveError::Session(error)) => {
            if matches!(error, SessionError::Io(_)) {
                give_up(call, Arc::clone(session)).await?;
            }
            return Err(refusal(session, error));
        }
        Err(ReceiveError::Broken(error)) => {
            let message = format!("the body broke off: {error}");
            return Err(ApiError::bad_request(ErrorCode::BlobUploadInvalid, message));
        }
    };
    if !mistaken {
        return Ok(turn);
    }
    let rewound = Arc::clone(session);
    disk::answer(move || rewound.rewind(&turn).map_err(|error| refusal(&rewound, error))).await?;
    let message = "the chunk does not have the length that its Content-Range says";
    Err(ApiError::bad_request(ErrorCode::SizeInvalid, message))
}

/// The range that a chunk says it is.
fn announced(call: &Call<'_>) -> ApiResult<Option<Range<u64>>> {
    let Some(text) = call.header(header::CONTENT_RANGE) else { return Ok(None) };
    let Some(range) = range::announced(text) else {
        let message = format!("Content-Range '{text}' is not of the form <first>-<last>");
        return Err(ApiError::bad_request(ErrorCode::BlobUploadInvalid, message));
    };
    let length = call.header(header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length != range.end - range.start) {
        let message = format!("Content-Range '{text}' and Content-Length do not agree");
        return Err(ApiError::bad_request(ErrorCode::SizeInvalid, message));
    }
    Ok(Some(range))
}

/// Verifies and stores a blob that has arrived.
async fn store(call: &Call<'_>, session: Arc<Session>, turn: Arc<Turn>, digest: Digest) -> ApiResult {
    let (storage, uploads) = (Arc::clone(&call.app.storage), Arc::clone(&call.app.uploads));
    disk::answer(move || {
        let outcome = session.finish(&turn, &digest, &storage);
        if !matches!(outcome, Err(SessionError::Superseded)) {
            uploads.forget(session.id());
        }
        match outcome {
            Ok(()) => created(session.repository(), &digest),
            Err(SessionError::Digest { actual }) => {
                let message = format!("what was uploaded has the digest {actual}, not {digest}");
                Err(ApiError::bad_request(ErrorCode::DigestInvalid, message))
            }
            Err(error) => Err(refusal(&session, error)),
        }
    })
    .await
}

fn refusal(session: &Session, error: SessionError) -> ApiError {
    match error {
        SessionError::OutOfOrder { size } => {
            let message = format!("the upload has {size} bytes, and the chunk does not start there");
            let error =
                ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::BlobUploadInvalid, message);
            match whereabouts(session, size) {
                Ok(headers) => error.with_headers(headers),
                Err(failed) => failed,
            }
        }
        SessionError::Superseded => {
            let message = "another request has gone on with this upload";
            ApiError::new(StatusCode::CONFLICT, ErrorCode::BlobUploadInvalid, message)
        }
        SessionError::Gone => unknown(),
        SessionError::Digest { actual } => {
            let message = format!("what was uploaded has the digest {actual}");
            ApiError::bad_request(ErrorCode::DigestInvalid, message)
        }
        SessionError::Io(error) => error.into(),
    }
}

/// How far an upload is now; its state may be in use by a write.
async fn progress(status: StatusCode, session: Arc<Session>) -> ApiResult {
    disk::answer(move || answer(status, &session, session.size())).await
}

fn answer(status: StatusCode, session: &Session, size: u64) -> ApiResult {
    let mut response = Response::default();
    *response.status_mut() = status;
    *response.headers_mut() = whereabouts(session, size)?;
    Ok(response)
}

/// Where an upload goes on, and what it has. The specification counts the last byte, so that one byte and none look the
/// same, as they do in every registry.
fn whereabouts(session: &Session, size: u64) -> ApiResult<HeaderMap> {
    let mut headers = HeaderMap::new();
    let location = format!("/v2/{}/blobs/uploads/{}", session.repository(), session.id());
    headers.insert(header::LOCATION, value(&location)?);
    headers.insert(header::RANGE, value(&format!("0-{}", size.saturating_sub(1)))?);
    headers.insert(UPLOAD_ID, value(session.id())?);
    Ok(headers)
}

fn created(name: &RepositoryName, digest: &Digest) -> ApiResult {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, value(&format!("/v2/{name}/blobs/{digest}"))?);
    headers.insert(CONTENT_DIGEST, value(digest.as_str())?);
    Ok(response)
}

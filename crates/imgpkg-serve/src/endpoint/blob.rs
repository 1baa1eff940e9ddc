//! Reading and deleting blobs (distribution specification, "Pulling blobs" and "Deleting Blobs").

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, StatusCode, header};
use imgpkg_oci::Digest;
use oci_spec::distribution::ErrorCode;

use super::{CONTENT_DIGEST, entity_tag, missing, value};
use crate::api_error::{ApiError, ApiResult};
use crate::app::Call;
use crate::disk;
use crate::name::RepositoryName;
use crate::range::{Wanted, wanted};
use crate::storage::OpenBlob;

/// The size of the pieces in which a blob is read.
const PIECE_BYTES: u64 = 128 * 1024;

/// How many pieces of one blob are in memory: the one being sent, and the one being read meanwhile.
const PIECES: usize = 2;

/// `HEAD` and `GET`, with ranges.
pub(crate) async fn get(call: &Call<'_>, name: RepositoryName, digest: Digest) -> ApiResult {
    let storage = Arc::clone(&call.app.storage);
    let tag = entity_tag(&digest);
    let (content_digest, entity) = (value(digest.as_str())?, value(&tag)?);
    let unchanged = call.header(header::IF_RANGE).is_none_or(|wanted| wanted == tag);
    let range = call.header(header::RANGE).filter(|_| unchanged && !call.is_head()).map(str::to_owned);
    let is_head = call.is_head();
    let (wanted, size, body) = disk::answer(move || {
        let Some(OpenBlob { file, size }) = storage.open_blob(&name, &digest)? else {
            return Err(missing(&storage, &name, ErrorCode::BlobUnknown, &format!("blob {digest}")));
        };
        let wanted = wanted(range.as_deref(), size);
        let body = match &wanted {
            _ if is_head => Body::empty(),
            Wanted::Whole => content(file, 0..size)?,
            Wanted::Part(range) => content(file, range.clone())?,
            Wanted::Unsatisfiable => Body::empty(),
        };
        Ok((wanted, size, body))
    })
    .await?;
    let mut response = Response::new(body);
    let mut length = size;
    let headers = response.headers_mut();
    let range = match wanted {
        Wanted::Whole => None,
        Wanted::Part(range) => {
            length = range.end - range.start;
            Some(format!("bytes {}-{}/{size}", range.start, range.end - 1))
        }
        Wanted::Unsatisfiable => {
            let message = format!("the blob has {size} bytes");
            return Err(ApiError::other(StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_INVALID", message)
                .with_header(header::CONTENT_RANGE, &format!("bytes */{size}")));
        }
    };
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::ETAG, entity);
    headers.insert(CONTENT_DIGEST, content_digest);
    if let Some(range) = range {
        headers.insert(header::CONTENT_RANGE, value(&range)?);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// `DELETE`: the repository forgets the blob.
pub(crate) async fn delete(call: &Call<'_>, name: RepositoryName, digest: Digest) -> ApiResult {
    let storage = Arc::clone(&call.app.storage);
    disk::answer(move || match storage.delete_blob(&name, &digest)? {
        true => Ok(()),
        false => Err(missing(&storage, &name, ErrorCode::BlobUnknown, &format!("blob {digest}"))),
    })
    .await?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// A part of a file as a body. A small one is read at once, a large one piece by piece while it is sent.
fn content(file: File, range: Range<u64>) -> io::Result<Body> {
    if range.end - range.start <= PIECE_BYTES {
        return Ok(Body::from(read(&file, range)?));
    }
    let file = Arc::new(file);
    let starts = (range.start..range.end).step_by(usize::try_from(PIECE_BYTES).unwrap_or(usize::MAX));
    let pieces = futures_util::stream::iter(starts).map(move |start| {
        let file = Arc::clone(&file);
        let piece = start..range.end.min(start.saturating_add(PIECE_BYTES));
        async move { disk::run(move || read(&file, piece)).await? }
    });
    Ok(Body::from_stream(pieces.buffered(PIECES)))
}

fn read(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut piece = vec![0; length];
    file.read_exact_at(&mut piece, range.start)?;
    Ok(piece.into())
}

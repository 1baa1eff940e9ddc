//! Reading a blob (distribution specification, "Pulling blobs"). A body that breaks is continued where it stopped, so
//! that its reader sees nothing but a pause.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use http::{HeaderValue, Method, StatusCode};
use imgpkg_oci::{BlobProgress, BlobReader, Descriptor};
use url::Url;

use crate::auth::Access;
use crate::error::Error;
use crate::http::Response;
use crate::retry::Attempts;
use crate::session::{Call, Session};

/// A blob on its way from a registry, or from wherever else it may be fetched.
struct Download {
    session: Arc<Session>,
    call: Call,
    attempts: Attempts,
    /// How many bytes have been handed out.
    offset: u64,
    size: u64,
    body: Option<Response>,
    /// How many bytes of the body come before those that are wanted.
    skip: u64,
    /// Has asking for a part turned out to be of no use?
    whole_only: bool,
}

/// A body that has the rest of a blob, and how many bytes come before that; `None` if the registry says that there is no
/// more.
type Rest = Option<(Response, u64)>;

/// Opens a blob at the offset that `from` has reached.
///
/// # Errors
/// When none of the places that have it gives it out.
pub(crate) async fn open(
    session: &Arc<Session>,
    blob: &Descriptor,
    from: BlobProgress,
) -> Result<BlobReader, Error> {
    if from.offset() >= blob.size {
        // Nothing is left to be read; the reader still checks what was.
        return Ok(BlobReader::resumed(blob.clone(), from, futures_util::stream::empty().boxed()));
    }
    let url = session.url(&format!("blobs/{}", blob.digest)).await?;
    let mut result = start(session, blob, url, Access::Pull, from.offset()).await;
    for url in &blob.urls {
        // A layer that may not be distributed is often only where its publisher keeps it. That is somebody else: no
        // credentials, and nothing but the web.
        let elsewhere = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if let (Err(_), Some(url)) = (&result, elsewhere) {
            result = start(session, blob, url, Access::Nobody, from.offset()).await;
        }
    }
    Ok(BlobReader::resumed(blob.clone(), from, result?.into_stream()))
}

async fn start(
    session: &Arc<Session>,
    blob: &Descriptor,
    url: Url,
    access: Access,
    offset: u64,
) -> Result<Download, Error> {
    let mut download = Download {
        session: Arc::clone(session),
        call: Call::new(Method::GET, url, access, &[200, 206, 416]).bulk(),
        attempts: session.attempts(),
        offset,
        size: blob.size,
        body: None,
        skip: 0,
        whole_only: false,
    };
    while download.body.is_none() && download.offset < download.size {
        match download.request().await {
            Ok(Some((response, skip))) => (download.body, download.skip) = (Some(response), skip),
            Ok(None) => download.size = download.offset,
            Err(error) => download.attempts.pause(error).await?,
        }
    }
    Ok(download)
}

impl Download {
    /// Asks for the rest of the blob; for all of it where the registry makes no sense of that.
    async fn request(&mut self) -> Result<Rest, Error> {
        if self.offset > 0 && !self.whole_only {
            match self.request_rest().await? {
                None => self.whole_only = true,
                rest => return Ok(rest),
            }
        }
        let response = self.session.send_once(&self.call).await?;
        match response.status().as_u16() {
            // It never had more than what has come already.
            200 if self.offset > 0 && length(&response).is_some_and(|length| length <= self.offset) => {
                Ok(None)
            }
            200 => Ok(Some((response, self.offset))),
            _ => Err(response.into_error(|refusal| refusal).await),
        }
    }

    /// Asks for what has not come yet; `None` if the answer is no help.
    async fn request_rest(&self) -> Result<Rest, Error> {
        let Ok(range) = HeaderValue::try_from(format!("bytes={}-", self.offset)) else { return Ok(None) };
        let response = self.session.send_once(&self.call.clone().header(RANGE, range)).await?;
        let start = response.text(CONTENT_RANGE).and_then(range_start);
        Ok(match response.status().as_u16() {
            // It does not know about ranges: what is there already comes again.
            200 => Some((response, self.offset)),
            206 => start.and_then(|start| self.offset.checked_sub(start)).map(|skip| (response, skip)),
            _ => None,
        })
    }

    /// The next bytes of the blob; `None` when there are no more.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let broken = match self.body.as_mut() {
                Some(body) => match body.chunk().await {
                    Ok(Some(chunk)) => match self.wanted(chunk) {
                        Some(chunk) => return Ok(Some(chunk)),
                        None => continue,
                    },
                    Ok(None) if self.offset >= self.size => return Ok(None),
                    // The body ended early, and properly: it was cut by somebody who did not say so, or it is another
                    // part than it was said to be.
                    Ok(None) => {
                        self.whole_only |= body.status() == StatusCode::PARTIAL_CONTENT;
                        let cause = crate::Cause::new(crate::error::CauseKind::Broken, "unexpected EOF");
                        body.head().broken(cause)
                    }
                    Err(error) => error,
                },
                None if self.offset >= self.size => return Ok(None),
                None => match self.request().await {
                    Ok(Some((response, skip))) => {
                        (self.body, self.skip) = (Some(response), skip);
                        continue;
                    }
                    Ok(None) => return Ok(None),
                    Err(error) => error,
                },
            };
            self.body = None;
            self.attempts.pause(broken).await?;
        }
    }

    /// What of a chunk has not been handed out before.
    fn wanted(&mut self, mut chunk: Bytes) -> Option<Bytes> {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
        let _ = chunk.split_to(skipped);
        self.skip -= skipped as u64;
        if chunk.is_empty() {
            return None;
        }
        self.offset += chunk.len() as u64;
        self.attempts.progress();
        Some(chunk)
    }

    fn into_stream(self) -> BoxStream<'static, io::Result<Bytes>> {
        futures_util::stream::unfold(Some(self), |state| async move {
            let mut download = state?;
            match download.next().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(download))),
                Ok(None) => None,
                Err(error) => Some((Err(io::Error::other(error)), None)),
            }
        })
        .boxed()
    }
}

/// How many bytes an answer says it has.
fn length(response: &Response) -> Option<u64> {
    response.text(CONTENT_LENGTH)?.parse().ok()
}

/// Where the range of `bytes 5-9/10` begins.
fn range_start(value: &str) -> Option<u64> {
    value.trim().strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::range_start;

    #[test]
    fn the_start_of_a_range_is_read() {
        assert_eq!(range_start("bytes 5-9/10"), Some(5));
        assert_eq!(range_start("bytes 5-9/*"), Some(5));
        for bad in ["bytes */10", "5-9/10", "", "bytes -9/10"] {
            assert_eq!(range_start(bad), None, "{bad}");
        }
    }
}

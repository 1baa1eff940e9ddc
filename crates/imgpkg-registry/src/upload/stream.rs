//! Sending a large blob: in one request where that works, in parts where it does not, and from where it stopped when it
//! was interrupted and the registry still knows it.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderValue, Method};
use imgpkg_oci::{BlobOpener, Descriptor};
use url::Url;

use super::body::{self, Content, Shared};
use super::checkpoint::Checkpoints;
use super::{OCTETS, chunk, location};
use crate::auth::Access;
use crate::budget::Permit;
use crate::error::Error;
use crate::retry::Attempts;
use crate::session::{Call, Session};

/// An upload, through all attempts at it.
pub(super) struct Upload {
    /// Where the content goes next, if an upload has been opened.
    session: Option<Url>,
    /// Has content been sent there, so that the registry has to be asked how much of it has arrived?
    interrupted: bool,
    /// How many bytes had arrived when it was last interrupted.
    arrived: u64,
    checkpoints: Checkpoints,
    blob: Descriptor,
    parts: bool,
    least: Option<u64>,
}

impl Upload {
    /// An upload of which nothing has been sent.
    pub(super) fn new(blob: &Descriptor, session: Option<Url>) -> Self {
        let checkpoints = Checkpoints::start(&blob.digest);
        let blob = blob.clone();
        Self { session, interrupted: false, arrived: 0, checkpoints, blob, parts: false, least: None }
    }

    pub(super) fn take_session(&mut self) -> Option<Url> {
        self.session.take()
    }

    /// The registry knows nothing of it any more.
    pub(super) fn begin_again(&mut self) {
        self.session = None;
        self.interrupted = false;
        self.arrived = 0;
        self.checkpoints = Checkpoints::start(&self.blob.digest);
    }

    /// Does the registry refuse the blob for the size of the request, and could parts of it be small enough?
    pub(super) fn is_too_large(&self, error: &Error) -> bool {
        !self.parts
            && matches!(error, Error::Status { method, source, .. }
                if method == "PATCH" && matches!(source.status().as_u16(), 413 | 416))
    }

    /// From the beginning, in parts.
    pub(super) fn in_parts(&mut self) {
        self.begin_again();
        self.parts = true;
    }
}

impl Session {
    /// Sends what the registry does not have of the blob; returns where to finish the upload.
    pub(super) async fn stream(
        &self,
        blob: &Descriptor,
        content: &dyn BlobOpener,
        upload: &mut Upload,
        attempts: &mut Attempts,
    ) -> Result<Url, Error> {
        let turn = self.upload_turn().await?;
        let mut offset = 0;
        if upload.interrupted {
            match self.arrived(upload).await {
                Some(arrived) => {
                    offset = arrived;
                    if arrived > upload.arrived {
                        attempts.progress();
                    }
                    upload.arrived = arrived;
                }
                None => upload.begin_again(),
            }
        }
        let mut session = match upload.session.take() {
            Some(session) => session,
            None => {
                let (session, least) = self.begin(attempts).await?;
                upload.least = least;
                session
            }
        };
        let content = self.content_from(content, upload, offset).await?;
        let part = match upload.parts || offset > 0 {
            true => chunk::size(self.repository.registry(), upload.least),
            false => u64::MAX,
        };
        while offset < blob.size {
            let length = part.min(blob.size - offset);
            let range = (length < blob.size).then_some(offset);
            upload.session = Some(session.clone());
            upload.interrupted = true;
            session = self.patch(session, blob, &content, range, length, &turn).await?;
            offset += length;
            attempts.progress();
        }
        Ok(session)
    }

    /// How many bytes of an interrupted upload the registry has; `None` if it does not know the upload any more, or
    /// nothing of it has arrived.
    async fn arrived(&self, upload: &mut Upload) -> Option<u64> {
        let session = upload.session.clone()?;
        let call = Call::new(Method::GET, session, Access::Push, &[204]);
        let response = self.send_once(&call).await.ok()?;
        // A registry that has nothing says `0-0` too, so one byte counts as none.
        let last: u64 =
            response.text(RANGE)?.trim_start_matches("bytes=").split_once('-')?.1.trim().parse().ok()?;
        let arrived = (last > 0 && last < upload.blob.size).then_some(last + 1)?;
        upload.session = Some(location(&response).unwrap_or_else(|_| response.url.clone()));
        Some(arrived)
    }

    /// The content from this offset on.
    async fn content_from(
        &self,
        content: &dyn BlobOpener,
        upload: &Upload,
        offset: u64,
    ) -> Result<Shared, Error> {
        let from = upload.checkpoints.before(offset);
        let from = from.unwrap_or_else(|| imgpkg_oci::BlobProgress::start(&upload.blob.digest));
        let ahead = offset - from.offset();
        let mut content = Content::new(content.open(from).await?, upload.checkpoints.clone());
        content.skip(ahead).await?;
        Ok(Arc::new(tokio::sync::Mutex::new(content)))
    }

    /// Sends the next `length` bytes; `range` is their offset, where they are not the whole blob.
    async fn patch(
        &self,
        session: Url,
        blob: &Descriptor,
        content: &Shared,
        range: Option<u64>,
        length: u64,
        turn: &Permit,
    ) -> Result<Url, Error> {
        let mut call = Call::new(Method::PATCH, session, Access::Push, &[200, 201, 202, 204])
            .bulk()
            .header(CONTENT_TYPE, OCTETS)
            .header(CONTENT_LENGTH, HeaderValue::from(length));
        if let Some(offset) = range {
            let value = HeaderValue::try_from(format!("{offset}-{}", offset + length - 1));
            call = value.into_iter().fold(call, |call, value| call.header(CONTENT_RANGE, value));
        }
        let body = body::of(content, length, blob.size, self.transport.header_timeout);
        match self.send_stream(&call, body, turn).await {
            Ok(response) => location(&response),
            // If the content broke, that is the story, and not what became of the request because of it.
            Err(error) => Err(content.lock().await.take_failure().map_or(error, Error::from)),
        }
    }
}

//! Writing a blob (distribution specification, "Pushing blobs").

mod body;
mod checkpoint;
mod chunk;
mod stream;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Method};
use imgpkg_oci::{BlobOpener, BlobProgress, BlobPut, Descriptor, ErrorKind};
use url::Url;

use crate::auth::Access;
use crate::error::Error;
use crate::http::Response;
use crate::origin;
use crate::retry::Attempts;
use crate::session::{Call, Session};
use stream::Upload;

/// Blobs up to this many bytes are sent in one request, from memory, so that they can be sent again at once.
const SMALL: u64 = 1024 * 1024;

/// What a registry asks for at least in each part of an upload (distribution specification, "Pushing a blob in chunks").
const CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

impl Session {
    /// Makes sure that the repository has a blob: asks, has it mounted, or sends it.
    ///
    /// # Errors
    /// When the registry refuses it, or the content cannot be read.
    pub(crate) async fn put_blob(
        &self,
        blob: &Descriptor,
        content: &dyn BlobOpener,
    ) -> Result<BlobPut, Error> {
        // Mounting a blob from the repository itself asks whether it is there and opens an upload if it is not, in one
        // request instead of two.
        let own = self.repository.path();
        let from = content
            .mount_from()
            .filter(|from| from.registry() == self.repository.registry())
            .map_or(own, |from| from.path());
        let mut attempts = self.attempts();
        let mut session = None;
        match self.mount(blob, from, &mut attempts).await {
            Ok(None) if from == own => return Ok(BlobPut::Present),
            Ok(None) => return Ok(BlobPut::Mounted),
            Ok(Some(location)) => session = Some(location),
            // Whatever is wrong with mounting, sending may still work.
            Err(_) => {}
        }
        // A registry may not know how to mount, and a large blob is worth asking for before it is sent.
        if (session.is_none() || blob.size > SMALL) && self.has_blob(blob, &mut attempts).await? {
            return Ok(BlobPut::Present);
        }
        attempts.progress();
        let mut corrupt = 0;
        let mut upload = Upload::new(blob, session);
        loop {
            let error = match self.upload(blob, content, &mut upload, &mut attempts).await {
                Ok(()) => return Ok(BlobPut::Sent),
                Err(error) => error,
            };
            // Bytes can be damaged on their way, once. Twice, and they are damaged where they come from.
            if error.kind() == ErrorKind::Corrupt && corrupt == 0 {
                corrupt += 1;
                upload = Upload::new(blob, None);
            } else if upload.is_too_large(&error) {
                upload.in_parts();
            } else if has_lost_the_upload(&error) {
                upload.begin_again();
                attempts.pause_anyway(error).await?;
            } else {
                attempts.pause(error).await?;
            }
        }
    }

    async fn has_blob(&self, blob: &Descriptor, attempts: &mut Attempts) -> Result<bool, Error> {
        let url = self.url(&format!("blobs/{}", blob.digest)).await?;
        let call = Call::new(Method::HEAD, url, Access::Push, &[200]);
        match self.send_within(&call, attempts).await {
            // Anybody can answer 200 to anything, but not with the right size.
            Ok(response) => {
                let size = response.text(CONTENT_LENGTH).and_then(|size| size.trim().parse().ok());
                Ok(size.is_none_or(|size: u64| size == blob.size))
            }
            // Who cannot be asked can perhaps be sent to; and if not, the answer to that has a body that says why.
            Err(error) if error.status().is_some_and(|s| matches!(s.as_u16(), 400..=405)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks for a blob to be taken over from another repository: `None` if it was, else where to send it.
    async fn mount(
        &self,
        blob: &Descriptor,
        from: &str,
        attempts: &mut Attempts,
    ) -> Result<Option<Url>, Error> {
        let mut url = self.url("blobs/uploads/").await?;
        url.query_pairs_mut().append_pair("from", from).append_pair("mount", blob.digest.as_str());
        let access = match from == self.repository.path() {
            true => Access::Push,
            false => Access::Mount { from: from.to_owned() },
        };
        let call = Call::new(Method::POST, url, access, &[201, 202]).body(Bytes::new());
        let response = self.send_within(&call, attempts).await?;
        match response.status().as_u16() {
            201 => Ok(None),
            _ => location(&response).map(Some),
        }
    }

    /// Opens an upload: where its content goes, and the least bytes that the registry wants of each part of it.
    async fn begin(&self, attempts: &mut Attempts) -> Result<(Url, Option<u64>), Error> {
        let url = self.url("blobs/uploads/").await?;
        let call = Call::new(Method::POST, url, Access::Push, &[202]).body(Bytes::new());
        let response = self.send_within(&call, attempts).await?;
        let least = response.text(CHUNK_MIN_LENGTH).and_then(|bytes| bytes.trim().parse().ok());
        Ok((location(&response)?, least))
    }

    async fn upload(
        &self,
        blob: &Descriptor,
        content: &dyn BlobOpener,
        upload: &mut Upload,
        attempts: &mut Attempts,
    ) -> Result<(), Error> {
        if blob.size > SMALL {
            let session = self.stream(blob, content, upload, attempts).await?;
            return self.finish(session, blob, Bytes::new(), attempts).await;
        }
        let session = match upload.take_session() {
            Some(session) => session,
            None => self.begin(attempts).await?.0,
        };
        let reader = content.open(BlobProgress::start(&blob.digest)).await?;
        self.finish(session, blob, reader.collect(SMALL).await?, attempts).await
    }

    async fn finish(
        &self,
        mut session: Url,
        blob: &Descriptor,
        rest: Bytes,
        attempts: &mut Attempts,
    ) -> Result<(), Error> {
        session.query_pairs_mut().append_pair("digest", blob.digest.as_str());
        let call = Call::new(Method::PUT, session, Access::Push, &[200, 201, 202, 204])
            .header(CONTENT_TYPE, OCTETS)
            .body(rest)
            // A registry that has to look at every byte once more takes its time.
            .patient(body::patience(blob.size));
        self.send_within(&call, attempts).await.map(drop)
    }
}

/// Where the next request of an upload goes.
fn location(response: &Response) -> Result<Url, Error> {
    let head = response.head();
    let said = response.text(LOCATION).ok_or_else(|| head.senseless("the answer has no Location"))?;
    let url = origin::resolve(&response.url, said)
        .ok_or_else(|| head.senseless("the answer's Location is no URL that an upload can go to"))?;
    if origin::is_downgrade(&response.url, &url) {
        return Err(head.senseless("the answer's Location would give up TLS"));
    }
    Ok(url)
}

/// Has the registry lost the upload, so that only a new one can succeed?
fn has_lost_the_upload(error: &Error) -> bool {
    match error {
        Error::Status { method, source, .. } => {
            let names_repository = source.codes().iter().any(|code| code == "NAME_UNKNOWN");
            method != "POST" && matches!(source.status().as_u16(), 404 | 416) && !names_repository
        }
        _ => false,
    }
}

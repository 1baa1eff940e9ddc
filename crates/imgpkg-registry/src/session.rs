//! Requests to one repository: with its credentials, following redirects, repeated where that helps.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue, Method};
use imgpkg_oci::Repository;
use url::Url;

use crate::auth::{Access, Authorizer, Challenge, Keychain};
use crate::budget::{Lane, Permit};
use crate::contact::{self, Contact, Door};
use crate::error::Error;
use crate::http::{Body, Head, Response, Transport};
use crate::origin::{self, Origin};
use crate::retry::Attempts;

const MOST_REDIRECTS: usize = 10;

/// A request to a repository.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) head: Head,
    access: Access,
    /// The status codes that are success.
    expected: &'static [u16],
    body: Bytes,
}

/// What is needed to talk about one repository.
pub(crate) struct Session {
    pub(crate) repository: Repository,
    pub(crate) transport: Arc<Transport>,
    door: Arc<Door>,
    authorizer: Authorizer,
}

impl Call {
    pub(crate) fn new(method: Method, url: Url, access: Access, expected: &'static [u16]) -> Self {
        Self { head: Head::new(method, url), access, expected, body: Bytes::new() }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.head = self.head.header(name, value);
        self
    }

    /// With a body that is small enough to be kept until the request has succeeded.
    #[must_use]
    pub(crate) fn body(mut self, body: Bytes) -> Self {
        self.head = self.head.header(CONTENT_LENGTH, HeaderValue::from(body.len()));
        self.body = body;
        self
    }

    /// About the bytes of a blob, which must come as they are.
    #[must_use]
    pub(crate) fn bulk(mut self) -> Self {
        self.head.bulk = true;
        self.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// With an answer that may take longer than usual.
    #[must_use]
    pub(crate) fn patient(mut self, patience: Duration) -> Self {
        self.head.patience = Some(patience);
        self
    }

    /// Only reading can be sent on to somebody else: what is written belongs to the registry that was asked.
    fn follows_redirects(&self) -> bool {
        matches!(self.head.method, Method::GET | Method::HEAD)
    }
}

impl Session {
    pub(crate) fn new(
        repository: Repository,
        transport: Arc<Transport>,
        door: Arc<Door>,
        keychain: Arc<Keychain>,
    ) -> Self {
        let authorizer = Authorizer::new(repository.clone(), keychain, Arc::clone(&transport));
        Self { repository, transport, door, authorizer }
    }

    /// A URL of this repository, such as `manifests/latest`.
    ///
    /// # Errors
    /// When there is no first contact with the registry.
    pub(crate) async fn url(&self, rest: &str) -> Result<Url, Error> {
        let base = self.contact().await?.base.clone();
        let path = format!("v2/{}/{rest}", self.repository.path());
        base.join(&path).map_err(|error| Error::Setup { problem: format!("{base}{path}: {error}") })
    }

    async fn contact(&self) -> Result<Arc<Contact>, Error> {
        self.door.contact().await
    }

    pub(crate) fn attempts(&self) -> Attempts {
        self.transport.retry.attempts()
    }

    /// Makes a request as often as it takes.
    ///
    /// # Errors
    /// When it fails for good, or too often.
    pub(crate) async fn send(&self, call: &Call) -> Result<Response, Error> {
        self.send_within(call, &mut self.attempts()).await
    }

    /// Makes a request that is one of several attempts at something larger.
    ///
    /// # Errors
    /// When it fails for good, or too often, everything counted together.
    pub(crate) async fn send_within(&self, call: &Call, attempts: &mut Attempts) -> Result<Response, Error> {
        loop {
            match self.send_once(call).await {
                Ok(response) => return Ok(response),
                Err(error) => attempts.pause(error).await?,
            }
        }
    }

    /// Makes a request and reads its answer, as often as it takes. The answer's headers come with it.
    ///
    /// # Errors
    /// As [`Session::send`], and when the answer is larger than `limit` bytes.
    pub(crate) async fn read(&self, call: &Call, limit: u64) -> Result<(Response, Bytes), Error> {
        let mut attempts = self.attempts();
        loop {
            let result = async {
                let mut response = self.send_once(call).await?;
                let body = response.document(limit).await?;
                Ok((response, body))
            };
            match result.await {
                Ok(answer) => return Ok(answer),
                Err(error) => attempts.pause(error).await?,
            }
        }
    }

    /// Makes a request once; but once more with better credentials, where the registry asks for them.
    ///
    /// # Errors
    /// When there is no answer, or another one than expected.
    pub(crate) async fn send_once(&self, call: &Call) -> Result<Response, Error> {
        let contact = self.contact().await?;
        let mut head = call.head.clone();
        let mut renewed = false;
        let mut redirects = 0;
        loop {
            let header = self.authorizer.header(&contact, &head.url, &call.access).await?;
            let body = Body::Bytes(call.body.clone());
            let response = self.transport.exchange(&head, header.as_ref(), body).await?;
            if call.expected.contains(&response.status().as_u16()) {
                return Ok(response);
            }
            if !renewed && self.renew(&contact, &response, header.as_ref(), &call.access).await {
                renewed = true;
                response.discard().await;
                continue;
            }
            match contact::redirect(&response).filter(|_| call.follows_redirects()) {
                Some(next) => {
                    redirects += 1;
                    if redirects > MOST_REDIRECTS {
                        return Err(call.head.senseless("too many redirects"));
                    }
                    // A blob's bytes are checked against its digest, wherever they come from; a tag has no such proof.
                    if origin::is_downgrade(&head.url, &next) && !call.head.bulk {
                        return Err(head.senseless("the redirect would give up TLS"));
                    }
                    head.url = next;
                    response.discard().await;
                }
                None => return Err(self.refusal(response, false).await),
            }
        }
    }

    /// Waits for a turn to send a large blob. It is taken before anything else that the upload needs, such as a download
    /// from the same host, because those never wait for uploads.
    ///
    /// # Errors
    /// When there is no first contact with the registry.
    pub(crate) async fn upload_turn(&self) -> Result<Permit, Error> {
        let contact = self.contact().await?;
        Ok(self.transport.host(&contact.base).turn(Lane::Upload).await)
    }

    /// Sends a body that can be read only once. If the registry wants better credentials, they are fetched, and the
    /// error is one that is worth another attempt.
    ///
    /// # Errors
    /// As [`Session::send_once`].
    pub(crate) async fn send_stream(
        &self,
        call: &Call,
        body: Body,
        turn: &Permit,
    ) -> Result<Response, Error> {
        let contact = self.contact().await?;
        let header = self.authorizer.header(&contact, &call.head.url, &call.access).await?;
        let response = self.transport.exchange_in_turn(&call.head, header.as_ref(), body, turn).await?;
        if call.expected.contains(&response.status().as_u16()) {
            return Ok(response);
        }
        let renewed = self.renew(&contact, &response, header.as_ref(), &call.access).await;
        Err(self.refusal(response, renewed).await)
    }

    /// Does the registry, and not somebody it sent us to, ask for other credentials, and can we give them?
    async fn renew(
        &self,
        contact: &Contact,
        response: &Response,
        used: Option<&HeaderValue>,
        access: &Access,
    ) -> bool {
        let refused = matches!(response.status().as_u16(), 401 | 403);
        if !refused || Origin::of(&response.url) != Origin::of(&contact.base) {
            return false;
        }
        match Challenge::of(response.headers()) {
            Some(challenge) => self.authorizer.refused(used, challenge, access).await,
            None => false,
        }
    }

    async fn refusal(&self, response: Response, renewed: bool) -> Error {
        let denied = matches!(response.status().as_u16(), 401 | 403);
        response
            .into_error(|refusal| {
                let refusal = if renewed { refusal.with_renewed() } else { refusal };
                if denied { refusal.with_hint(self.authorizer.describe()) } else { refusal }
            })
            .await
    }
}

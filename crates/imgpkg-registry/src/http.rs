//! One HTTP exchange: a request, its answer, and the words for what went wrong. Nothing here decides about credentials,
//! redirects or repetition; that is `session`'s.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use crate::budget::{Lane, Permit};
use crate::error::{Cause, CauseKind, Error, Refusal};
use crate::host::Host;
use crate::origin::{self, Origin};
use crate::retry::{self, Policy};
use crate::wait::{Wait, Waits};
use crate::{ClientOptions, proxy, redact, tls, trace};

/// How much of the body of an answer that is an error is read.
const ERROR_BODY_BYTES: usize = 8 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The connections, and what is known about every host.
pub(crate) struct Transport {
    /// For the many small requests; HTTP/2 where TLS agrees on it.
    small: reqwest::Client,
    /// For blobs: HTTP/1.1, because parallel connections carry more than parallel streams on one connection.
    bulk: reqwest::Client,
    hosts: Mutex<HashMap<Origin, Arc<Host>>>,
    session_id: HeaderValue,
    cap: Option<usize>,
    trace: Option<crate::Trace>,
    pub(crate) header_timeout: Duration,
    pub(crate) retry: Policy,
}

/// A request, but for its credentials and its body.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// Is this about a blob's bytes?
    pub(crate) bulk: bool,
    /// How long the answer may take, where it is not the usual time.
    pub(crate) patience: Option<Duration>,
}

/// The body of a request.
pub(crate) enum Body {
    /// None, or one that can be sent again.
    Bytes(Bytes),
    /// One that is made while it is sent. `progress` ends when it has been standing still for too long.
    Stream { body: reqwest::Body, progress: futures_util::future::BoxFuture<'static, Cause> },
}

/// An answer. It counts against its host's budget until it is dropped.
pub(crate) struct Response {
    pub(crate) method: Method,
    pub(crate) url: Url,
    inner: reqwest::Response,
    timeout: Duration,
    _permit: Option<Permit>,
}

impl Head {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), bulk: false, patience: None }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The failure of this request for a low-level cause.
    pub(crate) fn broken(&self, cause: Cause) -> Error {
        transport_error(&self.method, &self.url, cause)
    }

    /// The failure of this request because of an answer that makes no sense.
    pub(crate) fn senseless(&self, problem: impl Into<String>) -> Error {
        Error::Protocol {
            method: self.method.to_string(),
            url: redact::url(&self.url),
            problem: problem.into(),
        }
    }
}

fn transport_error(method: &Method, url: &Url, source: Cause) -> Error {
    // Get, Head, Post: as the reference's HTTP library spells them.
    let method = method.as_str();
    let method = method[..1].to_owned() + &method[1..].to_ascii_lowercase();
    Error::Transport { method, url: redact::url(url), source }
}

impl Transport {
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, Error> {
        let tls = tls::Trust::load(options)?;
        let build = |h2: bool| -> Result<reqwest::Client, Error> {
            let mut builder = reqwest::Client::builder()
                .user_agent(concat!("imgpkg-rs/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(CONNECT_TIMEOUT)
                .tcp_nodelay(true)
                .pool_max_idle_per_host(64)
                .no_proxy()
                .tls_backend_preconfigured(tls.config(h2)?);
            if !h2 {
                builder = builder.http1_only();
            }
            for proxy in proxy::from_environment(&options.environment)? {
                builder = builder.proxy(proxy);
            }
            builder.build().map_err(|error| Error::Setup { problem: Cause::of(&error).to_string() })
        };
        Ok(Self {
            small: build(true)?,
            bulk: build(false)?,
            hosts: Mutex::default(),
            session_id: HeaderValue::from(fastrand::u32(..) & 0x7fff_ffff),
            cap: options.max_requests_per_host,
            trace: options.trace.clone(),
            header_timeout: options.response_header_timeout,
            retry: Policy::new(
                options.retry_count,
                options.retry_pause,
                Waits::heard_by(options.on_wait.clone()),
            ),
        })
    }

    /// What is known about the host of a URL.
    pub(crate) fn host(&self, url: &Url) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(Origin::of(url)).or_insert_with(|| Arc::new(Host::new(self.cap)));
        Arc::clone(host)
    }

    /// Sends a request when it is its turn, and waits for the beginning of the answer.
    ///
    /// # Errors
    /// When there is no answer. Any status code is an answer.
    pub(crate) async fn exchange(
        &self,
        head: &Head,
        authorization: Option<&HeaderValue>,
        body: Body,
    ) -> Result<Response, Error> {
        let permit = self.host(&head.url).turn(Lane::Request).await;
        self.send(head, authorization, body, Some(permit)).await
    }

    /// Sends a request at once, outside its host's budget: one of the few that others wait for.
    ///
    /// # Errors
    /// As [`Transport::exchange`].
    pub(crate) async fn exchange_at_once(
        &self,
        head: &Head,
        authorization: Option<&HeaderValue>,
        body: Bytes,
    ) -> Result<Response, Error> {
        self.host(&head.url).wait().await;
        self.send(head, authorization, Body::Bytes(body), None).await
    }

    /// Sends a request for which the caller has waited already.
    ///
    /// # Errors
    /// As [`Transport::exchange`].
    pub(crate) async fn exchange_in_turn(
        &self,
        head: &Head,
        authorization: Option<&HeaderValue>,
        body: Body,
        _turn: &Permit,
    ) -> Result<Response, Error> {
        self.host(&head.url).wait().await;
        self.send(head, authorization, body, None).await
    }

    async fn send(
        &self,
        head: &Head,
        authorization: Option<&HeaderValue>,
        body: Body,
        permit: Option<Permit>,
    ) -> Result<Response, Error> {
        let client = if head.bulk { &self.bulk } else { &self.small };
        let mut headers = head.headers.clone();
        headers.insert(HeaderName::from_static("imgpkg-session-id"), self.session_id.clone());
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.clone());
        }
        self.tell(|| trace::event(&format!("--> {} {}", head.method, redact::url(&head.url)), &headers));
        let started = Instant::now();
        let request = client.request(head.method.clone(), head.url.clone()).headers(headers);
        let result = match body {
            Body::Bytes(bytes) => {
                let request = if bytes.is_empty() { request } else { request.body(bytes) };
                in_time(head.patience.unwrap_or(self.header_timeout), request.send()).await
            }
            Body::Stream { body, progress } => tokio::select! {
                result = request.body(body).send() => result.map_err(|error| Cause::of(&error)),
                cause = progress => Err(cause),
            },
        };
        let host = self.host(&head.url);
        match result {
            Ok(inner) => {
                self.note(&host, &inner);
                self.tell(|| {
                    let line = format!(
                        "<-- {} {} ({:.2?})",
                        inner.status().as_u16(),
                        redact::url(&head.url),
                        started.elapsed()
                    );
                    trace::event(&line, inner.headers())
                });
                Ok(Response {
                    method: head.method.clone(),
                    url: head.url.clone(),
                    inner,
                    timeout: self.header_timeout,
                    _permit: permit,
                })
            }
            Err(cause) => {
                if matches!(cause.kind(), CauseKind::Timeout | CauseKind::ConnectTimeout) {
                    host.overload();
                }
                self.tell(|| format!("<-- {} {}: {cause}", head.method, redact::url(&head.url)));
                Err(head.broken(cause))
            }
        }
    }

    /// Takes note of how the host is doing.
    fn note(&self, host: &Host, response: &reqwest::Response) {
        let status = response.status();
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => host.overload(),
            StatusCode::REQUEST_TIMEOUT => {}
            _ if status.is_server_error() => {}
            _ => return host.success(),
        }
        if let Some(wait) = retry_after(response.headers()).filter(|wait| !retry::is_too_long(*wait)) {
            host.leave_alone(wait);
            if !wait.is_zero() {
                let host = origin::shown(response.url());
                self.retry.waits.tell(|| Wait { host, time: wait, reason: status.to_string(), asked: true });
            }
        }
    }

    fn tell(&self, text: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace(&text());
        }
    }
}

async fn in_time(
    limit: Duration,
    answer: impl Future<Output = reqwest::Result<reqwest::Response>>,
) -> Result<reqwest::Response, Cause> {
    match tokio::time::timeout(limit, answer).await {
        Ok(result) => result.map_err(|error| Cause::of(&error)),
        Err(_) => Err(Cause::no_headers()),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    retry::retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, SystemTime::now())
}

impl Response {
    pub(crate) fn status(&self) -> StatusCode {
        self.inner.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// The value of a header, if it has one that is text.
    pub(crate) fn text(&self, name: HeaderName) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    pub(crate) fn head(&self) -> Head {
        Head::new(self.method.clone(), self.url.clone())
    }

    /// The next piece of the body.
    ///
    /// # Errors
    /// When the connection breaks, or nothing comes for as long as an answer may take to begin.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match tokio::time::timeout(self.timeout, self.inner.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => {
                let cause = Cause::of(&error);
                let cause = match cause.kind() {
                    CauseKind::Other => Cause::new(CauseKind::Broken, cause.to_string()),
                    _ => cause,
                };
                Err(transport_error(&self.method, &self.url, cause))
            }
            Err(_) => {
                let cause = Cause::stalled(self.timeout.as_secs());
                Err(transport_error(&self.method, &self.url, cause))
            }
        }
    }

    /// The whole body, if it is not larger than `limit`.
    ///
    /// # Errors
    /// When it is larger, and as [`Response::chunk`].
    pub(crate) async fn document(&mut self, limit: u64) -> Result<Bytes, Error> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len() as u64 + chunk.len() as u64 > limit {
                let url = redact::url(&self.url);
                return Err(Error::TooLarge { method: self.method.to_string(), url, limit });
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.into())
    }

    /// Reads what little there is, so that the connection can be used again.
    pub(crate) async fn discard(mut self) {
        let mut read = 0;
        while read < ERROR_BODY_BYTES {
            match self.chunk().await {
                Ok(Some(chunk)) => read += chunk.len(),
                _ => return,
            }
        }
    }

    /// The error that this answer is. `describe` may add to what the registry said.
    pub(crate) async fn into_error(mut self, describe: impl FnOnce(Refusal) -> Refusal) -> Error {
        let mut body = Vec::new();
        if self.method != Method::HEAD {
            while body.len() < ERROR_BODY_BYTES {
                match self.chunk().await {
                    Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                    _ => break,
                }
            }
            body.truncate(ERROR_BODY_BYTES);
        }
        let shown = (self.method != Method::HEAD).then_some(body.as_slice());
        let wait = retry_after(self.headers());
        let refusal = describe(Refusal::new(self.status(), shown).with_retry_after(wait));
        let error = Error::Status {
            method: self.method.to_string(),
            url: redact::url(&self.url),
            source: Box::new(refusal),
        };
        match wait.filter(|wait| retry::is_too_long(*wait)) {
            Some(wait) if error.is_temporary() => {
                let Origin { host, port, .. } = Origin::of(&self.url);
                Error::Busy {
                    host: format!("{host}:{port}"),
                    seconds: wait.as_secs(),
                    source: Box::new(error),
                }
            }
            _ => error,
        }
    }
}

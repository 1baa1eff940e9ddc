//! A server that answers as a test says, and remembers what it was asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use imgpkg_oci::{
    BlobOpener, BlobProgress, BlobReader, Descriptor, Digest, MediaType, Repository, StoreResult,
};
use imgpkg_registry::{Client, ClientOptions, Environment, RepositoryClient};

/// A request that was received.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    /// `GET /v2/`: what is compared in tests.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    /// How many bytes are announced but not sent, and what happens instead.
    cut: Option<Cut>,
}

#[derive(Debug, Clone, Copy)]
enum Cut {
    Close(usize),
    Stall(usize),
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), cut: None }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Closes the connection after `sent` bytes of the body.
    pub(crate) fn cut_after(mut self, sent: usize) -> Self {
        self.cut = Some(Cut::Close(sent));
        self
    }

    /// Sends nothing more after `sent` bytes of the body, but keeps the connection.
    pub(crate) fn stall_after(mut self, sent: usize) -> Self {
        self.cut = Some(Cut::Stall(sent));
        self
    }

    fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let Some(cut) = self.cut else { return response.body(Body::from(self.body)).unwrap() };
        let (Cut::Close(sent) | Cut::Stall(sent)) = cut;
        let first = futures_util::stream::once(std::future::ready(Ok(self.body.slice(..sent))));
        let end = futures_util::stream::once(async move {
            // Let the bytes get out before the connection goes.
            tokio::time::sleep(Duration::from_millis(30)).await;
            if matches!(cut, Cut::Stall(_)) {
                std::future::pending::<()>().await;
            }
            Err(std::io::Error::other("cut"))
        });
        response.header("content-length", self.body.len()).body(Body::from_stream(first.chain(end))).unwrap()
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) host: String,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server that answers with what `script` returns.
    pub(crate) async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (script, kept) = (Arc::new(script), Arc::clone(&log));
        let app = Router::new().fallback(move |request: Request| {
            let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
            async move {
                let (parts, body) = request.into_parts();
                let seen = Seen {
                    method: parts.method.to_string(),
                    target: parts.uri.path_and_query().unwrap().to_string(),
                    headers: parts.headers,
                    body: axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default(),
                    at: Instant::now(),
                };
                kept.lock().unwrap().push(seen.clone());
                script(&seen).into_response()
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { host, log }
    }

    /// Starts a registry that wants no credentials: `script` is only asked about what follows first contact.
    pub(crate) async fn open(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(move |seen| if seen.target == "/v2/" { Reply::new(200) } else { script(seen) }).await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    /// Method and target of every request but first contact.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).filter(|line| line != "GET /v2/").collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    pub(crate) fn repository(&self, path: &str) -> Repository {
        Repository::parse(&format!("{}/{path}", self.host)).unwrap()
    }

    /// The repository `a/b`, seen by a new client.
    pub(crate) fn client(&self) -> Arc<RepositoryClient> {
        client(options()).repository(&self.repository("a/b"))
    }
}

/// Options for tests: no waiting, nothing from the real environment.
pub(crate) fn options() -> ClientOptions {
    ClientOptions {
        environment: Environment::default(),
        retry_pause: Duration::from_millis(2),
        response_header_timeout: Duration::from_secs(10),
        ..ClientOptions::default()
    }
}

pub(crate) fn client(options: ClientOptions) -> Client {
    Client::new(options).unwrap()
}

/// The error and its causes, as the command line prints them.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

pub(crate) fn describe(content: &[u8]) -> Descriptor {
    Descriptor::new(MediaType::default(), Digest::sha256_of(content), content.len() as u64)
}

/// Answers in turn; the last one for ever.
pub(crate) fn in_turn(replies: Vec<Reply>) -> impl Fn() -> Reply {
    let next = AtomicUsize::new(0);
    move || {
        let at = next.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1);
        replies[at].clone()
    }
}

/// Content for an upload.
pub(crate) struct Content {
    pub(crate) bytes: Bytes,
    pub(crate) mount_from: Option<Repository>,
    pub(crate) opened: AtomicUsize,
}

impl Content {
    pub(crate) fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), mount_from: None, opened: AtomicUsize::new(0) }
    }
}

impl BlobOpener for Content {
    fn open(&self, from: BlobProgress) -> BoxFuture<'_, StoreResult<BlobReader>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let rest = self.bytes.slice(usize::try_from(from.offset()).unwrap()..);
        let chunks: Vec<_> = rest.chunks(100_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let reader =
            BlobReader::resumed(describe(&self.bytes), from, futures_util::stream::iter(chunks).boxed());
        Box::pin(std::future::ready(Ok(reader)))
    }

    fn mount_from(&self) -> Option<&Repository> {
        self.mount_from.as_ref()
    }
}

/// So many bytes, not all alike.
pub(crate) fn bytes(count: usize) -> Bytes {
    (0..count).map(|at| (at % 251) as u8).collect::<Vec<_>>().into()
}

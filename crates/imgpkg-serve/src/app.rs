//! One request and its answer: who handles it, and what every answer has.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use oci_spec::distribution::ErrorCode;
use tokio::sync::watch;

use crate::api_error::{ApiError, ApiResult};
use crate::endpoint::{blob, manifest, referrer, tag, upload};
use crate::route::{Query, Route};
use crate::storage::Storage;
use crate::upload::Uploads;
use crate::{RequestObserver, RequestSummary, StorageFailure, StorageFailureObserver};

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// How much of a body that nobody wants is read, so that the client gets to see why before the connection closes.
const MAX_DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// How long that may take.
const MAX_DRAIN: Duration = Duration::from_secs(2);

/// What all requests share.
pub(crate) struct App {
    pub(crate) storage: Arc<Storage>,
    pub(crate) uploads: Arc<Uploads>,
    read_only: bool,
    observers: Observers,
    aborted: watch::Receiver<bool>,
}

/// Who is told about what.
pub(crate) struct Observers {
    pub(crate) on_request: Option<RequestObserver>,
    pub(crate) on_storage_failure: Option<StorageFailureObserver>,
}

/// One request, taken apart, except for its body.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) parts: &'a Parts,
    pub(crate) query: Query,
}

impl Call<'_> {
    /// A header of the request, if it is there and is text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn is_head(&self) -> bool {
        self.parts.method == Method::HEAD
    }
}

impl App {
    pub(crate) fn new(
        storage: Storage,
        read_only: bool,
        observers: Observers,
        aborted: watch::Receiver<bool>,
    ) -> Self {
        let storage = Arc::new(storage);
        let uploads = Arc::new(Uploads::new(Arc::clone(&storage)));
        Self { storage, uploads, read_only, observers, aborted }
    }

    /// Names of repositories have any number of components, which a router's patterns cannot express: everything goes
    /// to one handler. It takes the body as a stream, so that the framework's limit for whole bodies does not apply.
    pub(crate) fn into_router(self) -> Router {
        Router::new().fallback(handle).with_state(Arc::new(self))
    }

    async fn answer(&self, parts: &Parts, body: &mut BodyDataStream) -> ApiResult {
        let method = &parts.method;
        let route = Route::parse(method, parts.uri.path())?;
        let allowed = route.methods();
        let is_write = !matches!(*method, Method::GET | Method::HEAD);
        if !allowed.contains(method) {
            let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
            return Err(unsupported(format!("{method} is not possible here"))
                .with_header(header::ALLOW, &names.join(", ")));
        }
        if is_write && self.read_only {
            return Err(unsupported("this registry is read-only").with_header(header::ALLOW, "GET, HEAD"));
        }
        let call = Call { app: self, parts, query: Query::of(&parts.uri) };
        match route {
            Route::Base => Ok(json(&serde_json::json!({}))),
            Route::Catalog => tag::catalog(&call).await,
            Route::Tags(name) => tag::list(&call, name).await,
            Route::Referrers(name, digest) => referrer::list(&call, name, digest).await,
            Route::Manifest(name, reference) => match *method {
                Method::PUT => manifest::put(&call, body, name, reference).await,
                Method::DELETE => manifest::delete(&call, name, reference).await,
                _ => manifest::get(&call, name, reference).await,
            },
            Route::Blob(name, digest) => match *method {
                Method::DELETE => blob::delete(&call, name, digest).await,
                _ => blob::get(&call, name, digest).await,
            },
            Route::Uploads(name) => upload::start(&call, body, name).await,
            Route::Upload(name, id) => match *method {
                Method::PATCH => upload::append(&call, body, name, id).await,
                Method::PUT => upload::finish(&call, body, name, id).await,
                Method::DELETE => upload::cancel(&call, &name, &id).await,
                _ => upload::status(&call, &name, &id).await,
            },
        }
    }
}

impl App {
    /// Tells whoever runs the registry about a failure of its storage.
    fn report(&self, parts: &Parts, error: &ApiError) {
        if let (Some(observer), Some(reason)) = (&self.observers.on_storage_failure, error.storage_failure())
        {
            let (method, uri) = (parts.method.clone(), parts.uri.clone());
            observer(&StorageFailure { method, uri, reason: reason.to_string() });
        }
    }
}

fn unsupported(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message)
}

/// An answer that is a small JSON document.
pub(crate) fn json(document: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(document.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let mut aborted = app.aborted.clone();
    let outcome = tokio::select! {
        outcome = app.answer(&parts, &mut body) => outcome,
        _ = aborted.wait_for(|aborted| *aborted) => {
            Err(ApiError::other(StatusCode::SERVICE_UNAVAILABLE, "UNKNOWN", "the registry is stopping"))
        }
    };
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => {
            app.report(&parts, &error);
            // Who asked whether to send the body at all has not sent it, and must not be told to.
            if !parts.headers.contains_key(header::EXPECT) {
                drain(&mut body).await;
            }
            error.into_response()
        }
    };
    response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    if let Some(observer) = &app.observers.on_request {
        let Parts { method, uri, headers, .. } = parts;
        observer(&RequestSummary { method, uri, headers, status: response.status() });
    }
    response
}

/// Reads what is left of a body: a connection that is closed with unread bytes is reset, and the answer may be lost.
async fn drain(body: &mut BodyDataStream) {
    let reading = async {
        let mut left = MAX_DRAINED_BYTES;
        while let Some(Ok(chunk)) = body.next().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Either way the answer goes out next.
    let _ = tokio::time::timeout(MAX_DRAIN, reading).await;
}

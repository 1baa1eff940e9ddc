//! What a registry is started with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode, Uri};

/// Where a registry keeps its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageLocation {
    /// A directory, made if it is missing, that outlives the server. Everything is synced to disk before it is confirmed.
    Directory(PathBuf),
    /// A temporary directory that is removed when the server stops. Nothing is synced.
    Temporary,
}

/// One request that has been answered.
#[derive(Debug, Clone)]
pub struct RequestSummary {
    /// The method.
    pub method: Method,
    /// Path and query as the client sent them.
    pub uri: Uri,
    /// The headers of the request.
    pub headers: HeaderMap,
    /// The status of the answer.
    pub status: StatusCode,
}

/// Told about every request once its answer is known, and before the answer's body is sent.
pub type RequestObserver = Arc<dyn Fn(&RequestSummary) + Send + Sync>;

/// A request that could not be done because of the registry's own storage: no room is left, or the disk fails.
#[derive(Debug, Clone)]
pub struct StorageFailure {
    /// The method.
    pub method: Method,
    /// Path and query as the client sent them.
    pub uri: Uri,
    /// What the system said, in words: `no space left on device`.
    pub reason: String,
}

/// Told about every request that the storage let down, before its answer is sent.
pub type StorageFailureObserver = Arc<dyn Fn(&StorageFailure) + Send + Sync>;

/// What a registry is started with. The default is a temporary registry on a free port of the loopback interface.
#[derive(Clone)]
pub struct ServeOptions {
    /// Where the content lives.
    pub storage: StorageLocation,
    /// Are all writes refused?
    pub read_only: bool,
    /// The address to listen on; port 0 is any free one.
    pub listen: SocketAddr,
    /// May everybody write who can reach an address that is not a loopback one?
    pub allow_anonymous_writes: bool,
    /// Told about every request; for logs, and for tests that count.
    pub on_request: Option<RequestObserver>,
    /// Told about every failure of the storage; clients are told too, but who runs the registry has to act.
    pub on_storage_failure: Option<StorageFailureObserver>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            storage: StorageLocation::Temporary,
            read_only: false,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_anonymous_writes: false,
            on_request: None,
            on_storage_failure: None,
        }
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("storage", &self.storage)
            .field("read_only", &self.read_only)
            .field("listen", &self.listen)
            .field("allow_anonymous_writes", &self.allow_anonymous_writes)
            .field("on_request", &self.on_request.is_some())
            .field("on_storage_failure", &self.on_storage_failure.is_some())
            .finish()
    }
}

//! A registry bound to its address.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::app::{App, Observers};
use crate::storage::Storage;
use crate::{Error, ServeOptions, StorageLocation};

/// How long requests in flight may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How often the removal of a temporary directory is tried, in case a last write was still going on.
const REMOVAL_ATTEMPTS: u32 = 3;

/// A registry that is bound to its address and not yet running: connections wait until [`Server::run`].
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: axum::Router,
    /// Tells requests that are still in flight to end.
    abort: watch::Sender<bool>,
    /// The directory that goes when the server goes.
    temporary: Option<TempDir>,
}

impl Server {
    /// Binds the address and opens the storage.
    ///
    /// # Errors
    /// When the address is not a loopback one and everybody could write, when it is in use, or when the directory
    /// cannot be used: another server has it, or it holds something else.
    pub async fn bind(options: ServeOptions) -> Result<Self, Error> {
        let ServeOptions {
            storage,
            read_only,
            listen,
            allow_anonymous_writes,
            on_request,
            on_storage_failure,
        } = options;
        let observers = Observers { on_request, on_storage_failure };
        if !listen.ip().to_canonical().is_loopback() && !read_only && !allow_anonymous_writes {
            return Err(Error::OpenToWrites { address: listen });
        }
        let listener = TcpListener::bind(listen).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => Error::AddressInUse { address: listen },
            _ => Error::Listen { address: listen, source: source.into() },
        })?;
        let address =
            listener.local_addr().map_err(|error| Error::Listen { address: listen, source: error.into() })?;
        let (storage, temporary) = open(storage, read_only)?;
        let (abort, aborted) = watch::channel(false);
        let app = App::new(storage, read_only, observers, aborted).into_router();
        Ok(Self { listener, address, app, abort, temporary })
    }

    /// The address it listens on, with the port that was chosen if any was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` completes. Then nothing new is accepted, requests in flight get a few seconds
    /// to finish, and a temporary directory is removed.
    ///
    /// # Errors
    /// When connections cannot be accepted any more, or the temporary directory cannot be removed.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let Self { listener, address, app, abort, temporary } = self;
        let (stopping, stopped) = oneshot::channel();
        let signal = async move {
            shutdown.await;
            // The receiver is only gone when nobody waits for the requests in flight any more.
            let _ = stopping.send(());
        };
        // Small answers must not wait for the acknowledgement of earlier ones. A socket that refuses the option works.
        let listener = listener.tap_io(|socket| {
            let _ = socket.set_nodelay(true);
        });
        let serving = axum::serve(listener, app).with_graceful_shutdown(signal);
        let overdue = async {
            // Without a signal there is nothing to be overdue: the server ended, or the caller's future was dropped.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(GRACE).await;
        };
        let result = tokio::select! {
            result = serving => result,
            () = overdue => Ok(()),
        };
        abort.send_replace(true);
        if let Some(directory) = temporary {
            remove(directory).await?;
        }
        result.map_err(|error| Error::Serve { address, source: error.into() })
    }
}

fn open(location: StorageLocation, read_only: bool) -> Result<(Storage, Option<TempDir>), Error> {
    match location {
        StorageLocation::Directory(directory) => Ok((Storage::open(&directory, read_only)?, None)),
        StorageLocation::Temporary => {
            let directory = tempfile::Builder::new().prefix("imgpkg-serve-").tempdir().map_err(|source| {
                Error::Storage {
                    action: "creating a temporary directory in",
                    path: std::env::temp_dir(),
                    source: source.into(),
                }
            })?;
            Ok((Storage::open_temporary(directory.path())?, Some(directory)))
        }
    }
}

async fn remove(directory: TempDir) -> Result<(), Error> {
    let path = directory.path().to_owned();
    let mut attempts = 1;
    loop {
        let doomed = path.clone();
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(doomed))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        match removed {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(_) if attempts < REMOVAL_ATTEMPTS => {
                attempts += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => {
                let action = "removing the temporary directory";
                return Err(Error::Storage { action, path, source: error.into() });
            }
        }
    }
}

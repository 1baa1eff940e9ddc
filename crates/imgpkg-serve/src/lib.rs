//! An OCI registry over a directory: what `imgpkg serve` runs, and what the behaviour tests push to and pull from. It
//! follows the OCI distribution specification 1.1. Content is streamed to disk while it is hashed and appears under its
//! name only when its digest has been verified, so memory stays flat and a crash leaves nothing that looks whole. An upload whose connection breaks can go on where it
//! was; one that a restart of the server interrupts starts again.
//!
//! Three types to know: [`ServeOptions`] says where content lives and who may write it, [`Server`] is the registry bound
//! to its address, and [`Error`] is why it could not start or go on.
//!
//! ```
//! use imgpkg_serve::{ServeOptions, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), imgpkg_serve::Error> {
//! // A temporary directory, removed at the end, on a free port of the loopback interface.
//! let server = Server::bind(ServeOptions::default()).await?;
//! assert!(server.local_addr().ip().is_loopback());
//! // `run` serves until the future it is given completes.
//! server.run(async {}).await?;
//! # Ok(())
//! # }
//! ```

mod api_error;
mod app;
mod disk;
mod endpoint;
pub mod error;
mod name;
pub mod options;
mod page;
mod range;
mod route;
pub mod server;
mod storage;
mod upload;

pub use error::Error;
pub use options::{
    RequestObserver, RequestSummary, ServeOptions, StorageFailure, StorageFailureObserver, StorageLocation,
};
pub use server::Server;

//! One registry as a client sees it (OCI distribution specification 1.1): contact, credentials, retries, manifests,
//! blobs and tags. It is the only crate that speaks HTTP as a client.
//!
//! Three types to know: a [`Client`] is made once from [`ClientOptions`] and shared; it hands out one
//! [`RepositoryClient`] per repository, which is a [`Source`](imgpkg_oci::Source) and a
//! [`Destination`](imgpkg_oci::Destination); what goes wrong is an [`Error`].
//!
//! ```no_run
//! use imgpkg_oci::{Reference, Source as _};
//! use imgpkg_registry::{Client, ClientOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(ClientOptions::default())?;
//! let reference = Reference::parse("localhost:5000/app:1.0")?;
//! let repository = client.repository(reference.repository());
//! let manifest = repository.manifest(&reference.target()).await?;
//! println!("{} has {} bytes", manifest.digest(), manifest.bytes().len());
//! # Ok(())
//! # }
//! ```

mod auth;
mod budget;
mod client;
mod contact;
mod download;
mod environment;
mod error;
mod host;
mod http;
mod manifest;
mod options;
mod origin;
mod proxy;
mod redact;
mod repository;
mod retry;
mod secret;
mod session;
mod single_flight;
mod tag;
mod tls;
mod trace;
mod upload;
mod wait;

pub use client::Client;
pub use environment::Environment;
pub use error::{Cause, CauseKind, Error, Refusal};
pub use options::{ClientOptions, Login};
pub use repository::RepositoryClient;
pub use secret::Secret;
pub use trace::Trace;
pub use wait::{Wait, WaitListener};

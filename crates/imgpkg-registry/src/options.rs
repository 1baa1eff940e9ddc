//! How a client behaves.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::trace::Trace;
use crate::wait::WaitListener;
use crate::{Environment, Secret};

/// What the user said about credentials. It goes to every registry that is contacted.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// `--registry-username`; `IMGPKG_USERNAME` where it is not given.
    pub username: Option<String>,
    /// `--registry-password`; `IMGPKG_PASSWORD` where it is not given.
    pub password: Option<Secret>,
    /// `--registry-token`; `IMGPKG_TOKEN` where it is not given. Sent as it is, as a bearer token.
    pub token: Option<Secret>,
    /// `--registry-anon`; also set by `IMGPKG_ANON=true`.
    pub anonymous: bool,
}

/// How a [`Client`](crate::Client) behaves. The default is that of the command line without any flags.
#[derive(Clone)]
pub struct ClientOptions {
    /// Files with certificates (PEM, several in one file allowed) that are trusted besides the platform's own.
    pub ca_cert_paths: Vec<PathBuf>,
    /// Are certificates and host names checked?
    pub verify_certs: bool,
    /// May plain http be used with any registry, where https does not answer?
    pub insecure: bool,
    /// How long a registry may take to begin its answer, and how long a body may stand still.
    pub response_header_timeout: Duration,
    /// How many attempts in a row are made without any progress, the first one included; 0 means 1.
    pub retry_count: u32,
    /// The first pause between two attempts; each later one is twice as long, up to thirty times this.
    pub retry_pause: Duration,
    /// What the user said about credentials.
    pub login: Login,
    /// The environment variables to look at.
    pub environment: Environment,
    /// The most requests at a time to one host. Uploads of large blobs are counted apart from everything else, because
    /// they may have to wait for a download from the same host.
    pub max_requests_per_host: Option<usize>,
    /// Told about every request and answer, secrets blanked.
    pub trace: Option<Trace>,
    /// Told about every pause that a registry asked for or a failure made necessary.
    pub on_wait: Option<WaitListener>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            ca_cert_paths: Vec::new(),
            verify_certs: true,
            insecure: false,
            response_header_timeout: Duration::from_secs(30),
            retry_count: 5,
            retry_pause: Duration::from_secs(1),
            login: Login::default(),
            environment: Environment::of_process(),
            max_requests_per_host: None,
            trace: None,
            on_wait: None,
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("ca_cert_paths", &self.ca_cert_paths)
            .field("verify_certs", &self.verify_certs)
            .field("insecure", &self.insecure)
            .field("response_header_timeout", &self.response_header_timeout)
            .field("retry_count", &self.retry_count)
            .field("retry_pause", &self.retry_pause)
            .field("login", &self.login)
            .field("max_requests_per_host", &self.max_requests_per_host)
            .finish_non_exhaustive()
    }
}

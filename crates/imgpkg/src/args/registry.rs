//! The flags that say how registries are reached, and who we are there.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgAction;
use imgpkg_registry::{ClientOptions, Environment, Login, Secret};

use super::value::{self, CsvRecord};

/// What `--registry-response-header-timeout 0` stands for: longer than anyone waits.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The registry flags as they were typed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RegistryArgs {
    /// Add CA certificates for registry API (format: /tmp/foo) (can be specified multiple times)
    #[arg(long, value_parser = value::csv_record)]
    pub(crate) registry_ca_cert_path: Vec<CsvRecord>,
    /// Set whether to verify server's certificate chain and host name
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "true")]
    pub(crate) registry_verify_certs: bool,
    /// Allow the use of http when interacting with registries
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) registry_insecure: bool,
    /// Set username for auth ($IMGPKG_USERNAME)
    #[arg(long)]
    pub(crate) registry_username: Option<String>,
    /// Set password for auth ($IMGPKG_PASSWORD)
    #[arg(long)]
    pub(crate) registry_password: Option<Secret>,
    /// Set token for auth ($IMGPKG_TOKEN)
    #[arg(long)]
    pub(crate) registry_token: Option<Secret>,
    /// Set anonymous auth ($IMGPKG_ANON)
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) registry_anon: bool,
    /// Maximum time to allow a request to wait for a server's response headers from the registry (ms|s|m|h)
    #[arg(long, value_parser = value::duration, default_value = "30s")]
    pub(crate) registry_response_header_timeout: Duration,
    /// Set the number of times imgpkg retries to send requests to the registry in case of an error
    #[arg(long, value_parser = value::integer, default_value = "5")]
    pub(crate) registry_retry_count: i64,
}

impl RegistryArgs {
    /// How a client behaves that these flags are given to. Where they leave credentials open, the client looks at the
    /// environment variables which their help texts name. A flag with an empty value counts as not given.
    pub(crate) fn options(&self, environment: Environment) -> ClientOptions {
        let timeout = self.registry_response_header_timeout;
        ClientOptions {
            ca_cert_paths: value::items(&self.registry_ca_cert_path).into_iter().map(PathBuf::from).collect(),
            verify_certs: self.registry_verify_certs,
            insecure: self.registry_insecure,
            response_header_timeout: if timeout.is_zero() { NO_LIMIT } else { timeout },
            retry_count: u32::try_from(self.registry_retry_count.max(0)).unwrap_or(u32::MAX),
            login: Login {
                username: self.registry_username.clone().filter(|name| !name.is_empty()),
                password: self.registry_password.clone().filter(|secret| !secret.is_empty()),
                token: self.registry_token.clone().filter(|secret| !secret.is_empty()),
                anonymous: self.registry_anon,
            },
            environment,
            ..ClientOptions::default()
        }
    }
}

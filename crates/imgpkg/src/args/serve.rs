//! `imgpkg serve`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::ArgAction;

use super::ArgumentError;
use super::value;

const LONG: &str = "\
Runs a registry in this process, over a directory: to try things out, for tests, and for places that have none. It speaks
the OCI distribution specification 1.1 over plain http. Without --dir it keeps what it is given in a temporary directory
and removes that at its end. Once it is ready, the first line on stdout is `Listening on` and its address.";

const EXAMPLES: &str = "  # A registry to try things out, gone when it is stopped with Ctrl-C
  imgpkg serve

  # A registry that keeps its content in a directory, on a free port
  imgpkg serve --dir /srv/registry --listen 127.0.0.1:0

  # Let others read what is in a directory
  imgpkg serve --dir /srv/registry --listen 0.0.0.0:5000 --read-only";

/// What was typed behind `imgpkg serve`.
#[derive(Debug, Clone, clap::Args)]
#[command(about = "Serve a directory as an OCI registry", long_about = LONG, after_long_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Directory to keep content in (default: a temporary one, removed at the end)
    #[arg(long, value_parser = value::path())]
    pub(crate) dir: Option<PathBuf>,
    /// Address to listen on; port 0 is any free one
    #[arg(long, default_value = "127.0.0.1:5000")]
    pub(crate) listen: String,
    /// Refuse everything that would change content
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) read_only: bool,
    /// Let anyone who can reach an address that is not loopback write
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) allow_anonymous_writes: bool,
}

/// What `serve` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServeRequest {
    /// The directory; `None` is a temporary one.
    pub(crate) directory: Option<PathBuf>,
    /// The address.
    pub(crate) listen: SocketAddr,
    /// Is everything refused that would change content?
    pub(crate) read_only: bool,
    /// May an address that others reach be written to?
    pub(crate) allow_anonymous_writes: bool,
}

impl ServeArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    /// When the address is none, or open to the world without the user saying so.
    pub(crate) fn request(&self) -> Result<ServeRequest, ArgumentError> {
        let listen = address(&self.listen).ok_or(ArgumentError::Listen { text: self.listen.clone() })?;
        if !listen.ip().is_loopback() && !self.read_only && !self.allow_anonymous_writes {
            return Err(ArgumentError::OpenToAll { address: listen });
        }
        let directory = self.dir.clone();
        if directory.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return Err(ArgumentError::Empty { flag: "dir" });
        }
        Ok(ServeRequest {
            directory,
            listen,
            read_only: self.read_only,
            allow_anonymous_writes: self.allow_anonymous_writes,
        })
    }
}

/// An address with a port; `localhost` is understood without asking a resolver.
fn address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => port.parse().ok().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        None => text.parse().ok(),
    }
}

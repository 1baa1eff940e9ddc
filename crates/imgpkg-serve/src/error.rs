//! Why a registry cannot start, or cannot go on.

use std::net::SocketAddr;
use std::path::PathBuf;

use imgpkg_oci::SystemError;

/// Why a registry cannot start, or cannot go on. What a client does wrong is answered to that client and never ends here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Everybody who reaches the address could overwrite images, and nobody said that this is wanted.
    #[error(
        "{address} can be reached from other machines, and this registry asks nobody for a password: \
         listen on 127.0.0.1, or serve read-only, or allow anonymous writes"
    )]
    OpenToWrites {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Another process listens on the address.
    #[error("{address} is already in use by another process; choose another port, or 0 for any free one")]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Listening on the address failed for another reason.
    #[error("listening on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What happened.
        source: SystemError,
    },
    /// Another server works on the directory.
    #[error("{} is being served by another process", directory.display())]
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory has content that no registry of this kind has written.
    #[error(
        "{} is neither empty nor a registry's directory (it has '{entry}' and no {lock_file})",
        directory.display()
    )]
    ForeignDirectory {
        /// The directory.
        directory: PathBuf,
        /// One of the things in it.
        entry: String,
        /// The file that every registry's directory has.
        lock_file: &'static str,
    },
    /// What should be the directory is something else.
    #[error("{} is not a directory (hint: name a directory, or one that can be made)", path.display())]
    NotADirectory {
        /// What was given.
        path: PathBuf,
    },
    /// The directory cannot be prepared, or a temporary one not removed.
    #[error("{action} {}", path.display())]
    Storage {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What happened.
        source: SystemError,
    },
    /// Accepting connections failed.
    #[error("serving {address}")]
    Serve {
        /// The address served.
        address: SocketAddr,
        /// What happened.
        source: SystemError,
    },
}

//! All registries, as one client sees them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use imgpkg_oci::{Registry, Repositories, Repository, Source};

use crate::auth::Keychain;
use crate::contact::Door;
use crate::error::Error;
use crate::http::Transport;
use crate::session::Session;
use crate::{ClientOptions, RepositoryClient};

/// A client of any number of registries. Cloning it is cheap, and the clones share connections, credentials and what is
/// known about each host.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Arc<Transport>,
    keychain: Arc<Keychain>,
    insecure: bool,
    doors: Mutex<HashMap<Registry, Arc<Door>>>,
    repositories: Mutex<HashMap<Repository, Arc<RepositoryClient>>>,
}

impl Client {
    /// A client that behaves as the options say. No registry is contacted yet.
    ///
    /// # Errors
    /// When a certificate file cannot be used, or a proxy variable is no URL.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        let shared = Shared {
            transport: Arc::new(Transport::new(&options)?),
            keychain: Arc::new(Keychain::new(&options)),
            insecure: options.insecure,
            doors: Mutex::default(),
            repositories: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The repository of this name, the same one for everybody who asks.
    pub fn repository(&self, repository: &Repository) -> Arc<RepositoryClient> {
        let mut repositories = self.shared.repositories.lock().unwrap_or_else(PoisonError::into_inner);
        let client = repositories.entry(repository.clone()).or_insert_with(|| {
            let shared = &self.shared;
            Arc::new(RepositoryClient::new(Session::new(
                repository.clone(),
                Arc::clone(&shared.transport),
                self.door(repository.registry()),
                Arc::clone(&shared.keychain),
            )))
        });
        Arc::clone(client)
    }

    fn door(&self, registry: &Registry) -> Arc<Door> {
        let mut doors = self.shared.doors.lock().unwrap_or_else(PoisonError::into_inner);
        let door = doors.entry(registry.clone()).or_insert_with(|| {
            Arc::new(Door::new(registry.clone(), self.shared.insecure, Arc::clone(&self.shared.transport)))
        });
        Arc::clone(door)
    }
}

impl Repositories for Client {
    fn source(&self, repository: &Repository) -> Arc<dyn Source> {
        self.repository(repository)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

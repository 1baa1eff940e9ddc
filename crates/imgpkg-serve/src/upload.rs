//! Uploads: blobs on their way in (distribution specification, "Pushing blobs"). They live in the server's memory and one
//! file each; a restart forgets them. What has arrived when a connection breaks stays, and the upload can go on there.

mod receive;
mod session;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use imgpkg_oci::Algorithm;

pub(crate) use receive::{ReceiveError, receive};
pub(crate) use session::{Session, SessionError, Turn};

use crate::name::RepositoryName;
use crate::storage::Storage;

/// How long an upload that nobody continues is kept.
const MAX_IDLE: Duration = Duration::from_secs(6 * 60 * 60);

/// The uploads of all repositories.
#[derive(Debug)]
pub(crate) struct Uploads {
    storage: Arc<Storage>,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

impl Uploads {
    pub(crate) fn new(storage: Arc<Storage>) -> Self {
        Self { storage, sessions: Mutex::default() }
    }

    /// Starts an upload that nobody can continue, for a blob that comes in one request.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub(crate) fn start_unlisted(
        &self,
        name: &RepositoryName,
        algorithm: Algorithm,
    ) -> io::Result<Arc<Session>> {
        Ok(Arc::new(Session::new(name.clone(), self.storage.incoming()?, algorithm)))
    }

    /// Starts an upload that later requests continue. Those that have been idle for long are given up.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub(crate) fn start(&self, name: &RepositoryName, algorithm: Algorithm) -> io::Result<Arc<Session>> {
        let session = self.start_unlisted(name, algorithm)?;
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.idle() < MAX_IDLE);
        sessions.insert(session.id().to_owned(), Arc::clone(&session));
        Ok(session)
    }

    /// The upload with this id, if it is one of this repository's.
    pub(crate) fn find(&self, name: &RepositoryName, id: &str) -> Option<Arc<Session>> {
        self.lock().get(id).filter(|session| session.repository() == name).cloned()
    }

    /// Forgets an upload that is finished or given up. Its file goes with the last request that uses it.
    pub(crate) fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! One upload: its file, how far it is, and the hash of that.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use imgpkg_oci::{Algorithm, Digest, Digester};
use tempfile::{NamedTempFile, TempPath};

use crate::name::RepositoryName;
use crate::storage::Storage;

/// Pieces in which a file is read again.
const REHASH_BYTES: usize = 256 * 1024;

/// One upload. Its state is whole between any two calls, whatever becomes of the requests that make them.
#[derive(Debug)]
pub(crate) struct Session {
    id: String,
    repository: RepositoryName,
    state: Mutex<State>,
    /// When a request last did something with it.
    touched: Mutex<Instant>,
}

#[derive(Debug)]
struct State {
    /// Its file; nothing once the blob is stored or the upload has failed for good.
    path: Option<TempPath>,
    /// The hash of what has arrived, and the algorithm it is made with.
    digester: Digester,
    algorithm: Algorithm,
    /// How many bytes have arrived. What the file has beyond them does not count.
    size: u64,
    /// The number of the request that may write. A later request takes over from one whose connection has died without
    /// the server having noticed.
    turn: u64,
}

/// The right of one request to write, until another one takes its turn.
#[derive(Debug)]
pub(crate) struct Turn {
    number: u64,
    file: File,
    /// Where the upload was when the turn began.
    size: u64,
    digester: Digester,
}

/// Why an upload cannot go on.
#[derive(Debug)]
pub(crate) enum SessionError {
    /// The chunk does not start where the upload ends.
    OutOfOrder {
        /// How many bytes have arrived.
        size: u64,
    },
    /// Another request has taken over.
    Superseded,
    /// The upload is finished or given up.
    Gone,
    /// What arrived is not what the digest stands for.
    Digest {
        /// The digest of what arrived.
        actual: Digest,
    },
    /// The disk.
    Io(io::Error),
}

impl From<io::Error> for SessionError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Session {
    pub(crate) fn new(repository: RepositoryName, file: NamedTempFile, algorithm: Algorithm) -> Self {
        let path = file.into_temp_path();
        let id = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let state =
            State { path: Some(path), digester: Digester::new(algorithm), algorithm, size: 0, turn: 0 };
        Self { id, repository, state: Mutex::new(state), touched: Mutex::new(Instant::now()) }
    }

    /// The name under which requests continue it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// How many bytes have arrived.
    pub(crate) fn size(&self) -> u64 {
        self.lock().size
    }

    /// How long nobody has done anything with it.
    pub(crate) fn idle(&self) -> Duration {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Begins a request's turn, at the offset it names if it names one.
    ///
    /// # Errors
    /// When the offset is not where the upload is, or when it is gone.
    pub(crate) fn begin(&self, offset: Option<u64>) -> Result<Turn, SessionError> {
        let mut state = self.lock();
        let size = state.size;
        if offset.is_some_and(|offset| offset != size) {
            return Err(SessionError::OutOfOrder { size });
        }
        let file = OpenOptions::new().write(true).open(state.path()?)?;
        state.turn += 1;
        Ok(Turn { number: state.turn, file, size, digester: state.digester.clone() })
    }

    /// Writes and hashes what has come. Blocks.
    ///
    /// # Errors
    /// When another request has taken over; then none of it counts. When the disk says so; then the upload is over and
    /// its file gone, because keeping what cannot be completed would keep the disk full.
    pub(crate) fn append(&self, turn: &Turn, chunks: &[Bytes]) -> Result<(), SessionError> {
        let mut state = self.lock_for(turn)?;
        let mut end = state.size;
        for chunk in chunks {
            if let Err(error) = turn.file.write_all_at(chunk, end) {
                state.path = None;
                // The turn, which keeps the file open, may last for a while. The first error is the one that matters.
                let _ = turn.file.set_len(0);
                return Err(error.into());
            }
            end += chunk.len() as u64;
        }
        chunks.iter().for_each(|chunk| state.digester.update(chunk));
        state.size = end;
        Ok(())
    }

    /// Takes back what has come in this turn.
    ///
    /// # Errors
    /// When another request has taken over.
    pub(crate) fn rewind(&self, turn: &Turn) -> Result<(), SessionError> {
        let mut state = self.lock_for(turn)?;
        state.size = turn.size;
        state.digester = turn.digester.clone();
        Ok(())
    }

    /// Stores the blob if it is the one that the digest stands for. Either way the upload is over. Blocks.
    ///
    /// # Errors
    /// When it is another one, when another request has taken over, or when the disk says so.
    pub(crate) fn finish(&self, turn: &Turn, digest: &Digest, storage: &Storage) -> Result<(), SessionError> {
        let mut state = self.lock_for(turn)?;
        let path = state.path.take().ok_or(SessionError::Gone)?;
        // A chunk that was taken back has left its bytes behind the end.
        turn.file.set_len(state.size)?;
        let actual = match state.algorithm == digest.algorithm() {
            true => state.digester.clone().finish(),
            false => rehash(&path, digest.algorithm())?,
        };
        if actual != *digest {
            return Err(SessionError::Digest { actual });
        }
        storage.store_blob(&self.repository, digest, path, state.size)?;
        Ok(())
    }

    /// Gives the upload up, with what has arrived of it.
    pub(crate) fn cancel(&self) {
        self.lock().path = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_for(&self, turn: &Turn) -> Result<MutexGuard<'_, State>, SessionError> {
        let state = self.lock();
        state.path()?;
        if state.turn == turn.number { Ok(state) } else { Err(SessionError::Superseded) }
    }
}

impl State {
    fn path(&self) -> Result<&Path, SessionError> {
        self.path.as_deref().ok_or(SessionError::Gone)
    }
}

/// The digest of a file by an algorithm that was not known when its bytes came.
fn rehash(path: &Path, algorithm: Algorithm) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut digester = Digester::new(algorithm);
    let mut buffer = vec![0; REHASH_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digester.finish()),
            read => digester.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> (tempfile::TempDir, Storage, Session) {
        let directory = tempfile::tempdir().unwrap();
        let storage = Storage::open_temporary(directory.path()).unwrap();
        let name = RepositoryName::parse("a").unwrap();
        let session = Session::new(name, storage.incoming().unwrap(), Algorithm::Sha256);
        (directory, storage, session)
    }

    fn append(session: &Session, turn: &Turn, text: &'static str) -> Result<(), SessionError> {
        session.append(turn, &[Bytes::from_static(text.as_bytes())])
    }

    #[test]
    fn an_upload_goes_on_where_an_earlier_request_stopped() {
        let (_directory, storage, session) = session();
        append(&session, &session.begin(None).unwrap(), "hello ").unwrap();
        assert!(matches!(session.begin(Some(5)), Err(SessionError::OutOfOrder { size: 6 })));
        let turn = session.begin(Some(6)).unwrap();
        append(&session, &turn, "world").unwrap();
        let digest = Digest::sha256_of(b"hello world");
        session.finish(&turn, &digest, &storage).unwrap();
        assert_eq!(storage.open_blob(session.repository(), &digest).unwrap().unwrap().size, 11);
        assert!(matches!(session.begin(None), Err(SessionError::Gone)));
    }

    #[test]
    fn a_later_request_takes_over_from_an_earlier_one() {
        let (_directory, storage, session) = session();
        let dead = session.begin(None).unwrap();
        append(&session, &dead, "hello").unwrap();
        let turn = session.begin(Some(5)).unwrap();
        assert!(matches!(append(&session, &dead, "xxx"), Err(SessionError::Superseded)));
        append(&session, &turn, "!").unwrap();
        session.finish(&turn, &Digest::sha256_of(b"hello!"), &storage).unwrap();
    }

    #[test]
    fn a_chunk_taken_back_leaves_no_trace() {
        let (_directory, storage, session) = session();
        append(&session, &session.begin(None).unwrap(), "hello").unwrap();
        let turn = session.begin(None).unwrap();
        append(&session, &turn, " and much more").unwrap();
        session.rewind(&turn).unwrap();
        assert_eq!(session.size(), 5);
        let digest = Digest::sha256_of(b"hello");
        session.finish(&session.begin(None).unwrap(), &digest, &storage).unwrap();
        assert_eq!(storage.open_blob(session.repository(), &digest).unwrap().unwrap().size, 5);
    }

    #[test]
    fn a_digest_of_another_algorithm_is_verified_too() {
        let (_directory, storage, session) = session();
        let turn = session.begin(None).unwrap();
        append(&session, &turn, "abc").unwrap();
        let mut digester = Digester::new(Algorithm::Sha512);
        digester.update(b"abc");
        let digest = digester.finish();
        session.finish(&turn, &digest, &storage).unwrap();
        assert!(storage.has_blob(session.repository(), &digest).unwrap());
    }

    // Only there is a file that is always full.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_does_not_fit_on_the_disk_is_removed_and_the_upload_is_over() {
        let (directory, _storage, session) = session();
        let turn = session.begin(None).unwrap();
        append(&session, &turn, "some that fits").unwrap();
        let (number, size, digester) = (turn.number, turn.size, turn.digester.clone());
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let full = Turn { number, file, size, digester };
        let error = append(&session, &full, "more").unwrap_err();
        assert!(
            matches!(&error, SessionError::Io(error) if error.kind() == io::ErrorKind::StorageFull),
            "{error:?}"
        );
        assert_eq!(std::fs::read_dir(directory.path().join("uploads")).unwrap().count(), 0);
        assert!(matches!(session.begin(None), Err(SessionError::Gone)));
    }

    #[test]
    fn wrong_bytes_are_never_stored() {
        let (_directory, storage, session) = session();
        let turn = session.begin(None).unwrap();
        append(&session, &turn, "abd").unwrap();
        let digest = Digest::sha256_of(b"abc");
        let error = session.finish(&turn, &digest, &storage).unwrap_err();
        assert!(matches!(error, SessionError::Digest { actual } if actual == Digest::sha256_of(b"abd")));
        assert!(!storage.has_blob(session.repository(), &digest).unwrap());
    }
}

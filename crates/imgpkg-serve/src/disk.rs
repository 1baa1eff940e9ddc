//! Work that waits for the disk, done where it holds up no other request.

use std::future::Future;
use std::io;

use tokio::sync::Semaphore;

use crate::api_error::ApiResult;

/// How many pieces of such work are done at once. It bounds threads and what they hold in memory; a disk has no use for
/// more.
const MAX_AT_ONCE: usize = 16;

static TURNS: Semaphore = Semaphore::const_new(MAX_AT_ONCE);

/// Does work that waits for the disk, now or when its turn comes. It is finished even if nobody waits for it any more; a
/// task of its own sees to it that a turn never goes to a request that is not being looked after, such as a body that its
/// client does not fetch.
///
/// # Errors
/// When it could not be done because the process is ending.
pub(crate) fn run<T, F>(work: F) -> impl Future<Output = io::Result<T>> + Send + 'static
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let job = tokio::spawn(async move {
        let turn = TURNS.acquire().await.map_err(io::Error::other)?;
        let job = tokio::task::spawn_blocking(work).await;
        drop(turn);
        job.map_err(io::Error::other)
    });
    async move { job.await.map_err(io::Error::other)? }
}

/// The same for work that ends in an answer.
///
/// # Errors
/// What the work says, or that it could not be done.
pub(crate) async fn answer<T, F>(work: F) -> ApiResult<T>
where
    T: Send + 'static,
    F: FnOnce() -> ApiResult<T> + Send + 'static,
{
    run(work).await?
}

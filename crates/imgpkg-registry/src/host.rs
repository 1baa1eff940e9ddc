//! What is remembered about one host while the client lives: how much it bears, and until when it wants to be left
//! alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::budget::{Budget, Lane, Permit};

/// One host, shared by everybody who talks to it.
pub(crate) struct Host {
    budget: Arc<Budget>,
    not_before: Mutex<Option<Instant>>,
}

impl Host {
    pub(crate) fn new(cap: Option<usize>) -> Self {
        Self { budget: Budget::new(cap), not_before: Mutex::new(None) }
    }

    /// Waits for the host to want requests again, and for a turn.
    pub(crate) async fn turn(&self, lane: Lane) -> Permit {
        loop {
            self.wait().await;
            let permit = self.budget.acquire(lane).await;
            if self.until().is_none() {
                return permit;
            }
        }
    }

    /// Waits for the host to want requests again.
    pub(crate) async fn wait(&self) {
        while let Some(until) = self.until() {
            // Not all workers in the same instant.
            let jitter = Duration::from_millis(fastrand::u64(0..50));
            tokio::time::sleep_until(until + jitter).await;
        }
    }

    /// The host wants to be left alone for so long.
    pub(crate) fn leave_alone(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = Some(not_before.map_or(until, |earlier| earlier.max(until)));
    }

    pub(crate) fn success(&self) {
        self.budget.success();
    }

    pub(crate) fn overload(&self) {
        self.budget.overload();
    }

    fn until(&self) -> Option<Instant> {
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        if not_before.is_some_and(|until| until <= Instant::now()) {
            *not_before = None;
        }
        *not_before
    }
}

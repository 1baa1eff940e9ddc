//! How many requests one host gets at a time. It starts at 16, climbs to 64 while the host copes and there is more to
//! ask, and is halved when the host says that it is too much or stops answering. Until that has happened once it climbs
//! with every answer, because a copy of many small images is over in a few round trips; afterwards carefully.
//!
//! There are two lanes of equal width. An upload of a large blob may have to wait for a download from the same host
//! (a copy within one registry); if both stood in one queue, uploads could fill it and wait for ever.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const START: usize = 16;
const MOST: usize = 64;

/// A crowd of requests that fail together is one sign of trouble, not many.
const BETWEEN_CUTS: Duration = Duration::from_secs(1);

/// Which queue a request stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Anything but a streamed upload.
    Request = 0,
    /// A streamed upload.
    Upload = 1,
}

/// The requests that one host gets at a time.
pub(crate) struct Budget {
    lanes: [Arc<Semaphore>; 2],
    most: usize,
    state: Mutex<State>,
}

struct State {
    limit: usize,
    /// Permits of each lane that are out but will not come back.
    debt: [usize; 2],
    successes: usize,
    last_cut: Option<Instant>,
}

/// The right to one request, until it is dropped.
pub(crate) struct Permit {
    permit: Option<OwnedSemaphorePermit>,
    budget: Arc<Budget>,
    lane: Lane,
}

impl Budget {
    pub(crate) fn new(cap: Option<usize>) -> Arc<Self> {
        let most = cap.unwrap_or(MOST).clamp(1, Semaphore::MAX_PERMITS);
        // A cap that the user gave is where it starts, too: it says what the host can bear.
        let limit = if cap.is_some() { most } else { START };
        Arc::new(Self {
            lanes: [Arc::new(Semaphore::new(limit)), Arc::new(Semaphore::new(limit))],
            most,
            state: Mutex::new(State { limit, debt: [0; 2], successes: 0, last_cut: None }),
        })
    }

    /// Waits for a turn.
    pub(crate) async fn acquire(self: &Arc<Self>, lane: Lane) -> Permit {
        let lanes = Arc::clone(&self.lanes[lane as usize]);
        // The semaphores are never closed; were one, requests would simply not be counted.
        let permit = lanes.acquire_owned().await.ok();
        Permit { permit, budget: Arc::clone(self), lane }
    }

    /// The host answered as it should.
    pub(crate) fn success(&self) {
        let mut state = self.state();
        state.successes += 1;
        let busy = self.lanes.iter().any(|lane| lane.available_permits() == 0);
        let enough = if state.last_cut.is_none() { 1 } else { state.limit.div_ceil(4) };
        if busy && state.limit < self.most && state.successes >= enough {
            state.successes = 0;
            state.limit += 1;
            for (lane, semaphore) in self.lanes.iter().enumerate() {
                if state.debt[lane] > 0 {
                    state.debt[lane] -= 1;
                } else {
                    semaphore.add_permits(1);
                }
            }
        }
    }

    /// The host cannot cope.
    pub(crate) fn overload(&self) {
        let mut state = self.state();
        let now = Instant::now();
        if state.last_cut.is_some_and(|last| now.duration_since(last) < BETWEEN_CUTS) {
            return;
        }
        state.last_cut = Some(now);
        state.successes = 0;
        let less = state.limit - (state.limit / 2).max(1).min(state.limit);
        state.limit -= less;
        for (lane, semaphore) in self.lanes.iter().enumerate() {
            state.debt[lane] += less - semaphore.forget_permits(less);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        let debt = &mut state.debt[self.lane as usize];
        if *debt > 0
            && let Some(permit) = self.permit.take()
        {
            *debt -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(budget: &Budget) -> usize {
        budget.state().limit
    }

    async fn fits(budget: &Arc<Budget>) -> usize {
        let mut held = Vec::new();
        while let Ok(permit) =
            tokio::time::timeout(Duration::from_millis(20), budget.acquire(Lane::Request)).await
        {
            held.push(permit);
        }
        held.len()
    }

    #[tokio::test]
    async fn it_starts_at_sixteen_and_climbs_while_there_is_more_to_ask() {
        let budget = Budget::new(None);
        assert_eq!(fits(&budget).await, 16);
        for _ in 0..100 {
            budget.success();
        }
        assert_eq!(limit(&budget), 16, "nobody was waiting");
        let mut held = Vec::new();
        for _ in 0..2000 {
            while let Some(permit) = futures_util::FutureExt::now_or_never(budget.acquire(Lane::Request)) {
                held.push(permit);
            }
            budget.success();
        }
        assert_eq!(limit(&budget), 64);
    }

    #[tokio::test]
    async fn it_climbs_with_every_answer_until_there_was_trouble() {
        let budget = Budget::new(None);
        let mut held = Vec::new();
        let mut answer = |budget: &Arc<Budget>| {
            while let Some(permit) = futures_util::FutureExt::now_or_never(budget.acquire(Lane::Request)) {
                held.push(permit);
            }
            budget.success();
        };
        (0..4).for_each(|_| answer(&budget));
        assert_eq!(limit(&budget), 20);
        budget.overload();
        assert_eq!(limit(&budget), 10);
        (0..4).for_each(|_| answer(&budget));
        assert_eq!(limit(&budget), 11);
    }

    #[tokio::test]
    async fn trouble_halves_it_once_even_while_all_permits_are_out() {
        let budget = Budget::new(None);
        let mut held = Vec::new();
        for _ in 0..16 {
            held.push(budget.acquire(Lane::Request).await);
        }
        budget.overload();
        budget.overload();
        assert_eq!(limit(&budget), 8);
        drop(held);
        assert_eq!(fits(&budget).await, 8);
    }

    #[tokio::test]
    async fn the_users_cap_holds_and_one_always_remains() {
        let budget = Budget::new(Some(1));
        budget.overload();
        assert_eq!(fits(&budget).await, 1);
        assert_eq!(fits(&Budget::new(Some(0))).await, 1);
        assert_eq!(fits(&Budget::new(Some(100))).await, 100);
    }

    #[tokio::test]
    async fn uploads_do_not_take_the_place_of_requests() {
        let budget = Budget::new(Some(1));
        let _upload = budget.acquire(Lane::Upload).await;
        assert_eq!(fits(&budget).await, 1);
    }
}

//! Work that several tasks need and one of them does: finding out how to reach a registry, fetching a token.

use std::sync::Arc;
use std::time::Instant;

use crate::Error;

/// A value that is made by one task while the others wait. They share its result, a failure included; who comes after
/// a failure tries again.
pub(crate) struct SingleFlight<T>(tokio::sync::Mutex<Slot<T>>);

struct Slot<T> {
    value: Option<T>,
    failed: Option<(Instant, Arc<Error>)>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::new(Slot { value: None, failed: None }))
    }
}

impl<T: Clone> SingleFlight<T> {
    /// The value, if it is still good, or a new one.
    pub(crate) async fn get(
        &self,
        good: impl Fn(&T) -> bool + Send,
        make: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let asked = Instant::now();
        let mut slot = self.0.lock().await;
        if let Some(value) = slot.value.as_ref().filter(|value| good(value)) {
            return Ok(value.clone());
        }
        if let Some((at, error)) = &slot.failed
            && *at >= asked
        {
            return Err(Error::Shared(Arc::clone(error)));
        }
        match make.await {
            Ok(value) => {
                *slot = Slot { value: Some(value.clone()), failed: None };
                Ok(value)
            }
            Err(error) => {
                let error = Arc::new(error);
                slot.failed = Some((Instant::now(), Arc::clone(&error)));
                Err(Error::Shared(error))
            }
        }
    }

    /// The value, if there is one and nobody is at work on it.
    pub(crate) fn peek(&self) -> Option<T> {
        self.0.try_lock().ok()?.value.clone()
    }

    /// Drops the value if it is a bad one.
    pub(crate) async fn drop_if(&self, bad: impl Fn(&T) -> bool + Send) {
        let mut slot = self.0.lock().await;
        slot.value.take_if(|value| bad(value));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;

    async fn slow(count: &AtomicU32, result: Result<u32, Error>) -> Result<u32, Error> {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        result
    }

    #[tokio::test]
    async fn many_tasks_make_the_value_once() {
        let (flight, count) = (SingleFlight::default(), AtomicU32::new(0));
        let all = (0..8).map(|_| flight.get(|_| true, slow(&count, Ok(7))));
        let results = futures_util::future::join_all(all).await;
        assert!(results.into_iter().all(|result| result.unwrap() == 7));
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(flight.peek(), Some(7));
        flight.drop_if(|value| *value == 7).await;
        assert_eq!(flight.peek(), None);
    }

    #[tokio::test]
    async fn those_who_waited_share_a_failure_and_the_next_one_tries_again() {
        let (flight, count) = (SingleFlight::<u32>::default(), AtomicU32::new(0));
        let failure = || Err(Error::Setup { problem: "no".to_owned() });
        let all = (0..8).map(|_| flight.get(|_| true, slow(&count, failure())));
        let results = futures_util::future::join_all(all).await;
        assert!(results.into_iter().all(|result| result.is_err()));
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(flight.get(|_| true, slow(&count, Ok(1))).await.unwrap(), 1);
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
}

//! Waits that are as long as they should be: the runtime's own timer counts whole milliseconds and rounds up, which
//! would make a round trip of 40 ms one of 42.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// A thread that wakes others a fixed time after they asked. It ends with its last asker.
#[derive(Debug)]
pub(super) struct Clock {
    delay: Duration,
    asked: mpsc::Sender<(Instant, oneshot::Sender<()>)>,
}

impl Clock {
    /// A clock for this delay.
    pub(super) fn start(delay: Duration) -> io::Result<Self> {
        let (asked, questions) = mpsc::channel::<(Instant, oneshot::Sender<()>)>();
        thread::Builder::new().name("clock".into()).spawn(move || {
            // Everybody waits equally long, so who asks first is due first.
            for (due, wake) in questions {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                // Who asked may have gone.
                let _ = wake.send(());
            }
        })?;
        Ok(Self { delay, asked })
    }

    /// Is woken when the delay has passed, counted from now.
    pub(super) fn after_delay(&self) -> oneshot::Receiver<()> {
        let (wake, due) = oneshot::channel();
        // Without the thread the sender is dropped here, which wakes at once.
        let _ = self.asked.send((Instant::now() + self.delay, wake));
        due
    }
}

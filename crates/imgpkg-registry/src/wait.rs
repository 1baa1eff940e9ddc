//! Pauses, as a caller hears of them: what the registry asked for, and what is made after a failure.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A pause that begins now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The host that is left alone, with its port where that is not the usual one.
    pub host: String,
    /// For how long.
    pub time: Duration,
    /// Why: what the registry answered, or what went wrong, in one line.
    pub reason: String,
    /// Did the registry ask for it (`Retry-After`)? Then all requests to the host wait, and otherwise the one that failed.
    pub asked: bool,
}

/// Told about every pause when it begins. Called from several threads at once; must not block for long.
pub type WaitListener = Arc<dyn Fn(&Wait) + Send + Sync>;

/// Who is told about pauses, if anybody is.
#[derive(Clone, Default)]
pub(crate) struct Waits(Option<WaitListener>);

impl Waits {
    /// This listener is told.
    pub(crate) fn heard_by(listener: Option<WaitListener>) -> Self {
        Self(listener)
    }

    /// Tells about a pause, if anybody listens.
    pub(crate) fn tell(&self, wait: impl FnOnce() -> Wait) {
        if let Some(listener) = &self.0 {
            listener(&wait());
        }
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "heard" } else { "unheard" })
    }
}

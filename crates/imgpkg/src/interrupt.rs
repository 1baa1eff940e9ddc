//! Ctrl-C and SIGTERM. A command that is interrupted is dropped where it stands, so that everything it had begun cleans up
//! after itself, and the program ends with 128 plus the signal's number, as shells report it.

use std::fmt;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What interrupted the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// Ctrl-C.
    Keyboard,
    /// A request to end.
    Termination,
}

impl Interrupt {
    /// The exit code that tells of it.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Keyboard => 130,
            Self::Termination => 143,
        }
    }
}

impl fmt::Display for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

/// Interrupts from the moment on at which this was made; before, they end the program at once.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    keyboard: Option<Signal>,
    #[cfg(unix)]
    termination: Option<Signal>,
}

#[cfg(unix)]
impl Interrupts {
    /// Starts to listen. What cannot be listened to goes on ending the program at once.
    pub(crate) fn listen() -> Self {
        Self {
            keyboard: signal(SignalKind::interrupt()).ok(),
            termination: signal(SignalKind::terminate()).ok(),
        }
    }

    /// The next interrupt.
    pub(crate) async fn next(&mut self) -> Interrupt {
        tokio::select! {
            () = received(&mut self.keyboard) => Interrupt::Keyboard,
            () = received(&mut self.termination) => Interrupt::Termination,
        }
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<Signal>) {
    let received = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if received.is_none() {
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
impl Interrupts {
    /// Starts to listen.
    pub(crate) fn listen() -> Self {
        Self {}
    }

    /// The next interrupt.
    pub(crate) async fn next(&mut self) -> Interrupt {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Interrupt::Keyboard
    }
}

//! How far a command has come, on stderr: bars on a terminal, a line every ten seconds elsewhere, or every event as JSON.
//! All of them render the engine's events; see [`Style`].

use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use imgpkg_copy::{Event, Listener};
use imgpkg_registry::Wait;

mod bars;
mod json;
mod line;
mod tally;

pub(crate) use self::bars::Bars;
use self::json::JsonLines;
use self::tally::Tally;
use super::{Ui, quantity};
use crate::debug_log;

/// How often a line is written where there are no bars.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// How often bars are brought up to date.
const BETWEEN_FRAMES: Duration = Duration::from_millis(100);

/// Waits that are shorter than this in all are not worth a word.
const WORTH_MENTIONING: Duration = Duration::from_secs(3);

/// From which length on a wait that a registry asks for is announced.
const LONG_WAIT: Duration = Duration::from_secs(60);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As bars that change.
    Bars,
    /// As a line every ten seconds.
    Plain,
    /// As one JSON object for each event.
    Json,
    /// Not at all.
    None,
}

/// The progress of a command.
pub(crate) struct Progress {
    style: Style,
    ui: Arc<Ui>,
    bars: Bars,
    begun: Instant,
    state: Mutex<State>,
    ticker: Mutex<Option<Ticker>>,
}

#[derive(Default)]
struct State {
    /// What the command is called, once it has begun to do something that takes its time.
    command: Option<&'static str>,
    tally: Tally,
    json: Option<JsonLines>,
    /// Until when each host was said to be left alone.
    announced: HashMap<String, Duration>,
}

impl State {
    /// Is it news that this host is left alone for so long? It is not when many requests are told the same.
    fn announces(&mut self, host: &str, now: Duration, time: Duration) -> bool {
        let until = now.saturating_add(time);
        let announced = self.announced.entry(host.to_owned()).or_default();
        let is_news = until > announced.saturating_add(LONG_WAIT / 2);
        if is_news {
            *announced = until;
        }
        is_news
    }
}

fn long_wait(wait: &Wait, now: SystemTime) -> String {
    let (host, time, reason) = (&wait.host, quantity::time(wait.time), &wait.reason);
    let again = debug_log::timestamp(now + wait.time);
    format!("{host} asks to be left alone for {time} ({reason}); the next try is at {again} UTC")
}

/// A thread that shows where things stand again and again, until its channel is closed.
struct Ticker {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Progress {
    /// Progress that is shown in this style; `bars` are those that `ui` writes beside.
    pub(crate) fn new(style: Style, ui: Arc<Ui>, bars: Bars) -> Arc<Self> {
        Arc::new(Self {
            style,
            ui,
            bars,
            begun: Instant::now(),
            state: Mutex::default(),
            ticker: Mutex::default(),
        })
    }

    /// Begins to show the progress of this command, and returns who is to be told about it.
    pub(crate) fn listener(self: &Arc<Self>, command: &'static str) -> Listener {
        self.begin(command);
        let progress = Arc::clone(self);
        Arc::new(move |event| progress.note(&event))
    }

    /// Begins to show the progress of this command.
    pub(crate) fn begin(self: &Arc<Self>, command: &'static str) {
        let mut state = self.state();
        if state.command.replace(command).is_some() {
            return;
        }
        match self.style {
            Style::Bars => {
                self.bars.show(command);
                self.bars.draw(&state.tally.standing(self.begun.elapsed()));
                self.tick_every(BETWEEN_FRAMES);
            }
            Style::Plain => self.tick_every(BETWEEN_LINES),
            Style::Json => state.json = Some(JsonLines::new(command)),
            Style::None => {}
        }
    }

    /// Takes note of an event.
    fn note(&self, event: &Event) {
        let now = self.begun.elapsed();
        let mut state = self.state();
        state.tally.note(event, now);
        if let Some(json) = &mut state.json {
            // While the state is locked, so that lines stand in the order of the events.
            json.of(event, now).iter().for_each(|line| self.ui.alert(line));
        }
    }

    /// Takes note of a pause that begins now. One that the registry asked for and that is long is news.
    pub(crate) fn waiting(&self, wait: &Wait) {
        let now = self.begun.elapsed();
        let mut state = self.state();
        state.tally.waiting(&wait.host, wait.time, now);
        if let Some(json) = &state.json {
            self.ui.alert(&json.waiting(&wait.host, &wait.reason, wait.time, now));
        } else if wait.asked && wait.time >= LONG_WAIT && state.announces(&wait.host, now, wait.time) {
            self.ui.note(&long_wait(wait, SystemTime::now()));
        }
    }

    /// Shows no more, so that something that is no whole line can be the last thing on the terminal.
    pub(crate) fn rest(&self) {
        let ticker = self.ticker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Ticker { stop, thread }) = ticker {
            drop(stop);
            // Had it panicked, there would be nothing to be done about it here.
            let _ = thread.join();
        }
        self.bars.clear();
    }

    /// The end of the command, with the words for what went wrong if something did.
    pub(crate) fn finish(&self, error: Option<String>) {
        self.rest();
        self.end_at(self.begun.elapsed(), error);
    }

    fn end_at(&self, now: Duration, error: Option<String>) {
        let state = self.state();
        let Some(command) = state.command else { return };
        let waited = state.tally.waited(now);
        match (&state.json, error) {
            (Some(json), None) => self.ui.alert(&json.finished(&state.tally, now)),
            (Some(json), Some(error)) => self.ui.alert(&json.failed(&error, &state.tally, now)),
            (None, _) if waited >= WORTH_MENTIONING => {
                let waited = quantity::time(waited);
                self.ui.note(&format!("{command}: waited {waited} for registries in all"));
            }
            (None, _) => {}
        }
    }

    fn tick_every(self: &Arc<Self>, period: Duration) {
        let (stop, stopped) = mpsc::channel();
        let progress = Arc::clone(self);
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                progress.tick();
            }
        });
        // Where there can be no more threads, the command has other worries than its progress.
        let ticker = thread.ok().map(|thread| Ticker { stop, thread });
        *self.ticker.lock().unwrap_or_else(PoisonError::into_inner) = ticker;
    }

    fn tick(&self) {
        let mut state = self.state();
        let standing = state.tally.standing(self.begun.elapsed());
        let command = state.command.unwrap_or_default();
        drop(state);
        match self.style {
            Style::Bars => self.bars.draw(&standing),
            _ => self.ui.note(&format!("{command}: {}", line::whole(&standing))),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

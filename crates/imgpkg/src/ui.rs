//! What the program says, and where: the output model of imgpkg. Everything a command has to say is a *fragment* of a
//! line, a *block*, a *table*, or an error, and three modes decide what becomes of it:
//!
//! | | terminal or `--tty` | otherwise | `--json` |
//! |---|---|---|---|
//! | fragment | stdout | dropped | `Lines` |
//! | block | stdout | stdout | `Blocks` |
//! | table | stdout, with title and count | stdout, rows only | `Tables` |
//! | `Succeeded` | stdout | dropped | `Lines` |
//! | warning | stdout | stderr | `Lines` |
//! | note, alert | stderr | stderr | stderr |
//! | error | stderr | stderr | stderr and `Lines` |
//!
//! Progress goes to stderr in every mode (see [`progress`]). `--quiet` silences it, and notes. A stdout whose reader went away swallows the rest; any other failure to write there is
//! reported by [`Ui::finish`].

use std::error::Error;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) mod colour;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod quantity;
pub(crate) mod table;

use self::json::Document;
use self::progress::Bars;
use self::table::{Table, UnknownColumn};

/// What becomes of what is said; see the table at the top of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// For someone who watches.
    Terminal,
    /// For a pipe or a file.
    Plain,
    /// One JSON document at the end.
    Json,
}

/// How a [`Ui`] presents what it is given.
#[derive(Debug, Clone)]
pub(crate) struct Presentation {
    /// What becomes of each kind of output.
    pub(crate) mode: Mode,
    /// Are errors red and table headers bold?
    pub(crate) colour: bool,
    /// The only columns of tables that are shown; all that the table itself shows when empty.
    pub(crate) columns: Vec<String>,
    /// Are notes dropped?
    pub(crate) quiet: bool,
}

impl Presentation {
    /// How things are presented before the flags are known: as on a terminal, without colour.
    pub(crate) fn preliminary() -> Self {
        Self { mode: Mode::Terminal, colour: false, columns: Vec::new(), quiet: false }
    }
}

/// What stood on stdout last: a change between the two, or two items of the second, are set apart by a newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Fragments and blocks.
    Raw,
    /// Full lines, tables and errors.
    Auto,
}

struct State {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    last: Option<Group>,
    document: Document,
    /// What has to be out of the way while something is written.
    bars: Bars,
    /// Why stdout is written to no more.
    failure: Option<io::Error>,
}

/// The program's voice. Commands share it by reference, from any number of tasks.
pub(crate) struct Ui {
    presentation: Presentation,
    state: Mutex<State>,
}

impl Ui {
    /// A voice that speaks to these two streams.
    pub(crate) fn new(
        presentation: Presentation,
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
    ) -> Self {
        let state = State {
            out: Box::new(out),
            err: Box::new(err),
            last: None,
            document: Document::default(),
            bars: Bars::hidden(),
            failure: None,
        };
        Self { presentation, state: Mutex::new(state) }
    }

    /// The same voice, on a terminal that these bars are on as well.
    #[must_use]
    pub(crate) fn beside(self, bars: Bars) -> Self {
        self.state().bars = bars;
        self
    }

    /// Part of a line, or several lines: a command's log. No newline is added.
    pub(crate) fn line(&self, fragment: &str) {
        let mut state = self.state();
        match self.presentation.mode {
            Mode::Terminal => state.print(Group::Raw, fragment),
            Mode::Plain => {}
            Mode::Json => state.document.lines.push(fragment.to_owned()),
        }
    }

    /// A result that is text. No newline is added.
    pub(crate) fn block(&self, text: &str) {
        let mut state = self.state();
        match self.presentation.mode {
            Mode::Terminal | Mode::Plain => state.print(Group::Raw, text),
            Mode::Json => state.document.blocks.push(text.to_owned()),
        }
    }

    /// A result that is a table.
    ///
    /// # Errors
    /// When `--column` names a column that the table does not have; nothing is printed then.
    pub(crate) fn table(&self, table: &Table) -> Result<(), UnknownColumn> {
        let visible = table.visible(&self.presentation.columns)?;
        let mut state = self.state();
        match self.presentation.mode {
            Mode::Terminal => {
                state.print(Group::Auto, &visible.decorated(self.presentation.colour));
            }
            Mode::Plain => state.print(Group::Auto, &visible.rows_only()),
            Mode::Json => state.document.tables.push(visible.to_json()),
        }
        Ok(())
    }

    /// Something that went otherwise than the user may think, although the command goes on. One line or several, the last
    /// one ended. Off a terminal it goes to stderr, where the reference says nothing.
    pub(crate) fn warning(&self, text: &str) {
        match self.presentation.mode {
            Mode::Terminal | Mode::Json => self.line(text),
            Mode::Plain => self.state().complain(text),
        }
    }

    /// One line about the way in which the program is used, without its newline, on stderr in every mode.
    pub(crate) fn alert(&self, line: &str) {
        self.state().complain(&format!("{line}\n"));
    }

    /// One line of news, without its newline, on stderr in every mode unless `--quiet`.
    pub(crate) fn note(&self, line: &str) {
        if !self.presentation.quiet {
            self.alert(line);
        }
    }

    /// The last word of a command that did what it was asked.
    pub(crate) fn succeeded(&self) {
        let mut state = self.state();
        match self.presentation.mode {
            Mode::Terminal => state.print(Group::Auto, "Succeeded\n"),
            Mode::Plain => {}
            Mode::Json => state.document.lines.push("Succeeded".to_owned()),
        }
    }

    /// The last word of a command that did not.
    pub(crate) fn error(&self, error: &dyn Error) {
        let text = format!("imgpkg: Error: {}", error::layout(&error::message(error)));
        let mut state = self.state();
        match self.presentation.mode {
            Mode::Terminal | Mode::Plain => state.separate(Group::Auto),
            Mode::Json => state.document.lines.push(text.clone()),
        }
        let line = if self.presentation.colour { colour::red(&text) } else { text };
        state.complain(&format!("{line}\n"));
    }

    /// Bytes for stdout whatever the mode: what another program waits for.
    pub(crate) fn raw(&self, text: &str) {
        self.state().write(text);
    }

    /// Prints the JSON document, if that is the mode.
    ///
    /// # Errors
    /// When something could not be written to stdout, other than because its reader went away.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut state = self.state();
        if self.presentation.mode == Mode::Json {
            let document = std::mem::take(&mut state.document).render();
            state.write(&document);
        }
        match state.failure.take() {
            Some(failure) if failure.kind() != io::ErrorKind::BrokenPipe => Err(failure),
            _ => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn print(&mut self, group: Group, text: &str) {
        self.separate(group);
        self.write(text);
    }

    fn separate(&mut self, next: Group) {
        if self.last.is_some_and(|last| (last, next) != (Group::Raw, Group::Raw)) {
            self.write("\n");
        }
        self.last = Some(next);
    }

    fn write(&mut self, text: &str) {
        if self.failure.is_none() {
            let out = &mut self.out;
            let written = self.bars.aside(|| out.write_all(text.as_bytes()).and_then(|()| out.flush()));
            self.failure = written.err();
        }
    }

    fn complain(&mut self, text: &str) {
        // There is nowhere left to report a stderr that cannot be written to.
        let err = &mut self.err;
        let _ = self.bars.aside(|| err.write_all(text.as_bytes()).and_then(|()| err.flush()));
    }
}

#[cfg(test)]
mod tests;

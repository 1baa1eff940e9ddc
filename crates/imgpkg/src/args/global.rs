//! The flags that every command takes.

use clap::ArgAction;

use super::value::{self, CsvRecord, ProgressChoice};
use crate::ui::progress::Style;
use crate::ui::{Mode, Presentation, colour};

/// The flags that every command takes, before it or behind it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct GlobalArgs {
    /// Set color output
    #[arg(long, global = true, action = ArgAction::Set, value_parser = value::boolean, default_value = "true")]
    pub(crate) color: bool,
    /// Filter to show only given columns
    #[arg(long, global = true, value_parser = value::csv_record)]
    pub(crate) column: Vec<CsvRecord>,
    /// Enables debugging
    #[arg(long, global = true, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) debug: bool,
    /// Output as JSON
    #[arg(long, global = true, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) json: bool,
    /// Set how progress is shown on stderr: bars on a terminal and a line every ten seconds elsewhere (auto), plain, json, none
    #[arg(long, global = true, value_parser = value::progress, default_value = "auto")]
    pub(crate) progress: ProgressChoice,
    /// Silence progress and other news on stderr; warnings and errors remain
    #[arg(long, global = true, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) quiet: bool,
    /// Force TTY-like output
    #[arg(long, global = true, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) tty: bool,
    /// Assume yes for any prompt
    #[arg(short, long, global = true, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) yes: bool,
}

impl GlobalArgs {
    /// How to show progress, given whether stderr is a terminal.
    pub(crate) fn progress_style(
        &self,
        terminal: bool,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Style {
        let can_move = environment("TERM").is_none_or(|term| term != "dumb");
        match self.progress {
            _ if self.quiet => Style::None,
            ProgressChoice::Auto if terminal && can_move => Style::Bars,
            ProgressChoice::Auto | ProgressChoice::Plain => Style::Plain,
            ProgressChoice::Json => Style::Json,
            ProgressChoice::None => Style::None,
        }
    }

    /// How to present things, given whether stdout is a terminal. `--tty=false` changes nothing on one.
    pub(crate) fn presentation(
        &self,
        terminal: bool,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Presentation {
        let mode = match (self.json, terminal || self.tty) {
            (true, _) => Mode::Json,
            (false, true) => Mode::Terminal,
            (false, false) => Mode::Plain,
        };
        Presentation {
            mode,
            colour: colour::enabled(self.color, terminal, environment),
            columns: value::items(&self.column),
            quiet: self.quiet,
        }
    }
}

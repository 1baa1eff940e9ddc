//! Bars on a terminal, below everything else that is said there.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::line;
use super::tally::Standing;

/// The bars. Clones are the same bars.
#[derive(Debug, Clone)]
pub(crate) struct Bars {
    bar: ProgressBar,
}

impl Bars {
    /// Bars that are not shown yet.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()) }
    }

    /// Shows them on stderr.
    pub(crate) fn show(&self, command: &'static str) {
        let template = format!("{command} [{{bar:24}}] {{msg}}\n{{prefix}}");
        // It would be a defect in the template, and the style that there is without one does as well.
        if let Ok(style) = ProgressStyle::with_template(&template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
    }

    /// Shows where things stand.
    pub(crate) fn draw(&self, standing: &Standing) {
        self.bar.set_length(standing.bytes.all.max(1));
        self.bar.set_position(standing.bytes.done);
        self.bar.set_message(line::pace(standing));
        self.bar.set_prefix(line::counts(standing));
    }

    /// Takes them away for good.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Takes them away while something else is written to the terminal.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

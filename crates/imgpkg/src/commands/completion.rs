//! `imgpkg completion`.

use super::CommandError;
use crate::args::{self, completion::CompletionArgs};
use crate::context::Context;

/// Prints a completion script, whatever the output mode.
pub(super) fn run(args: &CompletionArgs, context: &Context) -> Result<(), CommandError> {
    let shell = args.request()?;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "imgpkg", &mut script);
    context.ui.raw(&String::from_utf8_lossy(&script));
    Ok(())
}

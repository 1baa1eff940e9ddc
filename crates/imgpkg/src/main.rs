//! The `imgpkg` binary: reads the command line, runs one command, and says how it went. The exit code is 0 when the command
//! did what it was asked, 130 or 143 when it was interrupted by Ctrl-C or SIGTERM, and 1 otherwise.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

mod args;
mod commands;
mod context;
mod debug_log;
mod interrupt;
mod keychains;
mod ui;

use args::global::GlobalArgs;
use args::{Command, Invocation, UsageError};
use commands::CommandError;
use commands::version::VERSION;
use context::Context;
use interrupt::Interrupts;
use ui::progress::{Bars, Progress};
use ui::{Mode, Presentation, Ui};

/// How long work on other threads may take to notice that the command is over.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    // It fails when a provider is installed already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let words: Vec<OsString> = std::env::args_os().collect();
    match args::parse(&words) {
        Ok(Invocation::Run(run)) => {
            let (global, command) = *run;
            perform(&global, &command)
        }
        other => answer(other),
    }
}

/// Runs a command and says how it went.
fn perform(global: &GlobalArgs, command: &Command) -> ExitCode {
    let terminal = io::stdout().is_terminal();
    let mut presentation = global.presentation(terminal, |name| std::env::var(name).ok());
    if presentation.mode == Mode::Json && matches!(command, Command::Serve(_)) {
        // Its stdout is one line for whoever waits for its address.
        presentation.mode = Mode::Plain;
    }
    let json = presentation.mode == Mode::Json;
    let style = global.progress_style(io::stderr().is_terminal(), |name| std::env::var(name).ok());
    let bars = Bars::hidden();
    let ui = Arc::new(Ui::new(presentation, io::stdout(), io::stderr()).beside(bars.clone()));
    if let Some(deprecation) = command.deprecation() {
        // The reference prints this on stdout, where it would spoil a JSON document.
        if json { ui.alert(deprecation) } else { ui.raw(&format!("{deprecation}\n")) }
    }
    let progress = Progress::new(style, Arc::clone(&ui), bars);
    let context = Context { ui: Arc::clone(&ui), progress, debug: global.debug };
    let result = run(command, &context);
    context.progress.finish(result.as_ref().err().map(|error| ui::error::message(error)));
    if let Err(error) = &result {
        ui.error(error);
        commands::hints(command).iter().for_each(|hint| ui.alert(hint));
    }
    let result = result.and(ui.finish().map_err(CommandError::Output).inspect_err(|error| ui.error(error)));
    result.map_or_else(|error| ExitCode::from(error.exit_code()), |()| ExitCode::SUCCESS)
}

/// Runs a command until it is done or interrupted. `serve` deals with interrupts itself: they are its proper end.
fn run(command: &Command, context: &Context) -> Result<(), CommandError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::Runtime)?;
    let result = runtime.block_on(async {
        if matches!(command, Command::Serve(_)) {
            return commands::run(command, context).await;
        }
        let mut interrupts = Interrupts::listen();
        tokio::select! {
            biased;
            result = commands::run(command, context) => result,
            interrupt = interrupts.next() => Err(CommandError::Interrupted(interrupt)),
        }
    });
    runtime.shutdown_timeout(PATIENCE);
    result
}

/// Answers a command line that runs no command. The flags about output do not count yet: it is answered as on a terminal,
/// without colour, as the reference does.
fn answer(invocation: Result<Invocation, UsageError>) -> ExitCode {
    let ui = Ui::new(Presentation::preliminary(), io::stdout(), io::stderr());
    let answered = match invocation {
        Ok(Invocation::Help(text)) => {
            ui.block(&text);
            ui.succeeded();
            true
        }
        Ok(Invocation::Version) => {
            ui.block(VERSION);
            ui.succeeded();
            true
        }
        Ok(Invocation::HelpCommand(text)) => {
            ui.block(&text);
            true
        }
        Ok(Invocation::Nothing(text)) => {
            ui.block(&text);
            ui.error(&io::Error::other("Invalid command - see available commands/subcommands above"));
            false
        }
        Ok(Invocation::Run(run)) => return perform(&run.0, &run.1),
        Err(error) => {
            ui.error(&error);
            false
        }
    };
    if answered && ui.finish().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

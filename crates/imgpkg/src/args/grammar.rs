//! What turns clap's grammar into that of Go's flag parsers: the same for every command, hence in one place.

use std::any::TypeId;
use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};

const EXTRA: &str = "extra_arguments";

/// Applies the rules of Go's flags to a command and all below it.
pub(super) fn with_go_flags(command: Command) -> Command {
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::SetTrue)
        .help(format!("help for {}", command.get_name()));
    let is_root = command.get_name() == "imgpkg";
    let mut command = command
        .args_override_self(true)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .mut_args(go_flag)
        .arg(help)
        .mut_subcommands(with_go_flags);
    if is_root {
        let version = Arg::new("version").short('v').long("version").action(ArgAction::SetTrue);
        command = command.arg(version.help("version for imgpkg"));
    }
    command
}

/// A boolean takes a value only behind `=`; anything else takes the next word whatever it looks like, except a flag whose
/// value may be left out.
fn go_flag(flag: Arg) -> Arg {
    if flag.is_positional() {
        flag
    } else if flag.get_value_parser().type_id() == TypeId::of::<bool>() {
        flag.num_args(0..=1).require_equals(true).default_missing_value("true")
    } else if flag.get_num_args().is_some() {
        flag
    } else {
        flag.allow_hyphen_values(true)
    }
}

/// Lets every command take any number of words behind its flags, so that they can be refused in the reference's words.
pub(super) fn with_extra_arguments(command: Command) -> Command {
    let takes_words = command.get_positionals().next().is_some();
    let command = command.mut_subcommands(with_extra_arguments);
    if takes_words {
        return command;
    }
    let parser = clap::value_parser!(OsString);
    command.arg(Arg::new(EXTRA).num_args(0..).action(ArgAction::Append).value_parser(parser).hide(true))
}

/// The commands that were typed, from the root on.
pub(super) struct Path<'a> {
    /// Their names below the root.
    pub(super) names: Vec<String>,
    /// What was typed at each of them, the root included.
    pub(super) levels: Vec<&'a ArgMatches>,
}

/// Follows the commands that were typed.
pub(super) fn path(matches: &ArgMatches) -> Path<'_> {
    let mut path = Path { names: Vec::new(), levels: vec![matches] };
    let mut level = matches;
    while let Some((name, below)) = level.subcommand() {
        path.names.push(name.to_owned());
        path.levels.push(below);
        level = below;
    }
    path
}

impl Path<'_> {
    /// The first word that no command takes, and the command that it was typed behind.
    pub(super) fn first_extra_argument(&self) -> Option<(String, String)> {
        for (depth, level) in self.levels.iter().enumerate() {
            let extra =
                level.try_get_many::<OsString>(EXTRA).ok().flatten().and_then(|mut words| words.next());
            if let Some(extra) = extra {
                let names: Vec<&str> = std::iter::once("imgpkg")
                    .chain(self.names.iter().take(depth).map(String::as_str))
                    .collect();
                return Some((names.join(" "), extra.to_string_lossy().into_owned()));
            }
        }
        None
    }
}

/// Was this flag without a value typed at this level?
pub(super) fn flag(level: &ArgMatches, id: &str) -> bool {
    level.try_get_one::<bool>(id).ok().flatten().copied().unwrap_or(false)
}

//! Help texts in the reference's layout: what the command is for, how it is called, examples, subcommands, flags.

use std::any::TypeId;
use std::time::Duration;

use clap::{Arg, ArgAction, Command};

use super::value::{CsvRecord, Labels};

/// The least width of the column with the names of subcommands.
const LEAST_NAME_WIDTH: usize = 11;

/// The help of the command that these names lead to; names that lead nowhere end the way.
pub(super) fn text(root: &Command, names: &[String]) -> String {
    let mut path = vec![root];
    for name in names {
        let here = path.last().copied().unwrap_or(root);
        let Some(below) = here.find_subcommand(name) else { break };
        path.push(below);
    }
    let command = path.last().copied().unwrap_or(root);
    let name: Vec<&str> = path.iter().map(|command| command.get_name()).collect();
    let mut sections = vec![summary(command)];
    sections.extend(command.get_long_about().map(|text| text.to_string()));
    sections.push(usage(command, &name.join(" ")));
    sections.extend(aliases(command));
    sections.extend(command.get_after_long_help().map(|text| format!("Examples:\n{text}")));
    sections.extend(subcommands(command));
    sections.extend(flags(
        "Flags:",
        command.get_arguments().filter(|flag| !flag.is_global_set() || path.len() == 1),
    ));
    if path.len() > 1 {
        sections.extend(flags("Global Flags:", root.get_arguments().filter(|flag| flag.is_global_set())));
    }
    if children(command).next().is_some() {
        let name = name.join(" ");
        sections.push(format!("Use \"{name} [command] --help\" for more information about a command."));
    }
    sections.join("\n\n") + "\n"
}

/// What a command is for; a parent's ends with the names of its children.
fn summary(command: &Command) -> String {
    let about = command.get_about().map(|about| about.to_string()).unwrap_or_default();
    let names: Vec<&str> = children(command)
        .map(Command::get_name)
        .filter(|name| !matches!(*name, "completion" | "help"))
        .collect();
    if names.is_empty() { about } else { format!("{about} ({})", names.join(", ")) }
}

/// The commands below this one, by name.
fn children(command: &Command) -> impl Iterator<Item = &Command> {
    let mut children: Vec<&Command> =
        command.get_subcommands().filter(|child| !child.is_hide_set()).collect();
    children.sort_by_key(|child| child.get_name());
    children.into_iter()
}

fn usage(command: &Command, name: &str) -> String {
    let words: String = command
        .get_positionals()
        .filter_map(|argument| argument.get_value_names()?.first())
        .map(|word| format!(" [{word}]"))
        .collect();
    let alone = format!("{name}{words} [flags]");
    let below = format!("{name} [command]");
    match children(command).next() {
        None => format!("Usage:\n  {alone}"),
        // The root has flags that ask for something by themselves; other parents do nothing without one of their commands.
        Some(_) if name.contains(' ') => format!("Usage:\n  {below}"),
        Some(_) => format!("Usage:\n  {alone}\n  {below}"),
    }
}

fn aliases(command: &Command) -> Option<String> {
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    (!aliases.is_empty()).then(|| format!("Aliases:\n  {}, {}", command.get_name(), aliases.join(", ")))
}

fn subcommands(command: &Command) -> Option<String> {
    let width = children(command).map(|child| child.get_name().len()).max()?.max(LEAST_NAME_WIDTH);
    let lines: Vec<String> =
        children(command).map(|child| format!("  {:width$} {}", child.get_name(), summary(child))).collect();
    Some(format!("Available Commands:\n{}", lines.join("\n")))
}

/// Flags by their long names, descriptions in one column.
fn flags<'a>(title: &str, flags: impl Iterator<Item = &'a Arg>) -> Option<String> {
    let mut flags: Vec<&Arg> =
        flags.filter(|flag| !flag.is_hide_set() && flag.get_long().is_some()).collect();
    flags.sort_by_key(|flag| flag.get_long());
    let spellings: Vec<String> = flags.iter().map(|flag| spelling(flag)).collect();
    let width = spellings.iter().map(String::len).max()?;
    let lines: Vec<String> = flags
        .iter()
        .zip(&spellings)
        .map(|(flag, spelling)| {
            let help = flag.get_help().map(|help| help.to_string()).unwrap_or_default();
            format!("{spelling:width$}   {help}{}", default(flag))
        })
        .collect();
    Some(format!("{title}\n{}", lines.join("\n")))
}

/// `  -f, --file strings`
fn spelling(flag: &Arg) -> String {
    let short = flag.get_short().map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
    let kind = kind(flag);
    let space = if kind.is_empty() { "" } else { " " };
    format!("  {short}--{}{space}{kind}", flag.get_long().unwrap_or_default())
}

/// The reference's name for the kind of value that a flag takes.
fn kind(flag: &Arg) -> &'static str {
    let id = flag.get_value_parser().type_id();
    if id == TypeId::of::<bool>() || matches!(flag.get_action(), ArgAction::SetTrue) {
        ""
    } else if id == TypeId::of::<CsvRecord>() {
        "strings"
    } else if id == TypeId::of::<Labels>() {
        "stringToString"
    } else if id == TypeId::of::<Duration>() {
        "duration"
    } else if id == TypeId::of::<i64>() {
        "int"
    } else {
        "string"
    }
}

/// ` (default …)`, unless the default is nothing.
fn default(flag: &Arg) -> String {
    let value = flag.get_default_values().first().map(|value| value.to_string_lossy()).unwrap_or_default();
    match (kind(flag), value.as_ref()) {
        ("stringToString", "") => " (default [])".to_owned(),
        (_, "" | "false") => String::new(),
        ("string", value) => format!(" (default {value:?})"),
        ("strings", value) => format!(" (default [{value}])"),
        (_, value) => format!(" (default {value})"),
    }
}

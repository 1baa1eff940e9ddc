//! `--file-exclusion`, and the older name that it had.

use clap::error::Error;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::value::{self, CsvRecord};

const FLAG: &str = "file_exclusion";
const OLDER_FLAG: &str = "file_exclude_defaults";

/// Paths that are left out of a layer. The flag's two names fill one list, in the order in which they are typed; the first
/// occurrence replaces the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exclusions {
    /// The paths, relative to each directory that is packed.
    pub(crate) paths: Vec<String>,
    /// Was the flag given, under either name?
    pub(crate) given: bool,
    /// Was its older name used?
    pub(crate) deprecated: bool,
}

impl clap::Args for Exclusions {
    fn augment_args(command: Command) -> Command {
        let flag = |id: &'static str| Arg::new(id).action(ArgAction::Append).value_parser(value::csv_record);
        command
            .arg(flag(FLAG).long("file-exclusion").default_value(".git").help(
                "Exclude file whose path, relative to the bundle root, matches \
                 (format: bar.yaml, nested-dir/baz.txt) (can be specified multiple times)",
            ))
            .arg(flag(OLDER_FLAG).long("file-exclude-defaults").hide(true))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Exclusions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut typed = Vec::new();
        for id in [FLAG, OLDER_FLAG] {
            if matches.value_source(id) == Some(ValueSource::CommandLine) {
                let records = matches.get_many::<CsvRecord>(id).unwrap_or_default().cloned();
                typed.extend(matches.indices_of(id).unwrap_or_default().zip(records));
            }
        }
        typed.sort_by_key(|(position, _)| *position);
        let given = !typed.is_empty();
        let records: Vec<CsvRecord> = if given {
            typed.into_iter().map(|(_, record)| record).collect()
        } else {
            matches.get_many::<CsvRecord>(FLAG).unwrap_or_default().cloned().collect()
        };
        let deprecated = matches.contains_id(OLDER_FLAG);
        Ok(Self { paths: value::items(&records), given, deprecated })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

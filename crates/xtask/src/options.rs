//! The arguments of `cargo xtask bench`.

use std::path::PathBuf;

use crate::error::Error;

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// One round with our own binary and the embedded registry only.
    pub(crate) quick: bool,
    /// How often each job is run.
    pub(crate) rounds: usize,
    /// The only workload to run, `S` or `L`; `None` for both.
    pub(crate) only: Option<String>,
    /// The binary under test; `None` to build it.
    pub(crate) binary: Option<PathBuf>,
    /// Where every number goes, to be read by programs.
    pub(crate) json: Option<PathBuf>,
    /// Leave `docker-registry` out even where it is installed.
    pub(crate) no_docker: bool,
}

impl Options {
    /// Reads the arguments behind `bench`.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut options =
            Self { quick: false, rounds: 0, only: None, binary: None, json: None, no_docker: false };
        while let Some(argument) = arguments.next() {
            let mut value = |name: &str| {
                arguments.next().ok_or_else(|| Error::Usage { problem: format!("{name} needs a value") })
            };
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--no-docker" => options.no_docker = true,
                "--rounds" => options.rounds = rounds(&value("--rounds")?)?,
                "--only" => options.only = Some(workload(&value("--only")?)?),
                "--binary" => options.binary = Some(value("--binary")?.into()),
                "--json" => options.json = Some(value("--json")?.into()),
                unknown => {
                    return Err(Error::Usage { problem: format!("{unknown} is not an argument of bench") });
                }
            }
        }
        if options.rounds == 0 {
            options.rounds = if options.quick { 1 } else { 3 };
        }
        Ok(options)
    }

    /// Is this workload to be run?
    pub(crate) fn includes(&self, workload: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == workload)
    }
}

fn rounds(text: &str) -> Result<usize, Error> {
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| Error::Usage { problem: format!("--rounds {text} is not a number above zero") })
}

fn workload(text: &str) -> Result<String, Error> {
    match text {
        "S" | "L" => Ok(text.to_owned()),
        _ => Err(Error::Usage { problem: format!("--only {text} is neither S nor L") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, Error> {
        Options::parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn everything_is_measured_three_times_by_default_and_once_in_a_hurry() {
        assert_eq!(parse("").unwrap().rounds, 3);
        assert_eq!(parse("--quick").unwrap().rounds, 1);
        assert_eq!(parse("--quick --rounds 5").unwrap().rounds, 5);
        assert!(parse("").unwrap().includes("S") && parse("").unwrap().includes("L"));
        assert!(!parse("--only S").unwrap().includes("L"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["--rounds", "--rounds 0", "--rounds x", "--only M", "--fast"] {
            assert!(matches!(parse(text), Err(Error::Usage { .. })), "{text}");
        }
    }
}

//! The kinds of values that flags take, read by the rules of Go's flag parsers, which the reference uses and scripts rely on.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

mod boolean;
mod csv;
mod duration;
mod integer;
mod labels;
mod progress;

pub(crate) use boolean::boolean;
pub(crate) use csv::{CsvRecord, csv_record, items};
pub(crate) use duration::duration;
pub(crate) use integer::integer;
pub(crate) use labels::{Labels, labels};
pub(crate) use progress::{ProgressChoice, progress};

/// Reads a path. Unlike clap's own reader it takes an empty one, which counts as a flag that was not given.
pub(crate) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Why a text is not a value of the kind that a flag takes. The texts are the reference's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ValueError {
    /// Neither true nor false.
    #[error("strconv.ParseBool: parsing {text:?}: invalid syntax")]
    Boolean {
        /// What was given.
        text: String,
    },
    /// No integer.
    #[error("strconv.ParseInt: parsing {text:?}: invalid syntax")]
    Integer {
        /// What was given.
        text: String,
    },
    /// An integer of more than 64 bits.
    #[error("strconv.ParseInt: parsing {text:?}: value out of range")]
    IntegerRange {
        /// What was given.
        text: String,
    },
    /// No duration.
    #[error("time: invalid duration {text:?}")]
    Duration {
        /// What was given.
        text: String,
    },
    /// A duration with a number that has no unit.
    #[error("time: missing unit in duration {text:?}")]
    DurationWithoutUnit {
        /// What was given.
        text: String,
    },
    /// A duration with a unit that is none.
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    DurationUnit {
        /// What was given.
        text: String,
        /// What stands where a unit should.
        unit: String,
    },
    /// A quotation mark within a field that does not begin with one.
    #[error("parse error on line 1, column {column}: bare \" in non-quoted-field")]
    CsvBareQuote {
        /// Where it is, in bytes, from 1.
        column: usize,
    },
    /// A quoted field that does not end, or goes on behind its end.
    #[error("parse error on line 1, column {column}: extraneous or missing \" in quoted-field")]
    CsvQuote {
        /// Where that shows, in bytes, from 1.
        column: usize,
    },
    /// More than one line.
    #[error("expected one line of comma-separated values, got more")]
    CsvLines,
    /// No way to show progress.
    #[error("it can only have the following values [auto, plain, json, none]")]
    Progress,
    /// A label without a value.
    #[error("{pair} must be formatted as key=value")]
    Label {
        /// What was given.
        pair: String,
    },
}

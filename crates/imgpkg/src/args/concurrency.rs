//! `--concurrency`.

use std::num::NonZeroUsize;

use super::ArgumentError;

/// The number of requests at a time that was asked for, if any.
///
/// # Errors
/// When it is below one.
pub(crate) fn concurrency(flag: Option<i64>) -> Result<Option<NonZeroUsize>, ArgumentError> {
    let Some(given) = flag else { return Ok(None) };
    // More than an address space can count is the same as no limit.
    let positive = if given < 1 { 0 } else { usize::try_from(given).unwrap_or(usize::MAX) };
    NonZeroUsize::new(positive).map(Some).ok_or(ArgumentError::Concurrency { given })
}

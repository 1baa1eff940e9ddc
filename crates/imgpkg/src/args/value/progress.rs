use super::ValueError;

/// How the user wants progress to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgressChoice {
    /// As it suits where stderr goes.
    Auto,
    /// As lines.
    Plain,
    /// As one JSON object for each event.
    Json,
    /// Not at all.
    None,
}

/// Reads a way to show progress.
pub(crate) fn progress(text: &str) -> Result<ProgressChoice, ValueError> {
    match text {
        "auto" => Ok(ProgressChoice::Auto),
        "plain" => Ok(ProgressChoice::Plain),
        "json" => Ok(ProgressChoice::Json),
        "none" => Ok(ProgressChoice::None),
        _ => Err(ValueError::Progress),
    }
}

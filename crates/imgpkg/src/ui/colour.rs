//! When there is colour, and the two places where: errors are red, table headers bold.

/// Is there colour? `--color` asks for it; it then takes a terminal that is not `dumb`. `FORCE_COLOR` decides without
/// asking the terminal. `NO_COLOR`, which the reference ignores, is honoured.
pub(crate) fn enabled(flag: bool, terminal: bool, environment: impl Fn(&str) -> Option<String>) -> bool {
    if !flag {
        return false;
    }
    match environment("FORCE_COLOR").as_deref() {
        Some("0") => return false,
        Some("1" | "2" | "3") => return true,
        _ => {}
    }
    let refused = environment("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = environment("TERM").as_deref() == Some("dumb");
    terminal && !dumb && !refused
}

/// The text in red.
pub(crate) fn red(text: &str) -> String {
    format!("\x1b[31m{text}\x1b[0m")
}

/// The text in bold.
pub(crate) fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let variables: Vec<_> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        move |name| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn colour_takes_the_flag_and_a_capable_terminal() {
        assert!(enabled(true, true, with(&[])));
        assert!(!enabled(false, true, with(&[])));
        assert!(!enabled(true, false, with(&[])));
        assert!(!enabled(true, true, with(&[("TERM", "dumb")])));
    }

    #[test]
    fn force_color_decides_unless_the_flag_is_off() {
        assert!(enabled(true, false, with(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")])));
        assert!(!enabled(true, true, with(&[("FORCE_COLOR", "0")])));
        assert!(!enabled(false, true, with(&[("FORCE_COLOR", "3")])));
        assert!(enabled(true, true, with(&[("FORCE_COLOR", "yes")])));
    }

    #[test]
    fn no_color_counts_when_it_is_not_empty() {
        assert!(!enabled(true, true, with(&[("NO_COLOR", "1")])));
        assert!(enabled(true, true, with(&[("NO_COLOR", "")])));
    }
}

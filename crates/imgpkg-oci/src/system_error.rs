//! Errors of the operating system in the reference's words.

use std::error::Error;
use std::fmt;
use std::io;

/// An error of the operating system. It prints as the reference prints it, `no such file or directory`: in lower case
/// and without its number.
#[derive(Debug)]
pub struct SystemError(io::Error);

impl SystemError {
    /// What kind of error it is.
    pub fn kind(&self) -> io::ErrorKind {
        self.0.kind()
    }

    /// Is there no room left, on the disk or within the user's quota?
    pub fn is_full(&self) -> bool {
        matches!(self.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

impl From<io::Error> for SystemError {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        if self.0.raw_os_error().is_none() {
            return f.write_str(&text);
        }
        let words = text.rfind(" (os error ").map_or(text.as_str(), |end| &text[..end]);
        let mut characters = words.chars();
        if let Some(first) = characters.next() {
            write!(f, "{}", first.to_lowercase())?;
        }
        f.write_str(characters.as_str())
    }
}

impl Error for SystemError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_prints_like_the_reference() {
        let error = SystemError::from(io::Error::from_raw_os_error(2));
        assert_eq!(error.to_string(), "no such file or directory");
        let error = SystemError::from(io::Error::from_raw_os_error(28));
        assert_eq!(error.to_string(), "no space left on device");
        assert!(error.is_full());
    }

    #[test]
    fn an_error_that_is_not_the_systems_prints_as_it_is() {
        assert_eq!(SystemError::from(io::Error::other("Cut")).to_string(), "Cut");
    }
}

//! Tar headers, byte for byte as the reference writes them into layers and archives.
//!
//! A layer's digest covers its tar, so every header field, the choice between the header formats and the padding are
//! part of the promise of this crate. The functions here are pure: they turn an entry's description into the blocks
//! that precede its content; reading files and putting bytes somewhere is the caller's.
//!
//! An entry is written as [`Entry::header`], then exactly `size` bytes of content, then [`padding`] zero bytes; after
//! the last entry comes [`END`] and nothing more (no padding to a record of 10 KiB).
//!
//! ```
//! use imgpkg_formats::tar::{self, Entry, Mode};
//!
//! let content = b"hello\n";
//! let mut archive = Entry::file("hello.txt", Mode::owner(0o644), content.len() as u64).header()?;
//! archive.extend_from_slice(content);
//! archive.resize(archive.len() + tar::padding(content.len() as u64), 0);
//! archive.extend_from_slice(&tar::END);
//! assert_eq!(archive.len(), 512 + 512 + 1024);
//! # Ok::<(), tar::Error>(())
//! ```
//!
//! # Which format an entry gets
//!
//! The first of these that can hold the entry:
//!
//! 1. **USTAR**: an ASCII name of at most 100 bytes, or one that splits at a `/` into the prefix and name fields; less
//!    than 8 GiB; a mode of at most seven octal digits.
//! 2. **PAX**: an extended header with a `path` record, a `size` record or both precedes the entry. Names are bytes
//!    here: what is not UTF-8 goes into the record as it is, although the format asks for UTF-8, because that is what
//!    the reference's writer does.
//! 3. **GNU**: only for a mode that does not fit seven octal digits, see [`Mode::preserved`].

mod gnu;
mod header;
mod mode;
mod pax;

#[cfg(test)]
mod tests;

pub use mode::Mode;

use header::{BLOCK, NAME, OCTAL_SIZE_LIMIT};

/// The end of an archive: two blocks of zeros.
pub const END: [u8; 1024] = [0; 1024];

/// How many zero bytes follow `size` bytes of content, so that the next header starts at a multiple of 512: 0 to 511.
///
/// ```
/// assert_eq!(imgpkg_formats::tar::padding(513), 511);
/// ```
#[must_use]
pub const fn padding(size: u64) -> usize {
    // At most 511, so the cast keeps the value.
    (size.wrapping_neg() % BLOCK as u64) as usize
}

/// Why an entry cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name is empty.
    #[error("Tar entry has an empty name")]
    EmptyName,
    /// The name contains a NUL byte, which ends a name in every tar format.
    #[error("Tar entry name '{name}' contains a NUL byte")]
    NulInName {
        /// The name, with invalid UTF-8 replaced.
        name: String,
    },
    /// A file's name ends in `/`, which readers take for a directory.
    #[error("Tar entry name '{name}' of a file ends with a slash")]
    TrailingSlash {
        /// The name, with invalid UTF-8 replaced.
        name: String,
    },
    /// The size is larger than a signed 64-bit number, the most that readers can hold.
    #[error("Tar entry '{name}' is too large: {size} bytes")]
    TooLarge {
        /// The name, with invalid UTF-8 replaced.
        name: String,
        /// The size in bytes.
        size: u64,
    },
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
}

impl Kind {
    const fn type_flag(self) -> u8 {
        match self {
            Self::File => b'0',
            Self::Directory => b'5',
        }
    }
}

/// The description of one entry: name, kind, mode and size. Owner, group and time are always zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    name: &'a [u8],
    kind: Kind,
    mode: Mode,
    size: u64,
}

impl<'a> Entry<'a> {
    /// A regular file whose content has `size` bytes.
    ///
    /// `name` is `/`-separated and relative; it is bytes because file names are, on Unix.
    pub fn file<N: AsRef<[u8]> + ?Sized>(name: &'a N, mode: Mode, size: u64) -> Self {
        Self { name: name.as_ref(), kind: Kind::File, mode, size }
    }

    /// A directory. `name` is written as it is: the reference gives directories no trailing slash.
    ///
    /// `mode` is [`Mode::DIRECTORY`], or [`Mode::preserved_directory`] under `--preserve-permissions`.
    pub fn directory<N: AsRef<[u8]> + ?Sized>(name: &'a N, mode: Mode) -> Self {
        Self { name: name.as_ref(), kind: Kind::Directory, mode, size: 0 }
    }

    /// All blocks that precede the entry's content: an extended header or a long-name entry where the entry needs one,
    /// then its own header. The length is a multiple of 512.
    ///
    /// # Errors
    ///
    /// When no tar format can hold the name or the size; see [`Error`].
    pub fn header(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        if !self.mode.fits_octal() {
            return Ok(gnu::header(self));
        }
        let fits_size = self.size < OCTAL_SIZE_LIMIT;
        match header::split(self.name) {
            Some((prefix, name)) if fits_size => Ok(header::ustar(self, prefix, name).to_vec()),
            _ => Ok(pax::header(self)),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let name = || String::from_utf8_lossy(self.name).into_owned();
        if self.name.is_empty() {
            return Err(Error::EmptyName);
        }
        if self.name.contains(&0) {
            return Err(Error::NulInName { name: name() });
        }
        if self.kind == Kind::File && self.name.ends_with(b"/") {
            return Err(Error::TrailingSlash { name: name() });
        }
        if i64::try_from(self.size).is_err() {
            return Err(Error::TooLarge { name: name(), size: self.size });
        }
        Ok(())
    }

    /// Whether the name needs more than the name field, whatever the format.
    const fn has_long_name(&self) -> bool {
        self.name.len() > NAME
    }
}

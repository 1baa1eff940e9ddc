//! The mode field's number, which under `--preserve-permissions` is not what other tar writers put there.

/// The number in an entry's mode field.
///
/// Without `--preserve-permissions` it is a plain permission number. With it, the reference writes the mode number of
/// the language it is written in, where the bits beyond the permissions are not those of Unix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(u32);

/// Marks a directory in a preserved mode.
const DIRECTORY: u32 = 0x8000_0000;
/// Set-user-id in a preserved mode.
const SETUID: u32 = 0x0080_0000;
/// Set-group-id in a preserved mode.
const SETGID: u32 = 0x0040_0000;
/// The sticky bit in a preserved mode.
const STICKY: u32 = 0x0010_0000;
/// The first number that seven octal digits cannot hold.
const OCTAL_LIMIT: u32 = 0o10_000_000;

impl Mode {
    /// 0700, the mode of every directory without `--preserve-permissions`.
    pub const DIRECTORY: Self = Self(0o700);

    /// 0644, the mode of every entry of an archive of images.
    pub const ARCHIVE: Self = Self(0o644);

    /// A file's mode without `--preserve-permissions`: the owner's bits of the Unix mode (`st_mode`), nothing else.
    #[must_use]
    pub const fn owner(unix_mode: u32) -> Self {
        Self(unix_mode & 0o700)
    }

    /// A file's mode with `--preserve-permissions`, from its Unix mode (`st_mode`): the nine permission bits, and the
    /// set-user-id, set-group-id and sticky bits where the reference has them.
    ///
    /// The first two do not fit the octal field and switch the entry to the GNU format.
    #[must_use]
    pub const fn preserved(unix_mode: u32) -> Self {
        let mut mode = unix_mode & 0o777;
        if unix_mode & 0o4000 != 0 {
            mode |= SETUID;
        }
        if unix_mode & 0o2000 != 0 {
            mode |= SETGID;
        }
        if unix_mode & 0o1000 != 0 {
            mode |= STICKY;
        }
        Self(mode)
    }

    /// A directory's mode with `--preserve-permissions`: as [`Mode::preserved`] with the mark of a directory on top, so
    /// that such an entry is always in the GNU format.
    #[must_use]
    pub const fn preserved_directory(unix_mode: u32) -> Self {
        Self(Self::preserved(unix_mode).0 | DIRECTORY)
    }

    /// The number itself.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether seven octal digits hold it.
    pub(super) const fn fits_octal(self) -> bool {
        self.0 < OCTAL_LIMIT
    }
}

//! What an entry's header asks for.

use std::fs::FileTimes;
use std::io;
use std::time::{Duration, SystemTime};

/// The longest name of an entry, in bytes: longer than any path that an operating system takes.
const MAX_NAME: usize = 4096;

/// The deepest path of an entry. Directories are opened one inside the other when they are deleted.
const MAX_DEPTH: usize = 256;

/// The steps of an entry's name from the output directory. Absolute names start there too; none step out of it.
///
/// # Errors
/// Why the name is not used.
pub(super) fn components(name: &[u8]) -> Result<Vec<&[u8]>, &'static str> {
    if name.len() > MAX_NAME {
        return Err("its name is longer than 4096 bytes");
    }
    if name.contains(&0) {
        return Err("its name contains a NUL byte");
    }
    // Old versions of the reference wrote names with backslashes on Windows.
    let has_backslash = name.contains(&b'\\');
    let is_separator = |byte: &u8| *byte == b'/' || has_backslash && *byte == b'\\';
    let steps: Vec<_> = name.split(is_separator).filter(|step| !step.is_empty() && *step != b".").collect();
    if steps.contains(&&b".."[..]) {
        return Err("its name has a '..' component, which could lead out of the output directory");
    }
    if steps.len() > MAX_DEPTH {
        return Err("it lies more than 256 directories deep");
    }
    Ok(steps)
}

/// The permissions to create a file with, before the umask: those in the header where they say anything about group and
/// others, else the owner's for everybody, because layers pushed without `--preserve-permissions` have no others.
pub(super) fn file_mode(header: u32) -> u32 {
    let mode = header & 0o777;
    if mode & 0o077 == 0 { mode | mode >> 3 | mode >> 6 } else { mode }
}

/// The number in the header's mode field. A mode with bits beyond the field's seven octal digits is in base 256.
pub(super) fn header_mode(header: &tar::Header) -> io::Result<u32> {
    match header.as_old().mode {
        [0x80, 0, 0, 0, a, b, c, d] => Ok(u32::from_be_bytes([a, b, c, d])),
        field => or_zero(&field, header.mode()),
    }
}

/// The user and the group that the header names.
pub(super) fn owner(header: &tar::Header) -> io::Result<(u64, u64)> {
    let old = header.as_old();
    Ok((or_zero(&old.uid, header.uid())?, or_zero(&old.gid, header.gid())?))
}

/// A number in a header. Some writers leave fields that they do not need empty, which is read as zero everywhere.
fn or_zero<T: Default>(field: &[u8], number: io::Result<T>) -> io::Result<T> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) { Ok(T::default()) } else { number }
}

/// The access and modification time of a file: the later of the two in the header. `None` for a time that no file has.
pub(super) fn times<R: io::Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Option<FileTimes>> {
    let header = entry.header();
    let mut modified = Duration::from_secs(or_zero(&header.as_old().mtime, header.mtime())?);
    let mut accessed = Duration::ZERO;
    // A record that cannot be read is no reason to stop: binary attributes that contain a line end look like that.
    for record in entry.pax_extensions()?.into_iter().flatten().flatten() {
        match record.key_bytes() {
            b"mtime" => modified = seconds(record.value_bytes()).unwrap_or(modified),
            b"atime" => accessed = seconds(record.value_bytes()).unwrap_or(accessed),
            _ => {}
        }
    }
    let time = SystemTime::UNIX_EPOCH.checked_add(modified.max(accessed));
    Ok(time.map(|time| FileTimes::new().set_accessed(time).set_modified(time)))
}

/// A number of seconds with an optional fraction, as PAX records have it. `None` where it is something else, or before 1970.
fn seconds(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = nanoseconds.fold(0, |sum, digit| 10 * sum + u32::from(digit - b'0'));
    Some(Duration::new(whole.parse().ok()?, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(name: &str) -> Result<Vec<&[u8]>, &'static str> {
        components(name.as_bytes())
    }

    #[test]
    fn names_are_taken_apart_at_slashes_and_lose_what_means_nothing() {
        assert_eq!(steps("a/b").unwrap(), [b"a", b"b"]);
        assert_eq!(steps("./a//b/.").unwrap(), [b"a", b"b"]);
        assert!(steps(".").unwrap().is_empty());
        assert!(steps("").unwrap().is_empty());
    }

    #[test]
    fn absolute_names_land_inside() {
        assert_eq!(steps("/etc/passwd").unwrap(), [&b"etc"[..], b"passwd"]);
    }

    #[test]
    fn names_from_windows_are_taken_apart_at_backslashes() {
        assert_eq!(steps(r"a\b\c").unwrap(), [b"a", b"b", b"c"]);
        assert_eq!(steps(r"a\b/c").unwrap(), [b"a", b"b", b"c"]);
    }

    #[test]
    fn names_that_step_back_are_refused() {
        for name in ["..", "../x", "a/../b", "a/..", r"a\..\..\b", "/../x"] {
            assert!(steps(name).unwrap_err().contains("'..'"), "{name}");
        }
        assert_eq!(steps("..a/b..").unwrap(), [b"..a", b"b.."]);
    }

    #[test]
    fn names_that_are_too_long_or_too_deep_are_refused() {
        assert!(steps(&"x".repeat(4097)).is_err());
        assert!(steps(&"x/".repeat(257)).is_err());
        assert_eq!(steps(&"x/".repeat(256)).unwrap().len(), 256);
        assert!(steps("a\0b").is_err());
    }

    #[test]
    fn the_owners_permissions_are_everybodys_unless_the_others_have_some() {
        let cases = [(0o600, 0o666), (0o700, 0o777), (0o400, 0o444), (0, 0), (0o664, 0o664), (0o604, 0o604)];
        for (header, mode) in cases {
            assert_eq!(file_mode(header), mode, "{header:o}");
        }
    }

    #[test]
    fn bits_beyond_the_permissions_are_dropped() {
        assert_eq!(file_mode(0o4755), 0o755);
        assert_eq!(file_mode(0x80_0000 | 0o755), 0o755);
    }

    #[test]
    fn an_empty_field_is_zero_and_a_broken_one_an_error() {
        let mut header = tar::Header::new_gnu();
        assert_eq!(owner(&header).unwrap(), (0, 0));
        assert_eq!(header_mode(&header).unwrap(), 0);
        header.as_old_mut().gid = *b"nonsense";
        assert!(owner(&header).is_err());
    }

    #[test]
    fn a_time_may_have_a_fraction() {
        assert_eq!(seconds(b"12"), Some(Duration::from_secs(12)));
        assert_eq!(seconds(b"12.5"), Some(Duration::from_millis(12_500)));
        assert_eq!(seconds(b"12.0000000019"), Some(Duration::new(12, 1)));
        for text in [&b"-1"[..], b"x", b"1.x", b"", b"\xff"] {
            assert_eq!(seconds(text), None);
        }
    }
}

//! One header block: where its fields are and how numbers and names are written into them.

use super::Entry;

/// The unit of a tar file, in bytes.
pub(super) const BLOCK: usize = 512;
/// The length of the name field.
pub(super) const NAME: usize = 100;
/// The length of the prefix field.
const PREFIX: usize = 155;
/// The first size that eleven octal digits cannot hold: 8 GiB.
pub(super) const OCTAL_SIZE_LIMIT: u64 = 1 << 33;

/// A header's bytes.
pub(super) type Header = [u8; BLOCK];

/// Fields by position.
mod field {
    use std::ops::Range;

    pub(super) const NAME: Range<usize> = 0..100;
    pub(super) const MODE: Range<usize> = 100..108;
    pub(super) const UID: Range<usize> = 108..116;
    pub(super) const GID: Range<usize> = 116..124;
    pub(super) const SIZE: Range<usize> = 124..136;
    pub(super) const MTIME: Range<usize> = 136..148;
    pub(super) const CHECKSUM: Range<usize> = 148..156;
    pub(super) const TYPE_FLAG: usize = 156;
    pub(super) const MAGIC: Range<usize> = 257..265;
    pub(super) const DEV_MAJOR: Range<usize> = 329..337;
    pub(super) const DEV_MINOR: Range<usize> = 337..345;
    pub(super) const PREFIX: Range<usize> = 345..500;
}

/// The magic and version fields, which tell the formats apart.
#[derive(Clone, Copy)]
pub(super) enum Magic {
    /// USTAR, and PAX, which extends it.
    Ustar,
    /// The old GNU format.
    Gnu,
}

impl Magic {
    const fn bytes(self) -> &'static [u8; 8] {
        match self {
            Self::Ustar => b"ustar\x0000",
            Self::Gnu => b"ustar  \0",
        }
    }
}

/// Prefix and name of `path` for a USTAR header, or nothing when it does not fit one.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if !path.is_ascii() {
        return None;
    }
    if path.len() <= NAME {
        return Some((b"", path));
    }
    // The slash itself is not stored, so it may be the byte after the longest prefix; one at the very end of the
    // path would leave no name.
    let searched = path.len().saturating_sub(1).min(PREFIX + 1);
    let slash = path.get(..searched)?.iter().rposition(|&byte| byte == b'/')?;
    let (prefix, name) = (path.get(..slash)?, path.get(slash + 1..)?);
    (!prefix.is_empty() && name.len() <= NAME).then_some((prefix, name))
}

/// The header of an entry that fits USTAR.
pub(super) fn ustar(entry: &Entry<'_>, prefix: &[u8], name: &[u8]) -> Header {
    let mut block = common(entry, name);
    octal(&mut block[field::MODE], u64::from(entry.mode.bits()));
    octal(&mut block[field::SIZE], entry.size);
    text(&mut block[field::PREFIX], prefix);
    seal(block, Magic::Ustar)
}

/// The header of an entry whose path, size or both stand in an extended header before it. `name` is what readers that
/// do not know the extension see.
pub(super) fn extended(entry: &Entry<'_>, name: &[u8]) -> Header {
    let mut block = common(entry, name);
    octal(&mut block[field::MODE], u64::from(entry.mode.bits()));
    // A size that does not fit is left to the record; the field says zero.
    octal(&mut block[field::SIZE], if entry.size < OCTAL_SIZE_LIMIT { entry.size } else { 0 });
    seal(block, Magic::Ustar)
}

/// The header of an entry in the GNU format, where numbers that do not fit octal digits are binary.
pub(super) fn gnu(entry: &Entry<'_>) -> Header {
    let mut block = common(entry, entry.name);
    number(&mut block[field::MODE], u64::from(entry.mode.bits()));
    number(&mut block[field::SIZE], entry.size);
    seal(block, Magic::Gnu)
}

/// The header of the helper entries that carry a long name or extended records: no mode, no device numbers.
pub(super) fn carrier(name: &[u8], type_flag: u8, size: u64, magic: Magic) -> Header {
    let mut block = [0; BLOCK];
    text(&mut block[field::NAME], name);
    octal(&mut block[field::MODE], 0);
    owner_and_time(&mut block);
    octal(&mut block[field::SIZE], size);
    block[field::TYPE_FLAG] = type_flag;
    seal(block, magic)
}

/// What the headers of all formats share.
fn common(entry: &Entry<'_>, name: &[u8]) -> Header {
    let mut block = [0; BLOCK];
    text(&mut block[field::NAME], name);
    owner_and_time(&mut block);
    block[field::TYPE_FLAG] = entry.kind.type_flag();
    octal(&mut block[field::DEV_MAJOR], 0);
    octal(&mut block[field::DEV_MINOR], 0);
    block
}

fn owner_and_time(block: &mut Header) {
    octal(&mut block[field::UID], 0);
    octal(&mut block[field::GID], 0);
    octal(&mut block[field::MTIME], 0);
}

/// Adds what identifies the format, then the checksum: the sum of all bytes with the checksum field taken as spaces.
fn seal(mut block: Header, magic: Magic) -> Header {
    block[field::MAGIC].copy_from_slice(magic.bytes());
    block[field::CHECKSUM].fill(b' ');
    let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
    // Six digits and NUL; the eighth byte stays a space.
    let start = field::CHECKSUM.start;
    octal(&mut block[start..start + 7], sum);
    block
}

/// `value` as octal digits that fill the field up to a final NUL. Higher digits than the field holds are lost, so the
/// caller checks first.
fn octal(field: &mut [u8], mut value: u64) {
    if let Some((last, digits)) = field.split_last_mut() {
        *last = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (value & 7) as u8;
            value >>= 3;
        }
    }
}

/// `value` as octal digits if they fit, else big-endian with the top bit of the field set.
fn number(field: &mut [u8], value: u64) {
    let digits = field.len().saturating_sub(1) as u32;
    if value.checked_shr(3 * digits).unwrap_or(0) == 0 {
        octal(field, value);
        return;
    }
    let bytes = value.to_be_bytes();
    let width = field.len().min(bytes.len());
    let (high, low) = field.split_at_mut(field.len() - width);
    high.fill(0);
    low.copy_from_slice(&bytes[bytes.len() - width..]);
    if let Some(first) = field.first_mut() {
        *first |= 0x80;
    }
}

/// Copies `value`, cut to the field. Where the cut leaves a `/` at the end, readers could take a file for a directory,
/// so the first of the slashes at the end becomes NUL.
fn text(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
    if value.len() > field.len() && field.last() == Some(&b'/') {
        let kept = field.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
        field[kept] = 0;
    }
}

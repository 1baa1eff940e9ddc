//! One header block of a tar, as any of the common writers makes it: ustar, GNU and PAX.

use super::BLOCK;

/// The 512 bytes before an entry's content.
pub(super) struct Header {
    block: [u8; BLOCK as usize],
}

/// What kind of entry follows, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File,
    /// A link, a directory, a device: an entry without content, whatever its size field says.
    Bare,
    /// Records about the next entry (PAX).
    Records,
    /// The name of the next entry (GNU).
    LongName,
    /// Something about the next entry, or all of them, that does not matter here: a long link name (GNU), global records.
    Aside,
    /// A file with holes (GNU), whose content is described in further blocks.
    Sparse,
    /// Something else with content.
    Other,
}

impl Header {
    /// A header of these bytes.
    pub(super) fn new(block: [u8; BLOCK as usize]) -> Self {
        Self { block }
    }

    /// Is it the mark of the archive's end?
    pub(super) fn is_end(&self) -> bool {
        self.block.iter().all(|&byte| byte == 0)
    }

    /// Is it a header at all? The checksum says so; some old writers added the bytes up as signed numbers.
    pub(super) fn is_valid(&self) -> bool {
        let Some(said) = number(&self.block[148..156]) else { return false };
        let counted = |at: usize, byte: u8| if (148..156).contains(&at) { b' ' } else { byte };
        let bytes = || self.block.iter().enumerate().map(|(at, &byte)| counted(at, byte));
        let unsigned: i64 = bytes().map(i64::from).sum();
        let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
        i64::try_from(said).is_ok_and(|said| said == unsigned || said == signed)
    }

    /// What follows.
    pub(super) fn kind(&self) -> Kind {
        match self.block[156] {
            b'0' | b'7' | 0 => Kind::File,
            b'1'..=b'6' => Kind::Bare,
            b'x' => Kind::Records,
            b'L' => Kind::LongName,
            b'K' | b'g' => Kind::Aside,
            b'S' => Kind::Sparse,
            _ => Kind::Other,
        }
    }

    /// The size of the content in bytes, where the field holds one.
    pub(super) fn size(&self) -> Option<u64> {
        number(&self.block[124..136])
    }

    /// The entry's name, in ustar with its prefix.
    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(&self.block[..100]);
        let prefix = if &self.block[257..263] == b"ustar\0" { text(&self.block[345..500]) } else { b"" };
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }
}

/// The bytes before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// A number: octal digits among spaces and NULs, or, with the highest bit set, binary (GNU). Nothing at all is zero.
fn number(field: &[u8]) -> Option<u64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        if first & 0x7f != 0 {
            return None;
        }
        return rest.iter().try_fold(0_u64, |sum, &byte| {
            sum.checked_mul(256).map(|sum| sum | u64::from(byte)).filter(|&sum| i64::try_from(sum).is_ok())
        });
    }
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !blank(byte)).unwrap_or(field.len());
    let digits = field[start..].split(blank).next().unwrap_or_default();
    digits.iter().try_fold(0_u64, |sum, &byte| match byte {
        b'0'..=b'7' => sum.checked_mul(8).map(|sum| sum + u64::from(byte - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"77777777777\0"), Some(0o77777777777));
        assert_eq!(number(b"777777777777"), Some(0o777777777777));
        assert_eq!(number(&[0; 12]), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x02\0\0\0\x01"), Some(0x2_0000_0001));
    }

    #[test]
    fn numbers_that_are_none_or_negative_or_too_large_are_refused() {
        assert_eq!(number(b"0000689\0"), None);
        assert_eq!(number(b"hello world!"), None);
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(number(b"\x80\x01\0\0\0\0\0\0\0\0\0\0"), None);
    }

    #[test]
    fn our_own_headers_are_valid_until_a_byte_changes() {
        let made =
            imgpkg_formats::tar::Entry::file("a", imgpkg_formats::tar::Mode::ARCHIVE, 7).header().unwrap();
        let mut block: [u8; 512] = made.try_into().unwrap();
        let header = Header::new(block);
        assert!(header.is_valid() && !header.is_end());
        assert_eq!((header.name(), header.size(), header.kind()), (b"a".to_vec(), Some(7), Kind::File));
        block[0] = b'b';
        assert!(!Header::new(block).is_valid());
    }
}

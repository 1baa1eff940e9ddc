//! What a layer is compressed with, told by its first bytes; media types are wrong too often.

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// How much compressed content is read at once.
const BUFFER: usize = 128 * 1024;

/// Reads what a layer unpacks to. It is looked at when the first byte is asked for.
pub(super) struct Decompressed<R: Read>(State<R>);

/// The content, with its first bytes put back in front.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

enum State<R: Read> {
    Unopened(R),
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<BufReader<Whole<R>>>>),
    Failed,
}

impl<R: Read> Decompressed<R> {
    pub(super) fn new(content: R) -> Self {
        Self(State::Unopened(content))
    }
}

impl<R: Read> State<R> {
    fn open(mut content: R) -> io::Result<Self> {
        let mut start = Vec::new();
        content.by_ref().take(ZSTD.len() as u64).read_to_end(&mut start)?;
        if start.starts_with(ZSTD) {
            let reason = "it is compressed with zstd, which is not supported yet";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
        let is_gzip = start.starts_with(GZIP);
        let whole = Cursor::new(start).chain(content);
        if is_gzip {
            let decoder = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole));
            return Ok(Self::Gzip(Box::new(decoder)));
        }
        Ok(Self::Plain(whole))
    }
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.0 {
                State::Plain(content) => return content.read(into),
                State::Gzip(content) => return content.read(into),
                State::Failed => return Err(io::Error::other("reading went on after an error")),
                unopened => {
                    if let State::Unopened(content) = std::mem::replace(unopened, State::Failed) {
                        *unopened = State::open(content)?;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn read(content: &[u8]) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        Decompressed::new(content).read_to_end(&mut all)?;
        Ok(all)
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_unpacked_and_several_members_are_one_content() {
        let two = [gzip(b"hello "), gzip(b"world")].concat();
        assert_eq!(read(&two).unwrap(), b"hello world");
    }

    #[test]
    fn what_is_not_compressed_is_passed_on() {
        for content in [&b""[..], b"a", b"\x1f", b"plain content"] {
            assert_eq!(read(content).unwrap(), content);
        }
    }

    #[test]
    fn a_gzip_that_ends_early_is_an_error() {
        let whole = gzip(&b"some content".repeat(100));
        assert!(read(&whole[..whole.len() - 9]).is_err());
    }

    #[test]
    fn zstd_is_refused_by_name() {
        let error = read(b"\x28\xb5\x2f\xfd and more").unwrap_err();
        assert!(error.to_string().contains("zstd"), "{error}");
    }
}

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;

use super::*;
use crate::gzip::window::BLOCK;

/// Bytes that repeat themselves here and there.
fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|i| ((i * i / 97) ^ (i >> 5)) as u8 & 0x3f).collect()
}

fn compress<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    for piece in pieces {
        encoder.write_all(piece).unwrap();
    }
    encoder.finish().unwrap()
}

fn gunzip(stream: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut flate2::read::GzDecoder::new(stream), &mut bytes)?;
    Ok(bytes)
}

/// Takes so many bytes, then fails.
struct Full {
    room: usize,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.room {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no room left"));
        }
        self.room -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_empty_stream_has_header_closing_block_and_trailer() {
    let expected = [&HEADER[..], &[1, 0, 0, 0xff, 0xff], &[0; 8]].concat();
    assert_eq!(compress([]), expected);
    assert_eq!(compress([b"".as_slice()]), expected);
}

#[test]
fn flushing_does_not_change_the_output() {
    let input = sample(100_000);
    let mut encoder = Encoder::new(Vec::new());
    for piece in input.chunks(999) {
        encoder.write_all(piece).unwrap();
        encoder.flush().unwrap();
    }
    assert_eq!(encoder.finish().unwrap(), compress([input.as_slice()]));
}

#[test]
fn an_error_of_the_writer_is_returned_and_then_repeated() {
    let mut encoder = Encoder::new(Full { room: 100 });
    let first = encoder.write_all(&sample(2 * BLOCK)).unwrap_err();
    assert_eq!((first.kind(), first.to_string().as_str()), (io::ErrorKind::StorageFull, "no room left"));
    for again in [encoder.write(b"more").unwrap_err(), encoder.flush().unwrap_err()] {
        assert_eq!((again.kind(), again.to_string().as_str()), (io::ErrorKind::StorageFull, "no room left"));
    }
    let last = encoder.finish().map(|_| ()).unwrap_err();
    assert_eq!(last.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn an_error_at_the_end_is_returned() {
    let encoder = Encoder::new(Full { room: 22 });
    assert_eq!(encoder.finish().map(|_| ()).unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn an_abandoned_stream_is_truncated() {
    let mut encoder = Encoder::new(Vec::new());
    encoder.write_all(&sample(100_000)).unwrap();
    assert!(gunzip(&encoder.abandon()).is_err());
}

#[test]
#[cfg(debug_assertions)]
fn dropping_an_unfinished_stream_panics_where_assertions_are_on() {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(Encoder::new(Vec::new()))));
    assert!(dropped.is_err());
}

#[test]
#[cfg(not(debug_assertions))]
fn dropping_an_unfinished_stream_does_nothing_in_release_builds() {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(Encoder::new(Vec::new()))));
    assert!(dropped.is_ok());
}

/// Inputs with something to find: alphabets of any size, and copies of what came before.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = (1..400usize, any::<u64>(), 1..=256u64);
    (prop::collection::vec(piece, 0..1000), 0..=100u64).prop_map(|(pieces, copies)| {
        let mut bytes: Vec<u8> = Vec::new();
        for (len, seed, span) in pieces {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 33
            };
            if !bytes.is_empty() && next() % 100 < copies {
                let distance = 1 + next() as usize % bytes.len().min(40_000);
                (0..len).for_each(|_| bytes.push(bytes[bytes.len() - distance]));
            } else {
                (0..len).for_each(|_| bytes.push((next() % span) as u8));
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_input_in_any_pieces_unpacks_to_itself_and_has_the_same_bytes(
        input in input(),
        sizes in prop::collection::vec(1..70_000usize, 1..20),
    ) {
        let whole = compress([input.as_slice()]);
        prop_assert!(gunzip(&whole).unwrap() == input);

        let mut rest = input.as_slice();
        let pieces = sizes.iter().cycle().map_while(|&size| {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            (!piece.is_empty()).then_some(piece)
        });
        prop_assert!(compress(pieces) == whole);
    }

    #[test]
    fn any_bytes_unpack_to_themselves(input in prop::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert!(gunzip(&compress([input.as_slice()])).unwrap() == input);
    }
}

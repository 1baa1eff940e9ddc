//! Any input, written in any pieces, unpacks to itself, and the pieces do not change the stream.
//!
//! ```sh
//! cd crates/imgpkg-formats && cargo +nightly fuzz run gzip_round_trip
//! ```

#![no_main]

use std::io::{Read, Write};

use imgpkg_formats::gzip::Encoder;
use libfuzzer_sys::fuzz_target;

/// The fuzzer's bytes are a plan for an input: the first says how it is cut into writes, the second how often the rest
/// is repeated, so that short plans reach beyond the first block.
fn plan(data: &[u8]) -> Option<(usize, Vec<u8>)> {
    let (&[cut, times], unit) = data.split_first_chunk()?;
    Some((1 + usize::from(cut) * 300, unit.repeat(1 + usize::from(times))))
}

fn compress<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    pieces.for_each(|piece| encoder.write_all(piece).expect("a vector takes everything"));
    encoder.finish().expect("a vector takes everything")
}

fuzz_target!(|data: &[u8]| {
    let Some((cut, input)) = plan(data) else { return };
    let whole = compress(std::iter::once(input.as_slice()));
    assert!(whole == compress(input.chunks(cut)), "pieces of {cut} give another stream");

    let mut unpacked = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(whole.as_slice());
    decoder.read_to_end(&mut unpacked).expect("our own stream can be read");
    assert!(unpacked == input, "unpacks to something else");
    assert!(decoder.into_inner().is_empty(), "something follows the stream");
});

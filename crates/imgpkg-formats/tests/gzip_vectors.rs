//! The encoder against outputs recorded once from the encoder that the reference uses: `tests/golden/gzip`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod inputs;

use std::io::{self, Write};

use imgpkg_formats::gzip::Encoder;
use inputs::{Input, golden, gunzip, hex, sha256};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Debug, Deserialize)]
struct Vectors {
    format: u32,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    slow: bool,
    input: Input,
    input_len: u64,
    input_sha256: String,
    gzip_len: u64,
    gzip_sha256: String,
    gzip_hex: Option<String>,
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(golden("gzip").join("vectors.json")).unwrap();
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    assert_eq!(vectors.format, 1);
    vectors.cases
}

fn compress<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    pieces.for_each(|piece| encoder.write_all(piece).unwrap());
    encoder.finish().unwrap()
}

#[test]
fn the_generator_of_inputs_makes_its_check_values() {
    let five = r#"{"kind": "random", "seed": 1, "size": 5, "base": 0, "span": 256}"#;
    let text = r#"{"kind": "words", "seed": 5, "size": 24, "vocab": 3}"#;
    let bytes = |json| serde_json::from_str::<Input>(json).unwrap().bytes();
    assert_eq!(bytes(five), [37, 84, 199, 80, 216]);
    assert_eq!(hex(&bytes(text)), "67690a67690a7065757520676920687269706e7279710a67");
}

#[test]
fn every_vector_gives_the_recorded_bytes_however_it_is_written() {
    let mut tested = 0;
    for case in cases().iter().filter(|case| !case.slow) {
        let input = case.input.bytes();
        assert_eq!((input.len() as u64, sha256(&input)), (case.input_len, case.input_sha256.clone()));

        let whole = compress(std::iter::once(input.as_slice()));
        if let Some(expected) = &case.gzip_hex {
            assert_eq!(&hex(&whole), expected, "{}", case.name);
        }
        assert_eq!(
            (whole.len() as u64, &sha256(&whole)),
            (case.gzip_len, &case.gzip_sha256),
            "{}",
            case.name
        );
        if let Input::File { path } = &case.input {
            assert!(whole == std::fs::read(golden("gzip").join(path)).unwrap(), "{}", case.name);
        }
        assert!(gunzip(&whole) == input, "{} does not unpack to its input", case.name);
        for size in [1, 7, 32768] {
            assert!(compress(input.chunks(size)) == whole, "{} in pieces of {size}", case.name);
        }
        tested += 1;
    }
    assert_eq!(tested, 126);
}

/// Several gigabytes each: run with `--release -- --ignored`.
#[test]
#[ignore = "compresses 6.6 GB, which takes about half a minute in a release build"]
fn inputs_beyond_2_and_4_gib_give_the_recorded_bytes() {
    let slow: Vec<Case> = cases().into_iter().filter(|case| case.slow).collect();
    assert_eq!(slow.len(), 2);
    for case in slow {
        let mut encoder = Encoder::new(Recorded::default());
        let mut input = Recorded::default();
        case.input.pieces(&mut |piece| {
            input.write_all(piece).unwrap();
            encoder.write_all(piece).unwrap();
        });
        assert_eq!(input.finish(), (case.input_len, case.input_sha256), "input of {}", case.name);
        assert_eq!(
            encoder.finish().unwrap().finish(),
            (case.gzip_len, case.gzip_sha256),
            "output of {}",
            case.name
        );
    }
}

/// Length and digest of what is written to it.
#[derive(Default)]
struct Recorded {
    len: u64,
    digest: Sha256,
}

impl Recorded {
    fn finish(self) -> (u64, String) {
        (self.len, hex(&self.digest.finalize()))
    }
}

impl Write for Recorded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.len += bytes.len() as u64;
        self.digest.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

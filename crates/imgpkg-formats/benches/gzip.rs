//! The encoder beside the fastest level of the library that is used for reading.
//!
//! ```sh
//! cargo bench -p imgpkg-formats --bench gzip
//! ```

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::io::Write;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use imgpkg_formats::gzip::Encoder;

/// Bytes of each input: enough for many blocks.
const SIZE: usize = 8 << 20;

/// A generator of numbers that only have to look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit) as usize
    }
}

/// Configuration: keys from a small vocabulary at several depths, values that often repeat.
fn configuration() -> Vec<u8> {
    let keys = ["name", "image", "spec", "containers", "metadata", "labels", "ports", "env", "value", "kind"];
    let mut random = Random(1);
    let mut text = Vec::with_capacity(SIZE + 100);
    while text.len() < SIZE {
        let depth = 2 * random.below(6);
        let key = keys[random.below(keys.len() as u64)];
        let value = random.below(1 << (1 + depth));
        writeln!(text, "{:depth$}{key}: {key}-{value:x}", "").unwrap();
    }
    text.truncate(SIZE);
    text
}

/// Machine code, more or less: few frequent bytes, copies from near by.
fn binary() -> Vec<u8> {
    let mut random = Random(2);
    let mut bytes = vec![0; 16];
    while bytes.len() < SIZE {
        let len = 3 + random.below(12);
        if random.below(3) == 0 {
            let distance = 1 + random.below(bytes.len().min(8000) as u64);
            for _ in 0..len {
                bytes.push(bytes[bytes.len() - distance]);
            }
        } else {
            for _ in 0..len {
                let limit = 1 + random.below(256) as u64;
                bytes.push(random.below(limit) as u8);
            }
        }
    }
    bytes.truncate(SIZE);
    bytes
}

/// What does not compress, such as archives in a bundle.
fn noise() -> Vec<u8> {
    let mut random = Random(3);
    (0..SIZE).map(|_| random.below(256) as u8).collect()
}

fn compress(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gzip");
    group.throughput(Throughput::Bytes(SIZE as u64)).sample_size(20);
    for (name, input) in [("configuration", configuration()), ("binary", binary()), ("noise", noise())] {
        group.bench_with_input(BenchmarkId::new("ours", name), &input, |bencher, input| {
            bencher.iter(|| {
                let mut encoder = Encoder::new(Vec::with_capacity(SIZE + SIZE / 8));
                encoder.write_all(black_box(input)).unwrap();
                encoder.finish().unwrap()
            });
        });
        group.bench_with_input(BenchmarkId::new("flate2 level 1", name), &input, |bencher, input| {
            bencher.iter(|| {
                let out = Vec::with_capacity(SIZE + SIZE / 8);
                let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
                encoder.write_all(black_box(input)).unwrap();
                encoder.finish().unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, compress);
criterion_main!(benches);

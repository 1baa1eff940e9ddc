//! What proving a blob costs: hashing alone, and the whole reader over it.
//!
//! ```sh
//! cargo bench -p imgpkg-oci --bench digest
//! ```

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::StreamExt as _;
use imgpkg_oci::{Algorithm, BlobReader, Descriptor, Digest, Digester, MediaType};

/// Bytes of the blob, and of the chunks that it comes in.
const SIZE: usize = 64 << 20;
const CHUNK: usize = 128 << 10;

fn proving(criterion: &mut Criterion) {
    let blob = Bytes::from((0..SIZE).map(|at| (at % 251) as u8).collect::<Vec<_>>());
    let descriptor = Descriptor::new(MediaType::default(), Digest::sha256_of(&blob), SIZE as u64);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("digest");
    group.throughput(Throughput::Bytes(SIZE as u64)).sample_size(10);
    group.bench_function("sha256", |bencher| {
        bencher.iter(|| {
            let mut digester = Digester::new(Algorithm::Sha256);
            blob.chunks(CHUNK).for_each(|chunk| digester.update(chunk));
            black_box(digester.finish())
        });
    });
    group.bench_function("verified reader", |bencher| {
        bencher.iter(|| {
            let chunks: Vec<_> =
                (0..SIZE / CHUNK).map(|at| Ok(blob.slice(at * CHUNK..(at + 1) * CHUNK))).collect();
            let stream = futures_util::stream::iter(chunks).boxed();
            let mut reader = BlobReader::new(descriptor.clone(), stream);
            runtime.block_on(async { while black_box(reader.next().await.unwrap()).is_some() {} });
        });
    });
    group.finish();
}

criterion_group!(benches, proving);
criterion_main!(benches);

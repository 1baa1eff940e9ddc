//! Sends blobs of several sizes to a registry, reads them back, and lists the repository's tags:
//! `cargo run -p imgpkg-registry --example registry_round_trip -- localhost:5000/test/round-trip [ca.pem]`.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use imgpkg_oci::{
    BlobOpener, BlobProgress, BlobReader, Descriptor, Destination as _, Digester, Manifest, MediaType,
    Repository, Source as _, StoreResult, Tag, media_type,
};
use imgpkg_registry::{Client, ClientOptions, RepositoryClient};

const PIECE: usize = 256 * 1024;

/// Content that is made up while it is read.
struct MadeUp(Descriptor);

impl MadeUp {
    fn new(size: u64) -> Self {
        let mut digester = Digester::new(imgpkg_oci::Algorithm::Sha256);
        pieces(size).for_each(|piece| digester.update(&piece));
        Self(Descriptor::new(MediaType::new(media_type::DOCKER_LAYER), digester.finish(), size))
    }
}

fn pieces(size: u64) -> impl Iterator<Item = Bytes> {
    let piece: Bytes = (0..PIECE).map(|at| (at % 251) as u8).collect::<Vec<_>>().into();
    let mut left = usize::try_from(size).unwrap_or(0);
    std::iter::from_fn(move || {
        let next = piece.slice(..left.min(PIECE));
        left -= next.len();
        (!next.is_empty()).then_some(next)
    })
}

impl BlobOpener for MadeUp {
    fn open(&self, _: BlobProgress) -> BoxFuture<'_, StoreResult<BlobReader>> {
        let stream = futures_util::stream::iter(pieces(self.0.size).map(Ok)).boxed();
        let reader = BlobReader::new(self.0.clone(), stream);
        Box::pin(std::future::ready(Ok(reader)))
    }
}

async fn round_trip(repository: &RepositoryClient, size: u64) -> Result<Descriptor, Box<dyn Error>> {
    let content = MadeUp::new(size);
    let started = Instant::now();
    let put = repository.put_blob(&content.0, &content).await?;
    let sent = started.elapsed();
    let started = Instant::now();
    let mut reader = repository.blob(&content.0, BlobProgress::start(&content.0.digest)).await?;
    while reader.next().await?.is_some() {}
    println!("{size:>12} bytes: {put:?} in {sent:.2?}, read in {:.2?}", started.elapsed());
    Ok(content.0)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("which repository?")?;
    let options = ClientOptions {
        ca_cert_paths: arguments.map(Into::into).collect(),
        trace: std::env::var_os("TRACE").map(|_| Arc::new(|text: &str| println!("{text}")) as _),
        ..ClientOptions::default()
    };
    let repository = Client::new(options)?.repository(&Repository::parse(&name)?);
    let result = async {
        let mut layers = Vec::new();
        for size in [0, 1, 1_000_000, 5_000_000, 256 << 20] {
            layers.push(round_trip(&repository, size).await?);
        }
        let [config, layer, ..] = layers.as_slice() else { return Err("no layers".into()) };
        let json = format!(
            r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{{"mediaType":"{config_kind}","size":{},"digest":"{}"}},"layers":[{{"mediaType":"{}","size":{},"digest":"{}"}}]}}"#,
            config.size,
            config.digest,
            media_type::DOCKER_LAYER,
            layer.size,
            layer.digest,
            kind = media_type::DOCKER_MANIFEST,
            config_kind = media_type::DOCKER_CONFIG,
        );
        let manifest = Manifest::new(json.into(), media_type::DOCKER_MANIFEST);
        repository.put_manifest(&manifest, &Tag::parse("v1")?.into()).await?;
        assert_eq!(repository.resolve(&Tag::parse("v1")?.into()).await?, *manifest.digest());
        assert_eq!(repository.manifest(&manifest.digest().clone().into()).await?, manifest);
        println!("tags: {:?}", repository.tags().await?);
        Ok::<(), Box<dyn Error>>(())
    };
    if let Err(error) = result.await {
        let mut next: Option<&dyn Error> = Some(&*error);
        while let Some(cause) = next {
            println!("error: {cause}");
            next = cause.source();
        }
        return Err("failed".into());
    }
    Ok(())
}

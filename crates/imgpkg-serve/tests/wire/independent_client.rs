use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use oci_distribution::client::{BlobResponse, ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_distribution::manifest::{OciDescriptor, OciImageManifest};
use oci_distribution::secrets::RegistryAuth::Anonymous;
use oci_distribution::{Client, Reference};

use imgpkg_oci::Digest;

use crate::registry::{Registry, content, header};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

fn client(use_monolithic_push: bool) -> Client {
    Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        use_monolithic_push,
        ..ClientConfig::default()
    })
}

fn reference(registry: &Registry, rest: &str) -> Reference {
    format!("{}/{rest}", registry.address).parse().unwrap()
}

fn layers() -> Vec<ImageLayer> {
    // One that is sent in several chunks of the client's 4 MiB, one that is sent in one, one that is nearly nothing.
    [9_000_000, 70_000, 1].map(|length| ImageLayer::oci_v1(content(length), None)).to_vec()
}

fn config() -> Config {
    Config::oci_v1(
        &br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#[..],
        None,
    )
}

#[tokio::test]
async fn an_image_pushed_comes_back_byte_for_byte() {
    let registry = Registry::start().await;
    for monolithic in [false, true] {
        let client = client(monolithic);
        let image = reference(&registry, &format!("team/app/{monolithic}:v1"));
        client.push(&image, &layers(), config(), &Anonymous, None).await.unwrap();
        let pulled = client.pull(&image, &Anonymous, vec![LAYER]).await.unwrap();
        assert_eq!(pulled.config.data, config().data);
        // The client gives the layers in the order in which they arrived.
        let digests = |layers: &[ImageLayer]| {
            let mut digests: Vec<_> = layers.iter().map(ImageLayer::sha256_digest).collect();
            digests.sort();
            digests
        };
        assert_eq!(digests(&pulled.layers), digests(&layers()));
        let digest = client.fetch_manifest_digest(&image, &Anonymous).await.unwrap();
        assert_eq!(Some(digest), pulled.digest);
    }
    let patches = registry.requests().iter().filter(|line| line.contains(" PATCH ")).count();
    assert!(patches >= 5, "{patches} chunks: {:?}", registry.requests());
}

#[tokio::test]
async fn a_stream_is_pushed_and_a_part_of_it_pulled() {
    let registry = Registry::start().await;
    let client = client(false);
    let image = reference(&registry, "a/b:v1");
    let bytes = Bytes::from(content(5_000_000));
    let digest = Digest::sha256_of(&bytes);
    let pieces: Vec<_> = bytes.chunks(600_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    client.push_blob_stream(&image, stream::iter(pieces), digest.as_str(), None).await.unwrap();
    assert!(client.blob_exists(&image, digest.as_str()).await.unwrap());
    let descriptor = OciDescriptor {
        media_type: LAYER.to_owned(),
        digest: digest.to_string(),
        size: 5_000_000,
        ..OciDescriptor::default()
    };
    let mut whole = Vec::new();
    client.pull_blob(&image, &descriptor, &mut whole).await.unwrap();
    assert!(whole == bytes);
    let part = client.pull_blob_stream_partial(&image, &descriptor, 4_999_000, None).await.unwrap();
    let BlobResponse::Partial(part) = part else { panic!("the whole blob for a range") };
    let part: Vec<Bytes> = part.stream.map(Result::unwrap).collect().await;
    assert!(part.concat() == bytes[4_999_000..]);
}

#[tokio::test]
async fn a_blob_is_mounted_and_tags_are_paged() {
    let registry = Registry::start().await;
    let client = client(true);
    let source = reference(&registry, "source:v1");
    client.push(&source, &layers(), config(), &Anonymous, None).await.unwrap();
    let digest = layers()[0].sha256_digest();
    let target = reference(&registry, "deep/er/target:v1");
    client.mount_blob(&target, &source, &digest).await.unwrap();
    assert!(client.blob_exists(&target, &digest).await.unwrap());
    for tag in ["v2", "v10"] {
        let image = reference(&registry, &format!("source:{tag}"));
        client.push(&image, &layers(), config(), &Anonymous, None).await.unwrap();
    }
    let tags = client.list_tags(&source, &Anonymous, None, None).await.unwrap().tags;
    assert_eq!(tags, ["v1", "v10", "v2"]);
    let tags = client.list_tags(&source, &Anonymous, Some(1), Some("v1")).await.unwrap().tags;
    assert_eq!(tags, ["v10"]);
}

#[tokio::test]
async fn referrers_are_found() {
    let registry = Registry::start().await;
    let client = client(true);
    let image = reference(&registry, "a:v1");
    client.push(&image, &layers(), config(), &Anonymous, None).await.unwrap();
    let (bytes, digest) = client.pull_manifest_raw(&image, &Anonymous, &["*/*"]).await.unwrap();
    let subject = OciDescriptor {
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        digest: digest.clone(),
        size: bytes.len() as i64,
        ..OciDescriptor::default()
    };
    let mut manifest = OciImageManifest::build(&layers()[2..], &config(), None);
    manifest.artifact_type = Some("x/sbom".to_owned());
    manifest.subject = Some(subject);
    let sbom = reference(&registry, "a:sbom");
    client.push(&sbom, &layers()[2..], config(), &Anonymous, Some(manifest)).await.unwrap();
    let about = image.clone_with_digest(digest);
    let found = client.pull_referrers(&about, Some("x/sbom")).await.unwrap();
    let expected = client.fetch_manifest_digest(&sbom, &Anonymous).await.unwrap();
    assert_eq!(found.manifests.iter().map(|entry| entry.digest.as_str()).collect::<Vec<_>>(), [expected]);
    assert!(client.pull_referrers(&about, Some("x/other")).await.unwrap().manifests.is_empty());
    let by_tag = registry.get("/v2/a/manifests/v1").await;
    assert_eq!(header(&by_tag, "docker-content-digest"), about.digest().unwrap());
}

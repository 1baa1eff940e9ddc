use std::collections::HashSet;
use std::sync::Arc;

use imgpkg_archive::Item;
use imgpkg_oci::{Repositories, Source, Tag, media_type};

use super::*;
use crate::copy::{to_archive, to_repository};
use crate::event::silent;
use crate::memory::{LAYER, Memory, image, index, name};

/// One store for every repository.
struct Everywhere(Arc<Memory>);

impl Repositories for Everywhere {
    fn source(&self, _repository: &Repository) -> Arc<dyn Source> {
        self.0.clone()
    }
}

fn set(trees: Vec<ManifestTree>, source: &Arc<Memory>) -> ImageSet {
    let items = trees.into_iter().enumerate().map(|(position, tree)| Item {
        tag: Some(Tag::parse(&format!("v{position}")).unwrap()),
        ..Item::new(name(&tree), tree)
    });
    ImageSet::new(items.collect(), Arc::new(Everywhere(source.clone())))
}

fn two_images() -> Vec<ManifestTree> {
    of_configs([b"{}", b"{ }"])
}

fn of_configs([first, second]: [&'static [u8]; 2]) -> Vec<ManifestTree> {
    let shared: (&str, &[u8]) = (LAYER, b"shared");
    vec![image(first, &[shared, (LAYER, b"one")]), index(vec![image(second, &[shared, (LAYER, b"three")])])]
}

fn amount(blobs: usize, bytes: u64) -> Amount {
    Amount { blobs, bytes }
}

async fn of_repository(set: &ImageSet, destination: &Memory, repository: &str, options: Options) -> Forecast {
    let repository = Repository::parse(repository).unwrap();
    Forecast::of_repository(set, destination, &repository, options).await.unwrap()
}

#[tokio::test]
async fn a_copy_to_an_empty_repository_is_foretold_and_nothing_is_written() {
    let source = Arc::new(Memory::holding(&[b"shared", b"one", b"three"]));
    let (set, destination) = (set(two_images(), &source), Memory::default());
    let forecast = of_repository(&set, &destination, "other.example/dst", Options::default()).await;
    assert_eq!(forecast.send, amount(5, 6 + 3 + 5 + 2 + 3));
    // The store in memory is no registry, so nothing would be fetched.
    assert_eq!((forecast.fetch, forecast.mount, forecast.there), Default::default());
    assert_eq!((forecast.manifests, forecast.tags, forecast.locations), (3, 2, 0));
    assert_eq!(forecast.images.iter().map(|image| image.in_place).collect::<Vec<_>>(), [false, false]);
    assert!(destination.log().is_empty() && destination.blobs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn within_a_registry_blobs_are_mounted() {
    let source = Arc::new(Memory::default());
    let set = set(two_images(), &source);
    let forecast = of_repository(&set, &Memory::default(), "registry.example/dst", Options::default()).await;
    assert_eq!((forecast.mount, forecast.send), (amount(5, 19), Amount::default()));
}

#[tokio::test]
async fn after_the_copy_everything_is_there() {
    let source = Arc::new(Memory::holding(&[b"shared", b"one", b"three"]));
    let (set, destination) = (set(two_images(), &source), Arc::new(Memory::default()));
    let repository = Repository::parse("other.example/dst").unwrap();
    to_repository(&set, destination.clone(), &repository, Options::default(), silent()).await.unwrap();
    let forecast = of_repository(&set, &destination, "other.example/dst", Options::default()).await;
    assert_eq!((forecast.there, forecast.send), (amount(5, 19), Amount::default()));
    assert_eq!(forecast.manifests, 0);
    assert!(forecast.images.iter().all(|image| image.in_place));
}

#[tokio::test]
async fn layers_that_may_not_be_passed_on_are_counted_apart() {
    let tree = image(b"{}", &[(media_type::DOCKER_FOREIGN_LAYER, b"windows"), (LAYER, b"x")]);
    let set = set(vec![tree], &Arc::new(Memory::default()));
    let forecast = of_repository(&set, &Memory::default(), "other.example/dst", Options::default()).await;
    assert_eq!((forecast.left_out, forecast.send), (amount(1, 7), amount(2, 3)));
    let all = Options { layers: LayerChoice::All, ..Options::default() };
    let forecast = of_repository(&set, &Memory::default(), "other.example/dst", all).await;
    assert_eq!((forecast.left_out, forecast.send), (Amount::default(), amount(3, 10)));
}

/// The configurations of images that an archive can describe.
const CONFIGS: [&[u8]; 2] = [
    br#"{"rootfs":{"diff_ids":["sha256:0000000000000000000000000000000000000000000000000000000000000000","sha256:0000000000000000000000000000000000000000000000000000000000000000"]}}"#,
    br#"{ "rootfs":{"diff_ids":["sha256:0000000000000000000000000000000000000000000000000000000000000000","sha256:0000000000000000000000000000000000000000000000000000000000000000"]}}"#,
];

#[tokio::test]
async fn an_archive_is_foretold_with_and_without_its_earlier_version() {
    let source = Arc::new(Memory::holding(&[b"shared", b"one", b"three"]));
    let mut trees = of_configs(CONFIGS);
    let both = set(trees.clone(), &source);
    trees.truncate(1);
    let first = set(trees, &source);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.tar");
    let forecast = Forecast::of_archive(&both, &path, Options::default()).await.unwrap();
    assert_eq!((forecast.fetch, forecast.there), (amount(3, 14), Amount::default()));
    assert!(!path.exists());

    to_archive(&first, &path, Options::default(), silent()).await.unwrap();
    let resume = Options { resume: true, ..Options::default() };
    let forecast = Forecast::of_archive(&both, &path, resume).await.unwrap();
    assert_eq!((forecast.fetch, forecast.there), (amount(1, 5), amount(2, 9)));
    to_archive(&both, &path, resume, silent()).await.unwrap();
    assert_eq!(forecast.archive_bytes, Some(std::fs::metadata(&path).unwrap().len()));
    let read: HashSet<_> = source.read().into_iter().collect();
    assert_eq!(read.len(), 3, "each layer was read once, over both runs: {read:?}");
    assert_eq!(source.read().len(), 3);
}

#[tokio::test]
async fn what_is_no_archive_cannot_be_resumed_and_stays_as_it_is() {
    let source = Arc::new(Memory::holding(&[b"shared", b"one", b"three"]));
    let set = set(two_images(), &source);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.tar");
    std::fs::write(&path, b"no archive").unwrap();
    let resume = Options { resume: true, ..Options::default() };
    let error = to_archive(&set, &path, resume, silent()).await.unwrap_err();
    assert!(error.to_string().starts_with("Reading previously created tar '"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"no archive");
}

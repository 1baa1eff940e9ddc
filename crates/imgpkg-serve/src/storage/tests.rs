use std::io::Write as _;

use imgpkg_oci::Digest;

use super::*;
use crate::name::{self, RepositoryName};

fn storage() -> (tempfile::TempDir, Storage) {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage::open(&directory.path().join("registry"), false).unwrap();
    (directory, storage)
}

fn repository(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

fn put_blob(storage: &Storage, name: &str, content: &[u8]) -> Digest {
    let mut file = storage.incoming().unwrap();
    file.write_all(content).unwrap();
    let digest = Digest::sha256_of(content);
    let size = content.len() as u64;
    storage.store_blob(&repository(name), &digest, file.into_temp_path(), size).unwrap();
    digest
}

fn put_manifest(storage: &Storage, name: &str, tag: &str, content: &'static [u8]) -> Digest {
    let digest = Digest::sha256_of(content);
    let manifest = NewManifest {
        digest: digest.clone(),
        content_type: "x/y".to_owned(),
        bytes: content.into(),
        needs: Vec::new(),
        referrer: None,
    };
    storage.put_manifest(&repository(name), name::tag(tag).as_ref(), &manifest).unwrap();
    digest
}

#[test]
fn a_blob_is_stored_once_and_seen_only_where_it_is_linked() {
    let (_directory, storage) = storage();
    let digest = put_blob(&storage, "a/b", b"hello");
    assert_eq!(storage.open_blob(&repository("a/b"), &digest).unwrap().unwrap().size, 5);
    assert!(storage.open_blob(&repository("a"), &digest).unwrap().is_none());
    assert!(storage.mount_blob(&repository("a/b"), &repository("c"), &digest).unwrap());
    assert!(!storage.mount_blob(&repository("nobody"), &repository("d"), &digest).unwrap());
    assert!(storage.open_blob(&repository("c"), &digest).unwrap().is_some());
    assert_eq!(fs::read_dir(storage.layout.blobs(Algorithm::Sha256)).unwrap().count(), 1);
    assert_eq!(fs::read_dir(storage.layout.uploads()).unwrap().count(), 0);
}

#[test]
fn content_goes_when_its_last_link_goes() {
    let (_directory, storage) = storage();
    let digest = put_blob(&storage, "a", b"hello");
    put_blob(&storage, "b/c", b"hello");
    let file = storage.layout.blob(&digest);
    assert!(storage.delete_blob(&repository("a"), &digest).unwrap());
    assert!(!storage.delete_blob(&repository("a"), &digest).unwrap());
    assert!(file.exists());
    assert!(storage.delete_blob(&repository("b/c"), &digest).unwrap());
    assert!(!file.exists());
}

#[test]
fn content_that_is_also_a_manifest_outlives_the_blob() {
    let (_directory, storage) = storage();
    let digest = put_blob(&storage, "a", b"{}");
    put_manifest(&storage, "b", "latest", b"{}");
    storage.delete_blob(&repository("a"), &digest).unwrap();
    let found = storage.find_manifest(&repository("b"), &digest.clone().into()).unwrap().unwrap();
    assert_eq!((found.digest, found.content_type.as_str(), found.size), (digest, "x/y", 2));
}

#[test]
fn a_deleted_manifest_takes_its_tags_along_and_no_others() {
    let (_directory, storage) = storage();
    let one = put_manifest(&storage, "a", "one", b"{\"a\":1}");
    put_manifest(&storage, "a", "also-one", b"{\"a\":1}");
    put_manifest(&storage, "a", "two", b"{\"a\":2}");
    assert!(storage.delete_manifest(&repository("a"), &one, None).unwrap());
    assert_eq!(storage.tags(&repository("a")).unwrap(), ["two"]);
}

#[test]
fn repositories_are_found_at_every_depth() {
    let (_directory, storage) = storage();
    put_blob(&storage, "a/b/c", b"1");
    put_manifest(&storage, "a", "x", b"{}");
    let mut names: Vec<_> = storage.repositories().unwrap().iter().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(names, ["a", "a/b/c"]);
    assert!(storage.has_repository(&repository("a")).unwrap());
    assert!(!storage.has_repository(&repository("a/b")).unwrap());
}

#[test]
fn a_directory_is_locked_against_a_second_server() {
    let (directory, storage) = storage();
    let path = directory.path().join("registry");
    for read_only in [false, true] {
        let error = Storage::open(&path, read_only).unwrap_err();
        assert!(matches!(error, Error::Locked { .. }), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    drop(storage);
    let reader = Storage::open(&path, true).unwrap();
    Storage::open(&path, true).unwrap();
    assert!(matches!(Storage::open(&path, false), Err(Error::Locked { .. })));
    drop(reader);
    Storage::open(&path, false).unwrap();
}

#[test]
fn a_directory_with_other_content_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("uploads")).unwrap();
    let precious = directory.path().join("uploads").join("incoming-photo");
    fs::write(&precious, b"x").unwrap();
    let error = Storage::open(directory.path(), false).unwrap_err();
    assert!(matches!(error, Error::ForeignDirectory { .. }), "{error}");
    assert!(precious.exists());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_an_earlier_server_left_unfinished_is_removed() {
    let (directory, storage) = storage();
    let (_, unfinished) = storage.incoming().unwrap().keep().unwrap();
    let digest = put_blob(&storage, "a", b"hello");
    drop(storage);
    let path = directory.path().join("registry");
    drop(Storage::open(&path, true).unwrap());
    assert!(unfinished.exists());
    let storage = Storage::open(&path, false).unwrap();
    assert!(!unfinished.exists());
    assert!(storage.open_blob(&repository("a"), &digest).unwrap().is_some());
}

#[test]
fn a_missing_directory_cannot_be_only_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none");
    assert!(matches!(Storage::open(&path, true), Err(Error::Storage { .. })));
    assert!(!path.exists());
}

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use imgpkg_oci::Digest;
use imgpkg_serve::{Error, ServeOptions, Server, StorageFailure, StorageLocation};
use reqwest::{Method, StatusCode};

use crate::registry::{OCI_MANIFEST, Registry, header, refused};

fn on_directory(path: &std::path::Path) -> ServeOptions {
    ServeOptions { storage: StorageLocation::Directory(path.to_owned()), ..ServeOptions::default() }
}

#[tokio::test]
async fn the_registry_says_that_it_speaks_the_protocol() {
    let registry = Registry::start().await;
    for path in ["/v2/", "/v2"] {
        let answer = registry.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "docker-distribution-api-version"), "registry/2.0");
        assert_eq!(answer.text().await.unwrap(), "{}");
    }
    assert_eq!(registry.requests(), ["200 GET /v2/", "200 GET /v2"]);
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_word() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:5000"] {
        let listen: SocketAddr = address.parse().unwrap();
        let options = ServeOptions { listen, ..ServeOptions::default() };
        let error = Server::bind(options).await.unwrap_err();
        assert!(matches!(error, Error::OpenToWrites { .. }), "{error}");
        assert!(error.to_string().contains(address), "{error}");
    }
    let listen: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let options = ServeOptions { listen, ..ServeOptions::default() };
    Server::bind(ServeOptions { read_only: true, ..options.clone() }).await.unwrap();
    Server::bind(ServeOptions { allow_anonymous_writes: true, ..options }).await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let registry = Registry::start().await;
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("new");
    let options = ServeOptions { listen: registry.address, ..on_directory(&directory) };
    let error = Server::bind(options).await.unwrap_err();
    assert!(matches!(error, Error::AddressInUse { .. }), "{error}");
    assert!(error.to_string().contains(&registry.address.to_string()), "{error}");
    assert!(error.source().is_none());
    assert!(!directory.exists());
}

#[tokio::test]
async fn a_directory_outlives_its_server_and_can_then_be_only_read() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::with(on_directory(directory.path())).await;
    let error = Server::bind(on_directory(directory.path())).await.unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    let digest = registry.put_image("a/b", "v1").await;
    let upload = registry.start_upload("a/b").await;
    registry.stop().await.unwrap();

    let options = ServeOptions { read_only: true, ..on_directory(directory.path()) };
    let registry = Registry::with(options).await;
    let answer = registry.get("/v2/a/b/manifests/v1").await;
    assert_eq!(header(&answer, "docker-content-digest"), digest.as_str());
    let blob = format!("/v2/a/b/blobs/{}", Digest::sha256_of(b"layer"));
    assert_eq!(registry.get(&blob).await.text().await.unwrap(), "layer");
    let uploads = "/v2/a/b/blobs/uploads/";
    for (method, path) in [
        (Method::POST, uploads),
        (Method::PUT, "/v2/a/b/manifests/v2"),
        (Method::DELETE, "/v2/a/b/manifests/v1"),
        (Method::DELETE, blob.as_str()),
        (Method::PATCH, upload.as_str()),
    ] {
        let answer = registry.request(method, path).body("x").send().await.unwrap();
        assert_eq!(header(&answer, "allow"), "GET, HEAD");
        assert_eq!(refused(answer).await, (405, "UNSUPPORTED".to_owned()));
    }
    registry.stop().await.unwrap();

    let registry = Registry::with(on_directory(directory.path())).await;
    let answer = registry.put_manifest("a/b", "v2", OCI_MANIFEST, "x").await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(registry.get(&upload).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(std::fs::read_dir(directory.path().join("uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_method_that_an_endpoint_does_not_have_is_refused() {
    let registry = Registry::start().await;
    for (method, path, allowed) in [
        (Method::POST, "/v2/", "GET, HEAD"),
        (Method::PUT, "/v2/a/tags/list", "GET, HEAD"),
        (Method::GET, "/v2/a/blobs/uploads/", "POST"),
        (Method::PATCH, "/v2/a/manifests/v1", "GET, HEAD, PUT, DELETE"),
    ] {
        let answer = registry.request(method, path).send().await.unwrap();
        assert_eq!(header(&answer, "allow"), allowed);
        assert_eq!(refused(answer).await, (405, "UNSUPPORTED".to_owned()));
    }
    assert_eq!(registry.get("/").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_directory_is_said_to_be_none() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for read_only in [false, true] {
        let options = ServeOptions { read_only, ..on_directory(file.path()) };
        let error = Server::bind(options).await.unwrap_err();
        assert!(matches!(&error, Error::NotADirectory { path } if path == file.path()), "{error}");
        assert!(error.to_string().contains(" is not a directory"), "{error}");
    }
}

#[tokio::test]
async fn a_failure_of_the_storage_is_told_to_who_runs_the_registry() {
    let directory = tempfile::tempdir().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let observer = move |failure: &StorageFailure| {
        let StorageFailure { method, uri, reason, .. } = failure;
        log.lock().unwrap().push(format!("{method} {uri}: {reason}"));
    };
    let options =
        ServeOptions { on_storage_failure: Some(Arc::new(observer)), ..on_directory(directory.path()) };
    let registry = Registry::with(options).await;
    std::fs::remove_dir(directory.path().join("uploads")).unwrap();
    let answer = registry.request(Method::POST, "/v2/a/blobs/uploads/").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    // What a client does wrong is no failure of the storage.
    assert_eq!(registry.get("/v2/a/manifests/none").await.status(), StatusCode::NOT_FOUND);
    let told = told.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("POST /v2/a/blobs/uploads/: no such file or directory"), "{told:?}");
}

use imgpkg_serve::{ServeOptions, StorageLocation};
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::registry::{Registry, refused};

/// Sends a request line as it is (clients tidy paths up) and gives the status of the answer.
async fn status_of(registry: &Registry, method: &str, target: &str) -> u16 {
    let mut connection = TcpStream::connect(registry.address).await.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: x\r\ncontent-type: x/y\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn files_below(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[tokio::test]
async fn no_path_leads_out_of_the_directory() {
    let outside = tempfile::tempdir().unwrap();
    let directory = outside.path().join("registry");
    let storage = StorageLocation::Directory(directory.clone());
    let registry = Registry::with(ServeOptions { storage, ..ServeOptions::default() }).await;
    registry.put_image("a", "v1").await;
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    let before = files_below(outside.path());
    for target in [
        "/v2/../../secret",
        "/v2/a/manifests/../../../../secret",
        "/v2/a/manifests/..%2f..%2f..%2f..%2fsecret",
        "/v2/a/manifests/%2e%2e%2f%2e%2e%2fsecret",
        "/v2/a/manifests/..",
        "/v2/a/manifests/.",
        "/v2/a/manifests/%2e%2e",
        "/v2/../manifests/v1",
        "/v2/%2e%2e/manifests/v1",
        "/v2/..%2fa/manifests/v1",
        "/v2/a%2f..%2fa/manifests/v1",
        "/v2/%2fetc/manifests/passwd",
        "/v2//etc/manifests/passwd",
        "/v2/a/_tags/manifests/v1",
        "/v2/a%00/manifests/v1",
        "/v2/a/manifests/v1%00",
        "/v2/a/manifests/v1%0d%0ax:%20y",
        "/v2/a\\..\\..\\x/manifests/v1",
        "/v2/a/manifests/%",
        "/v2/a/manifests/%f0%28",
        "/v2/a/blobs/sha256:..%2f..%2fsecret",
        "/v2/a/blobs/uploads/..%2f..%2fsecret",
        "/v2/a/blobs/uploads/../../../imgpkg-serve.lock",
    ] {
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            let status = status_of(&registry, method, target).await;
            assert!((400..500).contains(&status), "{status} {method} {target}");
        }
    }
    assert_eq!(files_below(outside.path()), before);
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let registry = Registry::start().await;
    for name in ["A", "a/_b", "a..b", "a%20b", "-a"] {
        let refusal = refused(registry.get(&format!("/v2/{name}/tags/list")).await).await;
        assert_eq!(refusal, (400, "NAME_INVALID".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn names_may_be_percent_encoded() {
    let registry = Registry::start().await;
    let digest = registry.put_image("a", "v1").await;
    for path in [
        "/v2/%61/manifests/v%31".to_owned(),
        format!("/v2/a/manifests/{}", digest.as_str().replace(':', "%3a")),
    ] {
        assert_eq!(registry.get(&path).await.status(), StatusCode::OK, "{path}");
    }
}

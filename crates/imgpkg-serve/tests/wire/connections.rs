use std::path::Path;
use std::time::{Duration, Instant};

use imgpkg_oci::Digest;
use imgpkg_serve::{ServeOptions, StorageLocation};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::registry::{Registry, content, header};

/// Reads until what came ends as wanted.
async fn read_until(connection: &mut TcpStream, end: &str) -> String {
    let mut got = Vec::new();
    while !got.ends_with(end.as_bytes()) {
        let mut buffer = [0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(5), connection.read(&mut buffer));
        let read = read.await.expect("an answer in time").unwrap();
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&got));
        got.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(got).unwrap()
}

#[tokio::test]
async fn an_upload_whose_connection_broke_goes_on_where_it_was() {
    let registry = Registry::start().await;
    let bytes = content(900_000);
    let location = registry.start_upload("a").await;
    let mut connection = TcpStream::connect(registry.address).await.unwrap();
    let head = format!("PATCH {location} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", bytes.len());
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&bytes[..400_000]).await.unwrap();
    drop(connection);

    let started = Instant::now();
    let arrived = loop {
        let status = registry.get(&location).await;
        let range = header(&status, "range").strip_prefix("0-").unwrap().parse::<usize>().unwrap();
        if range == 399_999 || started.elapsed() > Duration::from_secs(5) {
            break range + 1;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(arrived, 400_000);
    let digest = Digest::sha256_of(&bytes);
    let path = format!("{location}?digest={digest}");
    let request = registry.request(Method::PUT, &path).header("content-range", "400000-899999");
    let answer = request.body(bytes[400_000..].to_vec()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert!(registry.get(&format!("/v2/a/blobs/{digest}")).await.bytes().await.unwrap() == bytes);
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it_when_the_body_is_wanted() {
    let registry = Registry::start().await;
    let location = registry.start_upload("a").await;
    let head = "host: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    let mut connection = TcpStream::connect(registry.address).await.unwrap();
    connection.write_all(format!("PATCH {location} HTTP/1.1\r\n{head}").as_bytes()).await.unwrap();
    assert_eq!(read_until(&mut connection, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(b"hello").await.unwrap();
    let answer = read_until(&mut connection, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");

    let mut connection = TcpStream::connect(registry.address).await.unwrap();
    let unknown = "/v2/a/blobs/uploads/unknown";
    connection.write_all(format!("PATCH {unknown} HTTP/1.1\r\n{head}").as_bytes()).await.unwrap();
    let answer = read_until(&mut connection, "}").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn many_requests_share_a_connection_and_may_come_at_once() {
    let registry = Registry::start().await;
    registry.put_image("a", "v1").await;
    let mut connection = TcpStream::connect(registry.address).await.unwrap();
    let request = "HEAD /v2/a/manifests/v1 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20);
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answers = String::new();
    while answers.matches("HTTP/1.1 200 OK").count() < 20 {
        answers += &read_until(&mut connection, "\r\n\r\n").await;
    }
}

#[tokio::test]
async fn clients_that_do_not_fetch_what_they_asked_for_hold_up_nobody() {
    let registry = Registry::start().await;
    let digest = registry.put_blob("a", content(8_000_000)).await;
    let path = format!("/v2/a/blobs/{digest}");
    let mut idle = Vec::new();
    for _ in 0..100 {
        let mut connection = TcpStream::connect(registry.address).await.unwrap();
        connection.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        idle.push(connection);
    }
    for connection in &idle {
        connection.readable().await.unwrap();
    }
    let whole =
        tokio::time::timeout(Duration::from_secs(10), async { registry.get(&path).await.bytes().await });
    assert_eq!(whole.await.expect("an answer in time").unwrap().len(), 8_000_000);
}

#[tokio::test]
async fn a_refused_body_does_not_cost_the_answer() {
    let registry = Registry::start().await;
    for _ in 0..5 {
        let request = registry.request(Method::PATCH, "/v2/a/blobs/uploads/unknown");
        let answer = request.body(content(5_000_000)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}

/// A temporary registry's directory, found by a file in it: the only thing to tell it by from outside.
fn temporary_directory_with(digest: &Digest) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir()).unwrap();
    let has_blob = |path: &Path| path.join("blobs/sha256").join(digest.hex()).exists();
    entries.filter_map(|entry| Some(entry.ok()?.path())).find(|path| has_blob(path))
}

#[tokio::test]
async fn a_stopped_server_takes_its_temporary_directory_along() {
    let registry = Registry::start().await;
    // A digest that no other run has.
    let unique = format!("{} {:?}", std::process::id(), std::time::SystemTime::now());
    let digest = registry.put_blob("a", unique).await;
    registry.start_upload("a").await;
    let directory = temporary_directory_with(&digest).expect("a directory while it runs");
    registry.stop().await.unwrap();
    assert!(!directory.exists());
}

#[tokio::test]
async fn a_stopping_server_finishes_what_it_is_doing() {
    let directory = tempfile::tempdir().unwrap();
    let storage = StorageLocation::Directory(directory.path().to_owned());
    let registry = Registry::with(ServeOptions { storage, ..ServeOptions::default() }).await;
    let digest = Digest::sha256_of(b"hello");
    let mut connection = TcpStream::connect(registry.address).await.unwrap();
    let head = format!(
        "POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhel"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn(registry.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    connection.write_all(b"lo").await.unwrap();
    let answer = read_until(&mut connection, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    stopping.await.unwrap().unwrap();
    assert!(directory.path().join("blobs/sha256").join(digest.hex()).exists());
}

#[tokio::test]
async fn a_stopping_server_does_not_wait_for_ever() {
    let registry = Registry::start().await;
    let location = registry.start_upload("a").await;
    let mut connection = TcpStream::connect(registry.address).await.unwrap();
    let head = format!("PATCH {location} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhel");
    connection.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    registry.stop().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

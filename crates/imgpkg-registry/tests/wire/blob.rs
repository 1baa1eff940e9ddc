//! Reading blobs.

use bytes::Bytes;
use imgpkg_oci::{BlobProgress, BlobReader, Descriptor, ErrorKind, Source as _, StoreResult};

use crate::server::{Reply, Seen, Server, bytes, chain, client, describe, in_turn, options};

async fn open(server: &Server, blob: &Descriptor) -> StoreResult<BlobReader> {
    server.client().blob(blob, BlobProgress::start(&blob.digest)).await
}

async fn read(server: &Server, content: &Bytes) -> Result<Bytes, String> {
    let reader = open(server, &describe(content)).await.map_err(|error| chain(&error))?;
    reader.collect(u64::MAX).await.map_err(|error| chain(&error))
}

/// Serves `content` from where the request asks for it.
fn ranged(content: &Bytes, seen: &Seen) -> Reply {
    match seen
        .header("range")
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok())
    {
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", content.len() - 1, content.len());
            Reply::new(206).with("content-range", range).body(content.slice(start..))
        }
        None => Reply::new(200).body(content.clone()),
    }
}

#[tokio::test]
async fn a_blob_is_read_from_where_its_reader_has_come_to() {
    let content = bytes(1000);
    let served = content.clone();
    let server = Server::open(move |seen| ranged(&served, seen)).await;
    assert_eq!(read(&server, &content).await.unwrap(), content);
    let blob = describe(&content);
    let mut progress = BlobProgress::start(&blob.digest);
    progress.advance(&content[..400]);
    let rest = server.client().blob(&blob, progress).await.unwrap().collect(1000).await.unwrap();
    assert_eq!(rest, content[400..]);
    let seen = server.seen();
    assert_eq!(seen.last().unwrap().header("range"), Some("bytes=400-"));
    assert_eq!(seen.last().unwrap().header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_body_that_breaks_is_continued_where_it_stopped() {
    let content = bytes(300_000);
    let served = content.clone();
    let server = Server::open(move |seen| {
        let whole = ranged(&served, seen);
        match seen.header("range") {
            None => whole.cut_after(100_000),
            Some("bytes=100000-") => whole.cut_after(50_000),
            Some(_) => whole,
        }
    })
    .await;
    assert_eq!(read(&server, &content).await.unwrap(), content);
    let ranges: Vec<_> = server.seen().iter().filter_map(|s| s.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, ["bytes=100000-", "bytes=150000-"]);
}

#[tokio::test]
async fn a_body_that_stands_still_counts_as_broken() {
    let content = bytes(10_000);
    let served = content.clone();
    let server = Server::open(move |seen| {
        let whole = ranged(&served, seen);
        if seen.header("range").is_some() { whole } else { whole.stall_after(4000) }
    })
    .await;
    let response_header_timeout = std::time::Duration::from_millis(400);
    let client = client(imgpkg_registry::ClientOptions { response_header_timeout, ..options() });
    let repository = client.repository(&server.repository("a/b"));
    let blob = describe(&content);
    let reader = repository.blob(&blob, BlobProgress::start(&blob.digest)).await.unwrap();
    assert_eq!(reader.collect(u64::MAX).await.unwrap(), content);
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_server_that_ignores_ranges_is_read_from_the_beginning_again() {
    let content = bytes(200_000);
    let whole = Reply::new(200).body(content.clone());
    let reply = in_turn(vec![whole.clone().cut_after(120_000), whole]);
    let server = Server::open(move |_| reply()).await;
    assert_eq!(read(&server, &content).await.unwrap(), content);
}

#[tokio::test]
async fn a_range_that_begins_before_what_was_asked_is_cut_to_size() {
    let content = bytes(1000);
    let (first, second) = (Reply::new(200).body(content.clone()).cut_after(500), content.slice(300..));
    let second = Reply::new(206).with("content-range", "bytes 300-999/1000").body(second);
    let reply = in_turn(vec![first, second]);
    let server = Server::open(move |_| reply()).await;
    assert_eq!(read(&server, &content).await.unwrap(), content);
}

#[tokio::test]
async fn where_ranges_make_no_sense_everything_is_asked_for_again() {
    let content = bytes(1000);
    let part = Reply::new(206).body(content.slice(600..));
    for senseless in [
        part.clone().with("content-range", "bytes 600-999/1000"),
        part.clone().with("content-range", "pages 1-2"),
        part,
        Reply::new(416),
    ] {
        let whole = Reply::new(200).body(content.clone());
        let reply =
            in_turn(vec![whole.clone().cut_after(500), senseless, whole.clone().cut_after(700), whole]);
        let server = Server::open(move |_| reply()).await;
        assert_eq!(read(&server, &content).await.unwrap(), content);
        let ranges: Vec<_> = server.seen().iter().map(|seen| seen.header("range").is_some()).collect();
        // First contact, then the blob: no second attempt at a range.
        assert_eq!(ranges, [false, false, true, false, false]);
    }
}

#[tokio::test]
async fn a_blob_that_is_shorter_than_described_is_told_by_its_size() {
    let content = bytes(130);
    let served = content.slice(..7);
    let server = Server::open(move |seen| match seen.header("range") {
        None => Reply::new(200).body(served.clone()),
        Some(_) => Reply::new(416),
    })
    .await;
    let error = read(&server, &content).await.unwrap_err();
    assert!(error.ends_with("got 7, want 130"), "{error}");
}

#[tokio::test]
async fn other_bytes_than_the_digest_stands_for_are_refused() {
    let content = bytes(130);
    let server = Server::open(move |_| Reply::new(200).body(vec![0; 130])).await;
    let error = read(&server, &content).await.unwrap_err();
    assert!(error.starts_with("error verifying sha256 checksum after reading 130 bytes"), "{error}");
}

#[tokio::test]
async fn progress_between_interruptions_starts_the_count_again() {
    let content = bytes(100_000);
    let served = content.clone();
    let server = Server::open(move |seen| {
        let whole = ranged(&served, seen);
        if seen.header("range") == Some("bytes=90000-") { whole } else { whole.cut_after(10_000) }
    })
    .await;
    let repository = client(imgpkg_registry::ClientOptions { retry_count: 2, ..options() });
    let repository = repository.repository(&server.repository("a/b"));
    let blob = describe(&content);
    let reader = repository.blob(&blob, BlobProgress::start(&blob.digest)).await.unwrap();
    assert_eq!(reader.collect(u64::MAX).await.unwrap(), content);
    assert_eq!(server.lines().len(), 10);
}

#[tokio::test]
async fn a_missing_blob_is_not_found() {
    let server = Server::open(|_| Reply::new(404)).await;
    let error = open(&server, &describe(b"x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn an_empty_blob_needs_no_request() {
    let server = Server::open(|_| Reply::new(500)).await;
    assert_eq!(read(&server, &Bytes::new()).await.unwrap(), Bytes::new());
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_foreign_layer_is_fetched_from_its_publisher() {
    let content = bytes(100);
    let served = content.clone();
    let publisher = Server::start(move |_| Reply::new(200).body(served.clone())).await;
    let server = Server::open(|_| Reply::new(404)).await;
    let mut blob = describe(&content);
    blob.urls = vec!["file:///etc/passwd".to_owned(), "nonsense".to_owned(), publisher.url("/layer")];
    let reader = open(&server, &blob).await.unwrap();
    assert_eq!(reader.collect(100).await.unwrap(), content);
    assert_eq!(publisher.lines(), ["GET /layer"]);
}

#[tokio::test]
async fn a_blob_comes_as_it_is_whatever_its_encoding_is_said_to_be() {
    // A gzip member of the text `hi`: a client that knew about encodings would hand out the text.
    let content =
        Bytes::from_static(&[31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 200, 4, 0, 172, 42, 147, 216, 2, 0, 0, 0]);
    let served = content.clone();
    let server =
        Server::open(move |_| Reply::new(200).with("content-encoding", "gzip").body(served.clone())).await;
    assert_eq!(read(&server, &content).await.unwrap(), content);
}

//! Uploads that cannot be sent in one piece: broken ones, and ones that are too large for the registry.

use std::sync::atomic::{AtomicUsize, Ordering};

use imgpkg_oci::{BlobPut, Destination as _};

use crate::server::{Content, Reply, Seen, Server, bytes, describe};

const MIB: usize = 1024 * 1024;
const LARGE: usize = 10 * MIB + 17;

fn takes(seen: &Seen) -> Reply {
    match seen.method.as_str() {
        "HEAD" => Reply::new(404),
        "POST" | "PATCH" => Reply::new(202).with("location", "/v2/a/b/blobs/uploads/session"),
        _ => Reply::new(201),
    }
}

async fn put(server: &Server, content: &Content) -> BlobPut {
    server.client().put_blob(&describe(&content.bytes), content).await.unwrap()
}

/// What the PATCHes from this one on have carried, with their ranges.
fn parts(server: &Server, from: usize) -> (Vec<u8>, Vec<Option<String>>) {
    let patches =
        server.seen().into_iter().filter(|seen| seen.method == "PATCH").skip(from).collect::<Vec<_>>();
    let ranges = patches.iter().map(|seen| seen.header("content-range").map(str::to_owned)).collect();
    (patches.iter().flat_map(|seen| seen.body.to_vec()).collect(), ranges)
}

#[tokio::test]
async fn a_broken_upload_is_continued_from_what_has_arrived() {
    let patches = AtomicUsize::new(0);
    let arrived = 7 * MIB + 5;
    let server = Server::open(move |seen| match seen.method.as_str() {
        "PATCH" if patches.fetch_add(1, Ordering::SeqCst) == 0 => Reply::new(503),
        "GET" if seen.target.contains("uploads") => Reply::new(204)
            .with("range", format!("0-{}", arrived - 1))
            .with("location", "/v2/a/b/blobs/uploads/session"),
        _ => takes(seen),
    })
    .await;
    let content = Content::new(bytes(LARGE));
    assert_eq!(put(&server, &content).await, BlobPut::Sent);
    let (sent, ranges) = parts(&server, 1);
    assert!(sent == content.bytes[arrived..], "{} bytes were sent after the break", sent.len());
    assert_eq!(ranges, [Some(format!("{arrived}-{}", LARGE - 1))]);
}

#[tokio::test]
async fn a_broken_upload_that_the_registry_has_forgotten_is_begun_again() {
    let patches = AtomicUsize::new(0);
    let server = Server::open(move |seen| match seen.method.as_str() {
        "PATCH" if patches.fetch_add(1, Ordering::SeqCst) == 0 => Reply::new(503),
        "GET" if seen.target.contains("uploads") => Reply::new(404),
        _ => takes(seen),
    })
    .await;
    let content = Content::new(bytes(LARGE));
    assert_eq!(put(&server, &content).await, BlobPut::Sent);
    assert!(parts(&server, 1).0 == content.bytes);
}

#[tokio::test]
async fn a_blob_that_is_too_large_for_one_request_is_sent_in_parts() {
    let server = Server::open(|seen| match seen.method.as_str() {
        "PATCH" if seen.body.len() > 4 * MIB => Reply::new(413),
        _ => takes(seen),
    })
    .await;
    let content = Content::new(bytes(LARGE));
    assert_eq!(put(&server, &content).await, BlobPut::Sent);
    let (sent, ranges) = parts(&server, 1);
    assert!(sent == content.bytes);
    let ranges: Vec<_> = ranges.into_iter().flatten().collect();
    let four = 4 * MIB;
    let expected = [
        format!("0-{}", four - 1),
        format!("{four}-{}", 2 * four - 1),
        format!("{}-{}", 2 * four, LARGE - 1),
    ];
    assert_eq!(ranges, expected);
}

#[tokio::test]
async fn parts_are_as_large_as_the_registry_asks_for() {
    let server = Server::open(|seen| match seen.method.as_str() {
        "PATCH" if seen.body.len() == LARGE => Reply::new(413),
        "POST" => takes(seen).with("oci-chunk-min-length", (6 * MIB).to_string()),
        _ => takes(seen),
    })
    .await;
    let content = Content::new(bytes(LARGE));
    assert_eq!(put(&server, &content).await, BlobPut::Sent);
    let (_, ranges) = parts(&server, 1);
    assert_eq!(ranges[0].as_deref(), Some(format!("0-{}", 6 * MIB - 1).as_str()));
}

//! Writing blobs.

use std::sync::atomic::Ordering;

use imgpkg_oci::{BlobPut, Descriptor, Destination as _, Digest, ErrorKind, Repository, StoreResult};

use imgpkg_registry::ClientOptions;

use crate::server::{Content, Reply, Seen, Server, bytes, chain, client, describe, in_turn, options};

const LARGE: usize = 3 * 1024 * 1024 + 17;

async fn put(server: &Server, content: &Content) -> StoreResult<BlobPut> {
    server.client().put_blob(&describe(&content.bytes), content).await
}

/// A registry that has nothing and takes everything; its upload sessions are relative, with a query.
fn takes(seen: &Seen) -> Reply {
    match seen.method.as_str() {
        "HEAD" => Reply::new(404),
        "POST" => Reply::new(202).with("location", "session?_state=a%2Fb"),
        "PATCH" => Reply::new(202).with("location", "/v2/a/b/blobs/uploads/session?_state=next"),
        _ => Reply::new(201),
    }
}

fn query_digest(digest: &Digest) -> String {
    format!("digest={}", digest.as_str().replace(':', "%3A"))
}

fn query_mount(digest: &Digest) -> String {
    format!("mount={}", digest.as_str().replace(':', "%3A"))
}

#[tokio::test]
async fn a_small_blob_is_asked_for_and_its_upload_opened_in_one_request_and_sent_in_another() {
    let server = Server::open(takes).await;
    let content = Content::new(bytes(1000));
    assert_eq!(put(&server, &content).await.unwrap(), BlobPut::Sent);
    let digest = Digest::sha256_of(&content.bytes);
    assert_eq!(
        server.lines(),
        [
            format!("POST /v2/a/b/blobs/uploads/?from=a%2Fb&{}", query_mount(&digest)),
            format!("PUT /v2/a/b/blobs/uploads/session?_state=a%2Fb&{}", query_digest(&digest)),
        ]
    );
    let last = server.seen().pop().unwrap();
    assert_eq!(last.body, content.bytes);
    assert_eq!(last.header("content-length"), Some("1000"));
}

#[tokio::test]
async fn a_large_blob_is_streamed_in_one_patch_with_its_length() {
    let server = Server::open(takes).await;
    let content = Content::new(bytes(LARGE));
    assert_eq!(put(&server, &content).await.unwrap(), BlobPut::Sent);
    let digest = Digest::sha256_of(&content.bytes);
    assert_eq!(
        server.lines()[2..],
        [
            "PATCH /v2/a/b/blobs/uploads/session?_state=a%2Fb".to_owned(),
            format!("PUT /v2/a/b/blobs/uploads/session?_state=next&{}", query_digest(&digest)),
        ]
    );
    let seen = server.seen();
    let patch = seen.iter().find(|seen| seen.method == "PATCH").unwrap();
    assert!(patch.body == content.bytes, "other bytes arrived");
    assert_eq!(patch.header("content-length"), Some(LARGE.to_string().as_str()));
    assert_eq!(patch.header("transfer-encoding"), None);
}

#[tokio::test]
async fn an_empty_blob_is_sent_too() {
    let server = Server::open(takes).await;
    assert_eq!(put(&server, &Content::new(bytes(0))).await.unwrap(), BlobPut::Sent);
    let last = server.seen().pop().unwrap();
    assert_eq!((last.method.as_str(), last.header("content-length")), ("PUT", Some("0")));
}

#[tokio::test]
async fn what_is_there_is_not_sent() {
    let server = Server::open(|_| Reply::new(201)).await;
    assert_eq!(put(&server, &Content::new(bytes(9))).await.unwrap(), BlobPut::Present);
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_blob_of_another_size_is_not_the_one() {
    let server = Server::open(|seen| match seen.method.as_str() {
        "HEAD" => Reply::new(200).body(bytes(46)),
        _ => takes(seen),
    })
    .await;
    assert_eq!(put(&server, &Content::new(bytes(LARGE))).await.unwrap(), BlobPut::Sent);
}

#[tokio::test]
async fn a_large_blob_is_asked_for_where_a_registry_does_not_mount() {
    let server = Server::open(|seen| match seen.method.as_str() {
        "HEAD" => Reply::new(200).body(bytes(LARGE)),
        _ => takes(seen),
    })
    .await;
    assert_eq!(put(&server, &Content::new(bytes(LARGE))).await.unwrap(), BlobPut::Present);
    let methods: Vec<_> = server.seen().iter().skip(1).map(|seen| seen.method.clone()).collect();
    assert_eq!(methods, ["POST", "HEAD"]);
}

async fn mount(script: fn(&Seen) -> Reply) -> (Server, BlobPut, Descriptor) {
    let server = Server::open(script).await;
    let mut content = Content::new(bytes(1000));
    content.mount_from = Some(server.repository("c/d"));
    let put = put(&server, &content).await.unwrap();
    (server, put, describe(&content.bytes))
}

#[tokio::test]
async fn a_blob_is_mounted_from_the_same_registry() {
    let (server, put, blob) = mount(|_| Reply::new(201)).await;
    assert_eq!(put, BlobPut::Mounted);
    let mount = blob.digest.as_str().replace(':', "%3A");
    assert_eq!(server.lines(), [format!("POST /v2/a/b/blobs/uploads/?from=c%2Fd&mount={mount}")]);
}

#[tokio::test]
async fn a_mount_that_became_an_upload_is_continued() {
    let (server, put, _) = mount(takes).await;
    assert_eq!(put, BlobPut::Sent);
    let methods: Vec<_> = server.seen().iter().skip(1).map(|seen| seen.method.clone()).collect();
    assert_eq!(methods, ["POST", "PUT"]);
}

#[tokio::test]
async fn a_mount_that_fails_falls_back_to_an_upload() {
    let (server, put, _) = mount(|seen| match seen.target.contains("mount=") {
        true => Reply::new(403),
        false => takes(seen),
    })
    .await;
    assert_eq!(put, BlobPut::Sent);
    let methods: Vec<_> = server.seen().iter().skip(1).map(|seen| seen.method.clone()).collect();
    assert_eq!(methods, ["POST", "HEAD", "POST", "PUT"]);
}

#[tokio::test]
async fn nothing_is_mounted_from_another_registry() {
    let server = Server::open(takes).await;
    let mut content = Content::new(bytes(10));
    content.mount_from = Some(Repository::parse("other.example/c/d").unwrap());
    assert_eq!(put(&server, &content).await.unwrap(), BlobPut::Sent);
    assert!(server.lines().iter().all(|line| !line.contains("c%2Fd")), "{:?}", server.lines());
}

#[tokio::test]
async fn an_upload_that_fails_is_begun_again() {
    for failing in ["PATCH", "PUT"] {
        let failure = in_turn(vec![
            Reply::new(500),
            Reply::new(404).body(r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#),
        ]);
        let failures = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::open(move |seen| {
            let fails = seen.method == failing && failures.fetch_add(1, Ordering::SeqCst) < 2;
            if fails { failure() } else { takes(seen) }
        })
        .await;
        let content = Content::new(bytes(LARGE));
        assert_eq!(put(&server, &content).await.unwrap(), BlobPut::Sent);
        let opened = content.opened.load(Ordering::SeqCst);
        // The PUT has no body and is repeated by itself; a session that is lost costs a whole upload.
        assert_eq!(opened, if failing == "PATCH" { 3 } else { 2 }, "{failing}");
    }
}

#[tokio::test]
async fn content_that_is_not_what_it_should_be_is_never_finished() {
    let server = Server::open(takes).await;
    let content = Content::new(bytes(LARGE));
    let mut blob = describe(&content.bytes);
    blob.digest = Digest::sha256_of(b"other");
    struct Wrong(Content, Descriptor);
    impl imgpkg_oci::BlobOpener for Wrong {
        fn open(
            &self,
            from: imgpkg_oci::BlobProgress,
        ) -> futures_util::future::BoxFuture<'_, StoreResult<imgpkg_oci::BlobReader>> {
            let (bytes, blob) = (self.0.bytes.clone(), self.1.clone());
            let stream = futures_util::stream::iter([Ok(bytes)]);
            let reader = imgpkg_oci::BlobReader::resumed(blob, from, Box::pin(stream));
            Box::pin(std::future::ready(Ok(reader)))
        }
    }
    let error = server.client().put_blob(&blob, &Wrong(content, blob.clone())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(chain(&error).starts_with("error verifying sha256 checksum"), "{error}");
    assert!(server.lines().iter().all(|line| !line.starts_with("PUT")));
}

#[tokio::test]
async fn a_full_registry_says_so() {
    let server = Server::open(|seen| if seen.method == "PUT" { Reply::new(507) } else { takes(seen) }).await;
    let error = put(&server, &Content::new(bytes(10))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
}

#[tokio::test]
async fn failures_of_one_upload_are_counted_together() {
    let server = Server::open(|seen| if seen.method == "PUT" { Reply::new(500) } else { takes(seen) }).await;
    let repository = client(ClientOptions { retry_count: 3, ..options() });
    let content = Content::new(bytes(LARGE));
    let repository = repository.repository(&server.repository("a/b"));
    repository.put_blob(&describe(&content.bytes), &content).await.unwrap_err();
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("PUT")).count(), 3);
    assert_eq!(content.opened.load(Ordering::SeqCst), 1);
}

/// A registry that takes nothing of the body of a PATCH and does not answer it.
async fn deaf() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let app = axum::Router::new().fallback(async |request: axum::extract::Request| {
        let status = match request.method().as_str() {
            "HEAD" => 404,
            "POST" => 202,
            "GET" => 200,
            _ => std::future::pending().await,
        };
        http::Response::builder()
            .status(status)
            .header("location", "/up")
            .body(axum::body::Body::empty())
            .unwrap()
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    host
}

#[tokio::test]
async fn an_upload_that_stands_still_is_given_up() {
    let host = deaf().await;
    let response_header_timeout = std::time::Duration::from_millis(300);
    let client = client(ClientOptions { retry_count: 2, response_header_timeout, ..options() });
    let repository = client.repository(&Repository::parse(&format!("{host}/a/b")).unwrap());
    // More than the buffers between the two can hold.
    let content = Content::new(bytes(32 * 1024 * 1024));
    let error = repository.put_blob(&describe(&content.bytes), &content).await.unwrap_err();
    assert!(chain(&error).contains("no byte has moved for"), "{}", chain(&error));
    assert_eq!(content.opened.load(Ordering::SeqCst), 2);
}

/// Content that is downloaded from another repository while it is uploaded.
struct Passed(std::sync::Arc<imgpkg_registry::RepositoryClient>, Descriptor);

impl imgpkg_oci::BlobOpener for Passed {
    fn open(
        &self,
        from: imgpkg_oci::BlobProgress,
    ) -> futures_util::future::BoxFuture<'_, StoreResult<imgpkg_oci::BlobReader>> {
        imgpkg_oci::Source::blob(&*self.0, &self.1, from)
    }
}

#[tokio::test]
async fn copies_within_one_registry_do_not_wait_for_each_other_for_ever() {
    let content = bytes(LARGE);
    let served = content.clone();
    let server = Server::open(move |seen| match seen.method.as_str() {
        "GET" => Reply::new(200).body(served.clone()),
        _ => takes(seen),
    })
    .await;
    let client = client(ClientOptions { max_requests_per_host: Some(1), ..options() });
    let source = client.repository(&server.repository("c/d"));
    let target = client.repository(&server.repository("a/b"));
    let passed = Passed(source, describe(&content));
    let all = (0..4).map(|_| target.put_blob(&passed.1, &passed));
    let all = futures_util::future::join_all(all);
    let results = tokio::time::timeout(std::time::Duration::from_secs(30), all).await.unwrap();
    assert!(results.into_iter().all(|result| result.unwrap() == BlobPut::Sent));
}

use imgpkg_oci::Digest;
use reqwest::header::{CONTENT_RANGE, IF_RANGE, RANGE};
use reqwest::{Method, StatusCode};

use crate::registry::{Registry, content, error_code, header, refused};

#[tokio::test]
async fn a_blob_comes_back_as_it_was_sent() {
    let registry = Registry::start().await;
    for length in [0, 1, 256 * 1024, 256 * 1024 + 1, 3_000_000] {
        let bytes = content(length);
        let digest = registry.put_blob("a/b", bytes.clone()).await;
        let path = format!("/v2/a/b/blobs/{digest}");
        let head = registry.head(&path).await;
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(header(&head, "content-length"), length.to_string());
        let answer = registry.get(&path).await;
        assert_eq!(answer.status(), StatusCode::OK);
        for answer in [&head, &answer] {
            assert_eq!(header(answer, "docker-content-digest"), digest.as_str());
            assert_eq!(header(answer, "accept-ranges"), "bytes");
            assert_eq!(header(answer, "content-type"), "application/octet-stream");
            assert_eq!(header(answer, "docker-distribution-api-version"), "registry/2.0");
        }
        assert_eq!(header(&answer, "content-length"), length.to_string());
        assert!(answer.bytes().await.unwrap() == bytes, "{length} bytes");
    }
}

#[tokio::test]
async fn a_range_is_answered_with_that_part() {
    let registry = Registry::start().await;
    let bytes = content(1_000_000);
    let digest = registry.put_blob("a", bytes.clone()).await;
    let path = format!("/v2/a/blobs/{digest}");
    for (range, part) in [
        ("bytes=0-0", 0..1),
        ("bytes=10-19", 10..20),
        ("bytes=300000-", 300_000..1_000_000),
        ("bytes=-7", 999_993..1_000_000),
        ("bytes=999999-2000000", 999_999..1_000_000),
    ] {
        let answer = registry.request(Method::GET, &path).header(RANGE, range).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
        let expected = format!("bytes {}-{}/1000000", part.start, part.end - 1);
        assert_eq!(header(&answer, CONTENT_RANGE.as_str()), expected);
        assert_eq!(header(&answer, "content-length"), part.len().to_string());
        assert!(answer.bytes().await.unwrap() == bytes[part], "{range}");
    }
}

#[tokio::test]
async fn a_range_that_the_blob_does_not_have_is_not_satisfiable() {
    let registry = Registry::start().await;
    let digest = registry.put_blob("a", content(10)).await;
    let path = format!("/v2/a/blobs/{digest}");
    let answer = registry.request(Method::GET, &path).header(RANGE, "bytes=10-").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header(&answer, CONTENT_RANGE.as_str()), "bytes */10");
    assert_eq!(error_code(answer).await, "RANGE_INVALID");
}

#[tokio::test]
async fn a_range_of_something_else_is_answered_with_everything() {
    let registry = Registry::start().await;
    let digest = registry.put_blob("a", content(10)).await;
    let get = |condition: String| {
        registry
            .request(Method::GET, &format!("/v2/a/blobs/{digest}"))
            .header(RANGE, "bytes=5-")
            .header(IF_RANGE, condition)
            .send()
    };
    assert_eq!(get("\"other\"".to_owned()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(get(format!("\"{digest}\"")).await.unwrap().status(), StatusCode::PARTIAL_CONTENT);
}

#[tokio::test]
async fn a_blob_is_seen_only_in_its_repository() {
    let registry = Registry::start().await;
    let digest = registry.put_blob("a", "x").await;
    registry.put_blob("b", "y").await;
    assert_eq!(registry.head(&format!("/v2/b/blobs/{digest}")).await.status(), StatusCode::NOT_FOUND);
    let answer = registry.get(&format!("/v2/b/blobs/{digest}")).await;
    assert_eq!(refused(answer).await, (404, "BLOB_UNKNOWN".to_owned()));
    let answer = registry.get(&format!("/v2/nobody/blobs/{digest}")).await;
    assert_eq!(refused(answer).await, (404, "NAME_UNKNOWN".to_owned()));
}

#[tokio::test]
async fn a_deleted_blob_is_gone_from_its_repository_alone() {
    let registry = Registry::start().await;
    let digest = registry.put_blob("a", "x").await;
    registry.put_blob("b", "x").await;
    let path = format!("/v2/a/blobs/{digest}");
    assert_eq!(registry.delete(&path).await.status(), StatusCode::ACCEPTED);
    assert_eq!(registry.get(&path).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(refused(registry.delete(&path).await).await, (404, "BLOB_UNKNOWN".to_owned()));
    assert_eq!(registry.get(&format!("/v2/b/blobs/{digest}")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_digest_that_is_none_is_refused() {
    let registry = Registry::start().await;
    registry.put_blob("a", "x").await;
    for digest in ["sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", "x"] {
        let answer = registry.get(&format!("/v2/a/blobs/{digest}")).await;
        assert_eq!(refused(answer).await, (400, "DIGEST_INVALID".to_owned()), "{digest}");
    }
    let unknown = Digest::sha256_of(b"never sent");
    assert_eq!(registry.head(&format!("/v2/a/blobs/{unknown}")).await.status(), StatusCode::NOT_FOUND);
}

use futures_util::stream;
use imgpkg_oci::{Algorithm, Digest, Digester};
use reqwest::header::{CONTENT_RANGE, LOCATION};
use reqwest::{Body, Method, Response, StatusCode};

use crate::registry::{Registry, content, error_code, header, refused};

async fn patch(registry: &Registry, location: &str, range: &str, chunk: &[u8]) -> Response {
    let request = registry.request(Method::PATCH, location).header(CONTENT_RANGE, range);
    request.body(chunk.to_vec()).send().await.unwrap()
}

async fn put(registry: &Registry, location: &str, digest: &Digest, rest: &[u8]) -> Response {
    let path = format!("{location}?digest={digest}");
    registry.request(Method::PUT, &path).body(rest.to_vec()).send().await.unwrap()
}

async fn assert_stored(registry: &Registry, name: &str, bytes: &[u8]) {
    let answer = registry.get(&format!("/v2/{name}/blobs/{}", Digest::sha256_of(bytes))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.bytes().await.unwrap() == bytes);
}

#[tokio::test]
async fn a_blob_is_uploaded_with_a_post_and_a_put() {
    let registry = Registry::start().await;
    let bytes = content(2_000_000);
    let digest = Digest::sha256_of(&bytes);
    let location = registry.start_upload("a/b").await;
    let answer = put(&registry, &location, &digest, &bytes).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, LOCATION.as_str()), format!("/v2/a/b/blobs/{digest}"));
    assert_eq!(header(&answer, "docker-content-digest"), digest.as_str());
    assert_stored(&registry, "a/b", &bytes).await;
    assert_eq!(refused(registry.get(&location).await).await, (404, "BLOB_UPLOAD_UNKNOWN".to_owned()));
}

#[tokio::test]
async fn a_blob_is_uploaded_in_chunks_the_last_one_in_the_put() {
    let registry = Registry::start().await;
    let bytes = content(300_000);
    let location = registry.start_upload("a").await;
    let answer = patch(&registry, &location, "0-99999", &bytes[..100_000]).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(header(&answer, "range"), "0-99999");
    let location = header(&answer, LOCATION.as_str()).to_owned();
    let answer = patch(&registry, &location, "bytes 100000-199999/*", &bytes[100_000..200_000]).await;
    assert_eq!(header(&answer, "range"), "0-199999");
    let status = registry.get(&location).await;
    assert_eq!(status.status(), StatusCode::NO_CONTENT);
    assert_eq!(header(&status, "range"), "0-199999");
    assert_eq!(header(&status, LOCATION.as_str()), location);
    assert!(location.ends_with(header(&status, "docker-upload-uuid")));
    let answer = put(&registry, &location, &Digest::sha256_of(&bytes), &bytes[200_000..]).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_stored(&registry, "a", &bytes).await;
}

#[tokio::test]
async fn a_stream_without_a_range_is_appended() {
    let registry = Registry::start().await;
    let bytes = content(1_500_000);
    let location = registry.start_upload("a").await;
    for half in [&bytes[..700_000], &bytes[700_000..]] {
        let pieces: Vec<_> = half.chunks(9999).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        let body = Body::wrap_stream(stream::iter(pieces));
        let answer = registry.request(Method::PATCH, &location).body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    let answer = put(&registry, &location, &Digest::sha256_of(&bytes), b"").await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_stored(&registry, "a", &bytes).await;
}

#[tokio::test]
async fn a_chunk_out_of_order_is_told_where_the_upload_is() {
    let registry = Registry::start().await;
    let location = registry.start_upload("a").await;
    patch(&registry, &location, "0-9", &content(10)).await;
    for range in ["0-9", "5-14", "11-20"] {
        let answer = patch(&registry, &location, range, &content(10)).await;
        assert_eq!(answer.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(header(&answer, "range"), "0-9");
        assert_eq!(header(&answer, LOCATION.as_str()), location);
        assert_eq!(error_code(answer).await, "BLOB_UPLOAD_INVALID");
    }
    let answer = put(&registry, &location, &Digest::sha256_of(&content(10)), b"").await;
    assert_eq!(answer.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_chunk_that_is_not_what_it_announces_is_not_taken() {
    let registry = Registry::start().await;
    let location = registry.start_upload("a").await;
    patch(&registry, &location, "0-9", &content(10)).await;
    let answer = patch(&registry, &location, "10-29", &content(10)).await;
    assert_eq!(refused(answer).await, (400, "SIZE_INVALID".to_owned()));
    for length in [5, 15] {
        // Without a Content-Length only the end shows.
        let body = Body::wrap_stream(stream::iter([Ok::<_, std::io::Error>(content(length))]));
        let request = registry.request(Method::PATCH, &location).header(CONTENT_RANGE, "10-19").body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(refused(answer).await, (400, "SIZE_INVALID".to_owned()));
    }
    let answer = patch(&registry, &location, "nonsense", &content(10)).await;
    assert_eq!(refused(answer).await, (400, "BLOB_UPLOAD_INVALID".to_owned()));
    assert_eq!(header(&registry.get(&location).await, "range"), "0-9");
}

#[tokio::test]
async fn wrong_bytes_are_refused_and_not_kept() {
    let registry = Registry::start().await;
    registry.put_blob("a", "x").await;
    let digest = Digest::sha256_of(b"right");
    let location = registry.start_upload("a").await;
    let answer = put(&registry, &location, &digest, b"wrong").await;
    assert_eq!(refused(answer).await, (400, "DIGEST_INVALID".to_owned()));
    let path = format!("/v2/a/blobs/uploads/?digest={digest}");
    let answer = registry.request(Method::POST, &path).body("wrong").send().await.unwrap();
    assert_eq!(refused(answer).await, (400, "DIGEST_INVALID".to_owned()));
    assert_eq!(registry.head(&format!("/v2/a/blobs/{digest}")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(registry.get(&location).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_upload_cannot_end_without_a_digest() {
    let registry = Registry::start().await;
    let location = registry.start_upload("a").await;
    for query in ["", "?digest=", "?digest=sha256:zz", "?digest=sha256:..%2F..%2Fetc"] {
        let request = registry.request(Method::PUT, &format!("{location}{query}")).body("x");
        let refusal = refused(request.send().await.unwrap()).await;
        assert_eq!(refusal, (400, "DIGEST_INVALID".to_owned()), "{query}");
    }
    assert_eq!(registry.get(&location).await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_sha512_digest_works_with_and_without_being_announced() {
    let registry = Registry::start().await;
    let mut digester = Digester::new(Algorithm::Sha512);
    digester.update(b"abc");
    let digest = digester.finish();
    for (name, query) in [("a", ""), ("b", "?digest-algorithm=sha512")] {
        let path = format!("/v2/{name}/blobs/uploads/{query}");
        let started = registry.request(Method::POST, &path).send().await.unwrap();
        let answer = put(&registry, header(&started, LOCATION.as_str()), &digest, b"abc").await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let blob = registry.get(&format!("/v2/{name}/blobs/{digest}")).await;
        assert_eq!(blob.text().await.unwrap(), "abc");
    }
}

#[tokio::test]
async fn a_cancelled_upload_is_gone() {
    let registry = Registry::start().await;
    let location = registry.start_upload("a").await;
    patch(&registry, &location, "0-9", &content(10)).await;
    assert_eq!(registry.delete(&location).await.status(), StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
        let path = format!("{location}?digest={}", Digest::sha256_of(b""));
        let answer = registry.request(method, &path).send().await.unwrap();
        assert_eq!(refused(answer).await, (404, "BLOB_UPLOAD_UNKNOWN".to_owned()));
    }
}

#[tokio::test]
async fn an_upload_belongs_to_its_repository() {
    let registry = Registry::start().await;
    let location = registry.start_upload("a").await;
    let elsewhere = location.replace("/v2/a/", "/v2/b/");
    assert_ne!(elsewhere, location);
    let answer = patch(&registry, &elsewhere, "0-0", b"x").await;
    assert_eq!(refused(answer).await, (404, "BLOB_UPLOAD_UNKNOWN".to_owned()));
}

#[tokio::test]
async fn a_blob_of_another_repository_is_mounted() {
    let registry = Registry::start().await;
    let digest = registry.put_blob("from/here", "x").await;
    let path = format!("/v2/to/blobs/uploads/?mount={digest}&from=from%2Fhere");
    let answer = registry.request(Method::POST, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, LOCATION.as_str()), format!("/v2/to/blobs/{digest}"));
    assert_eq!(header(&answer, "docker-content-digest"), digest.as_str());
    assert_eq!(registry.get(&format!("/v2/to/blobs/{digest}")).await.text().await.unwrap(), "x");
}

#[tokio::test]
async fn what_cannot_be_mounted_is_uploaded() {
    let registry = Registry::start().await;
    let digest = registry.put_blob("here", "x").await;
    let unknown = Digest::sha256_of(b"never sent");
    for query in [
        format!("mount={unknown}&from=here"),
        format!("mount={digest}&from=nobody"),
        format!("mount={digest}&from=..%2Fhere"),
        format!("mount={digest}"),
    ] {
        let path = format!("/v2/to/blobs/uploads/?{query}");
        let answer = registry.request(Method::POST, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{query}");
        let location = header(&answer, LOCATION.as_str()).to_owned();
        assert_eq!(put(&registry, &location, &digest, b"x").await.status(), StatusCode::CREATED);
    }
    let answer = registry.request(Method::POST, "/v2/to/blobs/uploads/?mount=x&from=here").send().await;
    assert_eq!(refused(answer.unwrap()).await, (400, "DIGEST_INVALID".to_owned()));
}

#[tokio::test]
async fn one_blob_can_come_from_many_at_once() {
    let registry = Registry::start().await;
    let bytes = content(500_000);
    let names: Vec<String> = (0..8).map(|i| format!("repository/{}", i % 3)).collect();
    futures_util::future::join_all(names.iter().map(|name| registry.put_blob(name, bytes.clone()))).await;
    for name in &names[..3] {
        assert_stored(&registry, name, &bytes).await;
    }
}

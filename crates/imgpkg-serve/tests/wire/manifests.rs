use imgpkg_oci::Digest;
use imgpkg_oci::media_type::{DOCKER_FOREIGN_LAYER, DOCKER_MANIFEST, DOCKER_MANIFEST_1_SIGNED, OCI_INDEX};
use reqwest::{Method, StatusCode};

use crate::registry::{OCI_MANIFEST, Registry, error_code, header, image_manifest, refused};

#[tokio::test]
async fn a_manifest_comes_back_by_tag_and_by_digest_as_it_was_sent() {
    let registry = Registry::start().await;
    let config = registry.put_blob("a/b", "{}").await;
    let layer = registry.put_blob("a/b", "layer").await;
    let sent = format!("{}\n ", image_manifest(&config, &layer, ""));
    let digest = Digest::sha256_of(sent.as_bytes());
    let answer = registry.put_manifest("a/b", "v1", OCI_MANIFEST, sent.clone()).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "location"), format!("/v2/a/b/manifests/{digest}"));
    assert_eq!(header(&answer, "docker-content-digest"), digest.as_str());
    assert!(answer.headers().get("oci-subject").is_none());
    for reference in ["v1", digest.as_str()] {
        let path = format!("/v2/a/b/manifests/{reference}");
        let (head, answer) = (registry.head(&path).await, registry.get(&path).await);
        for answer in [&head, &answer] {
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(header(answer, "content-type"), OCI_MANIFEST);
            assert_eq!(header(answer, "content-length"), sent.len().to_string());
            assert_eq!(header(answer, "docker-content-digest"), digest.as_str());
        }
        assert_eq!(answer.text().await.unwrap(), sent);
    }
}

#[tokio::test]
async fn a_manifest_sent_by_digest_must_have_it() {
    let registry = Registry::start().await;
    let manifest = r#"{"schemaVersion":2,"manifests":[]}"#;
    let digest = Digest::sha256_of(manifest.as_bytes());
    let answer = registry.put_manifest("a", digest.as_str(), OCI_INDEX, manifest).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let other = Digest::sha256_of(b"other");
    let answer = registry.put_manifest("a", other.as_str(), OCI_INDEX, manifest).await;
    assert_eq!(refused(answer).await, (400, "DIGEST_INVALID".to_owned()));
    let tags = registry.get("/v2/a/tags/list").await.text().await.unwrap();
    assert_eq!(tags, r#"{"name":"a","tags":[]}"#);
}

#[tokio::test]
async fn every_media_type_is_taken_and_given_back() {
    let registry = Registry::start().await;
    for (i, media_type) in [
        "application/vnd.example.unheard-of+json; version=2",
        DOCKER_MANIFEST_1_SIGNED,
        "application/vnd.oci.artifact.manifest.v1+json",
    ]
    .into_iter()
    .enumerate()
    {
        let body = format!("{{\"n\":{i}}}");
        let answer = registry.put_manifest("a", "x", media_type, body.clone()).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{media_type}");
        let answer = registry.get("/v2/a/manifests/x").await;
        assert_eq!(header(&answer, "content-type"), media_type);
        assert_eq!(answer.text().await.unwrap(), body);
    }
}

#[tokio::test]
async fn a_manifest_is_refused_while_what_it_needs_is_missing() {
    let registry = Registry::start().await;
    let (config, layer) = (registry.put_blob("a", "{}").await, Digest::sha256_of(b"layer"));
    registry.put_blob("elsewhere", "layer").await;
    let manifest = image_manifest(&config, &layer, "");
    let answer = registry.put_manifest("a", "v1", OCI_MANIFEST, manifest.clone()).await;
    let message = answer.text().await.unwrap();
    assert!(message.contains("MANIFEST_BLOB_UNKNOWN") && message.contains(layer.as_str()), "{message}");
    assert_eq!(registry.head("/v2/a/manifests/v1").await.status(), StatusCode::NOT_FOUND);
    registry.put_blob("a", "layer").await;
    let answer = registry.put_manifest("a", "v1", OCI_MANIFEST, manifest).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_layer_that_may_not_be_distributed_is_not_missed() {
    let registry = Registry::start().await;
    let config = registry.put_blob("a", "{}").await;
    let absent = Digest::sha256_of(b"absent");
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"digest":"{config}","size":2}},"layers":[{{"mediaType":"{DOCKER_FOREIGN_LAYER}","digest":"{absent}","size":1,"urls":["https://example.com/x"]}}]}}"#
    );
    let answer = registry.put_manifest("a", "v1", DOCKER_MANIFEST, manifest).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn an_index_needs_its_children() {
    let registry = Registry::start().await;
    let child = registry.put_image("a", "child").await;
    let index = |digest: &Digest| {
        format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":1}}]}}"#
        )
    };
    let answer = registry.put_manifest("a", "index", OCI_INDEX, index(&child)).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer = registry.put_manifest("b", "index", OCI_INDEX, index(&child)).await;
    assert_eq!(refused(answer).await, (404, "MANIFEST_BLOB_UNKNOWN".to_owned()));
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    let registry = Registry::start().await;
    for body in ["", "no json", "[]", "{}", r#"{"config":{"digest":"sha256:../x","size":1},"layers":[]}"#] {
        let answer = registry.put_manifest("a", "v1", OCI_MANIFEST, body).await;
        assert_eq!(refused(answer).await, (400, "MANIFEST_INVALID".to_owned()), "{body}");
    }
    for tag in [".hidden", "-dash", "sha256:abc", "a%20b"] {
        let answer = registry.put_manifest("a", tag, OCI_INDEX, r#"{"manifests":[]}"#).await;
        assert_eq!(refused(answer).await, (400, "MANIFEST_INVALID".to_owned()), "{tag}");
    }
}

#[tokio::test]
async fn a_manifest_above_four_mebibytes_is_too_large() {
    let registry = Registry::start().await;
    let filler = |length: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(length - 8));
    let answer = registry.put_manifest("a", "v1", "x/y", filler(4 << 20)).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer = registry.put_manifest("a", "v2", "x/y", filler((4 << 20) + 1)).await;
    assert_eq!(refused(answer).await, (413, "SIZE_INVALID".to_owned()));
    let pieces: Vec<_> = (0..5).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1 << 20])).collect();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let request =
        registry.request(Method::PUT, "/v2/a/manifests/v2").header("content-type", "x/y").body(body);
    assert_eq!(refused(request.send().await.unwrap()).await, (413, "SIZE_INVALID".to_owned()));
}

#[tokio::test]
async fn what_nobody_sent_is_unknown() {
    let registry = Registry::start().await;
    registry.put_image("a", "v1").await;
    let unknown = Digest::sha256_of(b"never sent");
    for reference in ["v2", unknown.as_str(), ".INVALID_MANIFEST_NAME"] {
        let path = format!("/v2/a/manifests/{reference}");
        assert_eq!(registry.head(&path).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(refused(registry.get(&path).await).await, (404, "MANIFEST_UNKNOWN".to_owned()));
        assert_eq!(refused(registry.delete(&path).await).await, (404, "MANIFEST_UNKNOWN".to_owned()));
    }
    let answer = registry.get("/v2/nobody/manifests/v1").await;
    assert_eq!(error_code(answer).await, "NAME_UNKNOWN");
}

#[tokio::test]
async fn deleting_a_tag_leaves_the_manifest() {
    let registry = Registry::start().await;
    let digest = registry.put_image("a", "v1").await;
    assert_eq!(registry.delete("/v2/a/manifests/v1").await.status(), StatusCode::ACCEPTED);
    assert_eq!(registry.get("/v2/a/manifests/v1").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(registry.get(&format!("/v2/a/manifests/{digest}")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn deleting_a_manifest_takes_its_tags_along() {
    let registry = Registry::start().await;
    let digest = registry.put_image("a", "v1").await;
    registry.put_image("a", "v2").await;
    let path = format!("/v2/a/manifests/{digest}");
    assert_eq!(registry.delete(&path).await.status(), StatusCode::ACCEPTED);
    assert_eq!(registry.get(&path).await.status(), StatusCode::NOT_FOUND);
    let tags = registry.get("/v2/a/tags/list").await.text().await.unwrap();
    assert_eq!(tags, r#"{"name":"a","tags":["v2"]}"#);
}

use imgpkg_oci::Digest;
use imgpkg_oci::media_type::OCI_INDEX;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::registry::{OCI_MANIFEST, Registry, header, image_manifest, refused};

async fn document(registry: &Registry, path: &str) -> Value {
    let answer = registry.get(path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn tags_are_listed_in_the_order_of_their_bytes() {
    let registry = Registry::start().await;
    for tag in ["b", "a", "B", "10", "9", "_x"] {
        registry.put_image("a/b", tag).await;
    }
    let list = document(&registry, "/v2/a/b/tags/list").await;
    assert_eq!(list, json!({ "name": "a/b", "tags": ["10", "9", "B", "_x", "a", "b"] }));
}

#[tokio::test]
async fn pages_of_tags_are_linked() {
    let registry = Registry::start().await;
    for tag in ["a", "b", "c", "d", "e"] {
        registry.put_image("a", tag).await;
    }
    let mut path = "/v2/a/tags/list?n=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = registry.get(&path).await;
        let next = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let page: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        pages.push(page["tags"].clone());
        let Some(next) = next else { break };
        path = next.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
    assert_eq!(pages, [json!(["a", "b"]), json!(["c", "d"]), json!(["e"])]);
    assert_eq!(document(&registry, "/v2/a/tags/list?last=c").await["tags"], json!(["d", "e"]));
    assert_eq!(document(&registry, "/v2/a/tags/list?n=0").await["tags"], json!([]));
    let refusal = refused(registry.get("/v2/a/tags/list?n=x").await).await;
    assert_eq!(refusal, (400, "PAGINATION_NUMBER_INVALID".to_owned()));
}

#[tokio::test]
async fn an_unknown_repository_has_no_tags_to_list() {
    let registry = Registry::start().await;
    let refusal = refused(registry.get("/v2/nobody/here/tags/list").await).await;
    assert_eq!(refusal, (404, "NAME_UNKNOWN".to_owned()));
}

#[tokio::test]
async fn repositories_are_listed() {
    let registry = Registry::start().await;
    assert_eq!(document(&registry, "/v2/_catalog").await, json!({ "repositories": [] }));
    for name in ["b", "a/x", "a"] {
        registry.put_blob(name, "x").await;
    }
    assert_eq!(document(&registry, "/v2/_catalog").await, json!({ "repositories": ["a", "a/x", "b"] }));
    let answer = registry.get("/v2/_catalog?n=2").await;
    assert_eq!(header(&answer, "link"), "</v2/_catalog?n=2&last=a%2Fx>; rel=\"next\"");
}

/// Pushes an artifact about `subject` and gives its digest and size.
async fn put_referrer(registry: &Registry, subject: &Digest, artifact_type: &str) -> (Digest, usize) {
    let config = registry.put_blob("a", "{}").await;
    let layer = registry.put_blob("a", "layer").await;
    let more = format!(
        r#","artifactType":"{artifact_type}","annotations":{{"z":"1","a":"2"}},"subject":{{"mediaType":"{OCI_MANIFEST}","digest":"{subject}","size":1}}"#
    );
    let manifest = image_manifest(&config, &layer, &more);
    let digest = Digest::sha256_of(manifest.as_bytes());
    let answer = registry.put_manifest("a", digest.as_str(), OCI_MANIFEST, manifest.clone()).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "oci-subject"), subject.as_str());
    (digest, manifest.len())
}

#[tokio::test]
async fn referrers_are_listed_and_filtered() {
    let registry = Registry::start().await;
    let subject = Digest::sha256_of(b"need not exist");
    let path = format!("/v2/a/referrers/{subject}");
    let empty = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] });
    assert_eq!(document(&registry, &path).await, empty);
    let (signature, size) = put_referrer(&registry, &subject, "x/signature").await;
    put_referrer(&registry, &subject, "x/sbom").await;
    put_referrer(&registry, &Digest::sha256_of(b"other"), "x/signature").await;

    let answer = registry.get(&path).await;
    assert_eq!(header(&answer, "content-type"), OCI_INDEX);
    assert!(answer.headers().get("oci-filters-applied").is_none());
    assert_eq!(document(&registry, &path).await["manifests"].as_array().unwrap().len(), 2);

    let filtered = format!("{path}?artifactType=x%2Fsignature");
    assert_eq!(header(&registry.get(&filtered).await, "oci-filters-applied"), "artifactType");
    let expected = json!([{
        "mediaType": OCI_MANIFEST, "digest": signature.as_str(), "size": size,
        "artifactType": "x/signature", "annotations": { "z": "1", "a": "2" },
    }]);
    assert_eq!(document(&registry, &filtered).await["manifests"], expected);

    registry.delete(&format!("/v2/a/manifests/{signature}")).await;
    assert_eq!(document(&registry, &filtered).await, empty);
}

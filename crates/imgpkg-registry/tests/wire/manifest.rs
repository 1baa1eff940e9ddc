//! Manifests and tags.

use imgpkg_oci::manifest::MAX_MANIFEST_BYTES;
use imgpkg_oci::{Destination as _, Digest, ErrorKind, Manifest, Source as _, Tag, TagOrDigest};

use crate::server::{Reply, Server, chain, in_turn};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn latest() -> TagOrDigest {
    Tag::latest().into()
}

#[tokio::test]
async fn a_manifest_keeps_its_bytes_and_its_media_type() {
    let server = Server::open(|_| Reply::new(200).with("content-type", INDEX).body("{ }")).await;
    let manifest = server.client().manifest(&latest()).await.unwrap();
    assert_eq!(manifest.bytes(), "{ }");
    assert_eq!(manifest.media_type().as_str(), INDEX);
    let seen = &server.seen()[1];
    assert_eq!(seen.line(), "GET /v2/a/b/manifests/latest");
    assert!(
        seen.header("accept").unwrap().starts_with("application/vnd.docker.distribution.manifest.v1+json,")
    );
    assert!(seen.header("imgpkg-session-id").unwrap().parse::<u32>().unwrap() < 1 << 31);
    assert!(seen.header("user-agent").unwrap().starts_with("imgpkg-rs/"));
}

#[tokio::test]
async fn a_manifest_that_is_not_what_its_digest_says_is_refused() {
    let server = Server::open(|_| Reply::new(200).with("content-type", INDEX).body("{}")).await;
    let asked = Digest::sha256_of(b"other");
    let error = server.client().manifest(&asked.clone().into()).await.unwrap_err();
    let (got, host) = (Digest::sha256_of(b"{}"), &server.host);
    assert_eq!(
        chain(&error),
        format!(
            "manifest digest: \"{got}\" does not match requested digest: \"{asked}\" for \"{host}/a/b@{asked}\""
        )
    );
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_manifest_that_is_too_large_is_refused() {
    let most = usize::try_from(MAX_MANIFEST_BYTES).unwrap();
    let server = Server::open(move |_| Reply::new(200).body(vec![b' '; most + 1])).await;
    let error = server.client().manifest(&latest()).await.unwrap_err();
    assert!(
        chain(&error).ends_with("larger than 4194304 bytes, the most that is read of such a document"),
        "{error}"
    );
    assert_eq!(server.lines().len(), 1, "a second try cannot help");
}

#[tokio::test]
async fn a_missing_manifest_is_told_in_the_references_words() {
    let body =
        r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"latest"}}]}"#;
    let server = Server::open(move |_| Reply::new(404).body(body)).await;
    let error = server.client().manifest(&latest()).await.unwrap_err();
    assert_eq!(
        chain(&error),
        format!(
            "GET {}: MANIFEST_UNKNOWN: manifest unknown; map[Tag:latest]",
            server.url("/v2/a/b/manifests/latest")
        )
    );
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(server.client().existing(&latest()).await.unwrap(), None);
}

#[tokio::test]
async fn a_digest_is_asked_for_without_fetching_the_manifest() {
    let digest = Digest::sha256_of(b"x");
    let said = digest.to_string();
    let server = Server::open(move |_| {
        Reply::new(200)
            .with("content-type", INDEX)
            .with("content-length", "1")
            .with("docker-content-digest", said.clone())
    })
    .await;
    assert_eq!(server.client().resolve(&latest()).await.unwrap(), digest);
    assert_eq!(server.client().existing(&latest()).await.unwrap(), Some(digest));
    assert!(server.lines().iter().all(|line| line == "HEAD /v2/a/b/manifests/latest"));
}

#[tokio::test]
async fn where_asking_fails_the_manifest_is_fetched() {
    for head in [
        Reply::new(500),
        Reply::new(405),
        Reply::new(200).with("content-type", INDEX),
        Reply::new(200).with("content-type", INDEX).with("docker-content-digest", "nonsense"),
    ] {
        let server = Server::open(move |seen| match seen.method.as_str() {
            "HEAD" => head.clone(),
            _ => Reply::new(200).body("{}"),
        })
        .await;
        assert_eq!(server.client().resolve(&latest()).await.unwrap(), Digest::sha256_of(b"{}"));
        let repository = server.client();
        assert_eq!(repository.existing(&latest()).await.unwrap(), Some(Digest::sha256_of(b"{}")));
        assert_eq!(server.lines().len(), 4);
    }
}

#[tokio::test]
async fn a_manifest_is_written_as_it_is() {
    let server = Server::open(|_| Reply::new(201)).await;
    let manifest = Manifest::new("{ \"a\": 1 }".into(), INDEX);
    server.client().put_manifest(&manifest, &latest()).await.unwrap();
    let seen = &server.seen()[1];
    assert_eq!(seen.line(), "PUT /v2/a/b/manifests/latest");
    assert_eq!(seen.header("content-type"), Some(INDEX));
    assert_eq!(seen.body, "{ \"a\": 1 }");
}

#[tokio::test]
async fn a_registry_that_took_a_manifest_for_another_is_not_believed() {
    let other = Digest::sha256_of(b"other").to_string();
    let server = Server::open(move |_| Reply::new(201).with("docker-content-digest", other.clone())).await;
    let manifest = Manifest::new("{}".into(), INDEX);
    let error = server.client().put_manifest(&manifest, &latest()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn all_pages_of_the_tags_are_read() {
    let server = Server::open(|seen| match seen.target.as_str() {
        "/v2/a/b/tags/list?n=1000" => Reply::new(200)
            .with("link", "</v2/a/b/tags/list?n=1000&token=x%2Fy>; rel=\"next\"")
            .body(r#"{"name":"a/b","tags":["one","two","\u001b[31m"]}"#),
        "/v2/a/b/tags/list?n=1000&token=x%2Fy" => {
            Reply::new(200).with("link", "<?n=1000&token=z>; rel=\"next\"").body(r#"{"tags":["three"]}"#)
        }
        _ => Reply::new(200).body(r#"{"tags":null}"#),
    })
    .await;
    assert_eq!(server.client().tags().await.unwrap(), ["one", "two", "three"]);
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn pages_that_lead_round_in_a_circle_or_away_are_refused() {
    for (link, expected) in [
        ("<?n=1000>; rel=\"next\"", "lead back"),
        ("<http://other.example/v2/a/b/tags/list>; rel=\"next\"", "on another host"),
        ("<ftp://x/>; rel=\"next\"", "at no URL"),
    ] {
        let server =
            Server::open(move |_| Reply::new(200).with("link", link).body(r#"{"tags":["x"]}"#)).await;
        let error = server.client().tags().await.unwrap_err();
        assert!(chain(&error).contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_list_that_breaks_off_is_read_again() {
    let page = Reply::new(200).body(r#"{"tags":["one"]}"#);
    let reply = in_turn(vec![page.clone().cut_after(5), page]);
    let server = Server::open(move |_| reply()).await;
    assert_eq!(server.client().tags().await.unwrap(), ["one"]);
    assert_eq!(server.lines().len(), 2);
}

const LOGIN_PAGE: &str = "<html><body>Please log in</body></html>";

#[tokio::test]
async fn a_login_page_is_no_manifest_and_no_tag_stands_for_it() {
    let server = Server::open(|_| Reply::new(200).with("content-type", "text/html").body(LOGIN_PAGE)).await;
    let tag = TagOrDigest::from(imgpkg_oci::Tag::parse("latest").unwrap());
    let error = server.client().resolve(&tag).await.unwrap_err();
    assert!(crate::server::chain(&error).contains("text/html"), "{error}");
}

#[tokio::test]
async fn a_server_that_only_says_ok_has_not_stored_a_manifest() {
    let server = Server::open(|_| Reply::new(200).with("content-type", "text/html").body(LOGIN_PAGE)).await;
    let manifest = imgpkg_oci::Manifest::new("{}".into(), imgpkg_oci::media_type::OCI_INDEX);
    let tag = TagOrDigest::from(imgpkg_oci::Tag::parse("latest").unwrap());
    let error = server.client().put_manifest(&manifest, &tag).await.unwrap_err();
    assert!(crate::server::chain(&error).contains("without a digest"), "{error}");
}

#[tokio::test]
async fn only_a_repository_without_tags_is_new() {
    for (status, body, new) in [
        (404, "", true),
        (200, r#"{"name":"a/b","tags":null}"#, true),
        (200, r#"{"name":"a/b","tags":[]}"#, true),
        (200, r#"{"name":"a/b","tags":["v1"]}"#, false),
        (200, "<html>", false),
        (403, "", false),
    ] {
        let server = Server::open(move |_| Reply::new(status).body(body)).await;
        assert_eq!(server.client().is_new().await, new, "{status} {body}");
    }
}

//! Credentials belong to the registry that they were given for: a hostile server must not get them.

use imgpkg_oci::{BlobProgress, Destination as _, Source as _, Tag, TagOrDigest};
use imgpkg_registry::{Client, ClientOptions, Login};

use crate::server::{Content, Reply, Seen, Server, bytes, chain, client, describe, options};

const BASIC: &str = "Basic dXNlcjpwYXNz";

fn latest() -> TagOrDigest {
    Tag::latest().into()
}

fn user() -> Client {
    let login = Login { username: Some("user".into()), password: Some("pass".into()), ..Login::default() };
    client(ClientOptions { login, ..options() })
}

/// A registry that wants `user:pass` and then answers by `script`.
async fn guarded(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| match seen.authorization() {
        Some(BASIC) => script(seen),
        _ => Reply::new(401).with("www-authenticate", "Basic realm=\"x\""),
    })
    .await
}

fn assert_no_secret(server: &Server) {
    assert!(!server.seen().is_empty());
    for seen in server.seen() {
        assert_eq!(seen.authorization(), None, "{}", seen.line());
    }
}

#[tokio::test]
async fn a_redirected_download_takes_no_credentials_along() {
    let content = bytes(1000);
    let served = content.clone();
    let storage = Server::start(move |_| Reply::new(200).body(served.clone())).await;
    let target = storage.url("/blob?sig=secret");
    let server = guarded(move |_| Reply::new(307).with("location", target.clone())).await;
    let blob = describe(&content);
    let reader =
        user().repository(&server.repository("a/b")).blob(&blob, BlobProgress::start(&blob.digest)).await;
    assert_eq!(reader.unwrap().collect(1000).await.unwrap(), content);
    assert_no_secret(&storage);
}

#[tokio::test]
async fn a_storage_host_that_asks_for_credentials_gets_none() {
    let storage = Server::start(|_| Reply::new(401).with("www-authenticate", "Basic realm=\"me\"")).await;
    let target = storage.url("/blob");
    let server = guarded(move |_| Reply::new(302).with("location", target.clone())).await;
    user().repository(&server.repository("a/b")).manifest(&latest()).await.unwrap_err();
    assert_no_secret(&storage);
    assert_eq!(storage.seen().len(), 1);
}

#[tokio::test]
async fn redirects_within_the_registry_keep_the_credentials() {
    let server = guarded(|seen| match seen.target.as_str() {
        "/v2/a/b/manifests/latest" => Reply::new(307).with("location", "/elsewhere"),
        _ => Reply::new(200).body("{}"),
    })
    .await;
    user().repository(&server.repository("a/b")).manifest(&latest()).await.unwrap();
    assert_eq!(server.lines().last().unwrap(), "GET /elsewhere");
}

#[tokio::test]
async fn redirects_have_an_end() {
    let server = Server::open(|_| Reply::new(307).with("location", "/again")).await;
    let error = server.client().manifest(&latest()).await.unwrap_err();
    assert!(chain(&error).ends_with("too many redirects"), "{error}");
    assert_eq!(server.lines().len(), 11);
}

#[tokio::test]
async fn an_upload_sent_elsewhere_takes_no_credentials_along() {
    for size in [1000, 2_000_000] {
        let storage = Server::start(|_| Reply::new(201).with("location", "/next")).await;
        let target = storage.url("/upload");
        let server = guarded(move |seen| match seen.method.as_str() {
            "HEAD" => Reply::new(404),
            _ => Reply::new(202).with("location", target.clone()),
        })
        .await;
        let content = Content::new(bytes(size));
        let repository = user().repository(&server.repository("a/b"));
        repository.put_blob(&describe(&content.bytes), &content).await.unwrap();
        assert_no_secret(&storage);
    }
}

#[tokio::test]
async fn a_foreign_layer_is_fetched_without_credentials_even_from_the_registry_itself() {
    let content = bytes(100);
    let served = content.clone();
    let server = Server::start(move |seen| match (seen.target.as_str(), seen.authorization()) {
        ("/layer", None) => Reply::new(200).body(served.clone()),
        ("/layer", Some(_)) => Reply::new(500),
        (_, Some(BASIC)) => Reply::new(404),
        _ => Reply::new(401).with("www-authenticate", "Basic realm=\"x\""),
    })
    .await;
    let mut blob = describe(&content);
    blob.urls = vec![server.url("/layer")];
    let repository = user().repository(&server.repository("a/b"));
    let reader = repository.blob(&blob, BlobProgress::start(&blob.digest)).await.unwrap();
    assert_eq!(reader.collect(100).await.unwrap(), content);
}

#[tokio::test]
async fn a_token_service_that_redirects_does_not_pass_the_password_on() {
    let other = Server::start(|_| Reply::new(200).body(r#"{"token":"t"}"#)).await;
    let target = other.url("/token");
    let service = Server::start(move |_| Reply::new(302).with("location", target.clone())).await;
    let challenge = format!("Bearer realm=\"{}\"", service.url("/token"));
    let registry = Server::start(move |seen| match seen.authorization() {
        Some("Bearer t") => Reply::new(200).body("{}"),
        _ => Reply::new(401).with("www-authenticate", challenge.clone()),
    })
    .await;
    user().repository(&registry.repository("a/b")).manifest(&latest()).await.unwrap();
    assert_no_secret(&other);
}

#[tokio::test]
async fn a_registry_that_redirects_first_contact_elsewhere_stays_the_registry() {
    let other = Server::start(|_| Reply::new(401).with("www-authenticate", "Basic realm=\"x\"")).await;
    let target = other.url("/v2/");
    let server = Server::start(move |seen| match seen.target.as_str() {
        "/v2/" => Reply::new(307).with("location", target.clone()),
        _ => Reply::new(200).body("{}"),
    })
    .await;
    user().repository(&server.repository("a/b")).manifest(&latest()).await.unwrap();
    assert_no_secret(&other);
    assert_eq!(server.lines(), ["GET /v2/a/b/manifests/latest"]);
}

#[tokio::test]
async fn first_contact_carries_no_credentials() {
    let server = guarded(|_| Reply::new(200).body("{}")).await;
    user().repository(&server.repository("a/b")).manifest(&latest()).await.unwrap();
    assert_eq!(server.seen()[0].line(), "GET /v2/");
    assert_eq!(server.seen()[0].authorization(), None);
}

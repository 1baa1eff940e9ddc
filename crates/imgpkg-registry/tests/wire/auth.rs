//! Credentials and tokens.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use imgpkg_oci::{BlobPut, Destination as _, ErrorKind, Source as _, Tag, TagOrDigest};
use imgpkg_registry::{Client, ClientOptions, Environment, Login};

use crate::server::{Content, Reply, Seen, Server, bytes, chain, client, describe, options};

/// `user:pass`.
const BASIC: &str = "Basic dXNlcjpwYXNz";

fn latest() -> TagOrDigest {
    Tag::latest().into()
}

fn user() -> Client {
    let login = Login { username: Some("user".into()), password: Some("pass".into()), ..Login::default() };
    client(ClientOptions { login, ..options() })
}

fn unauthorized(challenge: &str) -> Reply {
    Reply::new(401)
        .with("www-authenticate", challenge)
        .body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}"#)
}

#[tokio::test]
async fn basic_credentials_go_with_every_request_but_first_contact() {
    let server = Server::start(|seen| match seen.authorization() {
        Some(BASIC) => Reply::new(200).body("{}"),
        _ => unauthorized("Basic realm=\"x\""),
    })
    .await;
    user().repository(&server.repository("a/b")).manifest(&latest()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].authorization(), None);
}

#[tokio::test]
async fn refused_credentials_are_named_but_not_shown() {
    let server = Server::start(|_| unauthorized("Basic realm=\"x\"")).await;
    let error = user().repository(&server.repository("a/b")).manifest(&latest()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let text = chain(&error);
    assert!(
        text.starts_with(&format!(
            "GET {}: UNAUTHORIZED: no (hint: ",
            server.url("/v2/a/b/manifests/latest")
        ))
    );
    assert!(text.ends_with("came from --registry-username)"), "{text}");
    assert!(!text.contains("pass)") && !text.contains("dXNl"), "{text}");
    assert_eq!(server.lines().len(), 1, "the same credentials would be refused again");
}

/// A registry that wants tokens, and the service that makes them.
struct Tokens {
    registry: Server,
    service: Server,
    /// The number of the token that is good now.
    good: Arc<AtomicUsize>,
}

async fn tokens(life: &'static str) -> Tokens {
    let (made, good) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(1)));
    let service = Server::start(move |_| {
        let number = made.fetch_add(1, Ordering::SeqCst) + 1;
        Reply::new(200).body(format!(r#"{{"token":"other","access_token":"t{number}"{life}}}"#))
    })
    .await;
    let challenge = format!("Bearer realm=\"{}\",service=\"reg\"", service.url("/token?account=x"));
    let expected = Arc::clone(&good);
    let registry = Server::start(move |seen| {
        let expected = format!("Bearer t{}", expected.load(Ordering::SeqCst));
        if seen.target == "/v2/" || seen.authorization() != Some(&expected) {
            return unauthorized(&challenge);
        }
        match seen.method.as_str() {
            "HEAD" => Reply::new(404),
            "POST" if seen.target.contains("mount") => Reply::new(201),
            "POST" => Reply::new(202).with("location", "session"),
            "PUT" => Reply::new(201),
            _ => Reply::new(200).body("{}"),
        }
    })
    .await;
    Tokens { registry, service, good }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_used_by_everybody() {
    let tokens = tokens(",\"expires_in\":300").await;
    let repository = user().repository(&tokens.registry.repository("a/b"));
    let latest = latest();
    let all = (0..8).map(|_| repository.manifest(&latest));
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(tokens.service.lines(), ["GET /token?account=x&scope=repository%3Aa%2Fb%3Apull&service=reg"]);
    assert_eq!(tokens.service.seen()[0].authorization(), Some(BASIC));
    assert_eq!(tokens.registry.seen().len(), 9);
}

#[tokio::test]
async fn a_token_that_is_refused_in_the_middle_is_replaced_once() {
    let tokens = tokens(",\"expires_in\":300").await;
    let repository = user().repository(&tokens.registry.repository("a/b"));
    repository.manifest(&latest()).await.unwrap();
    tokens.good.store(2, Ordering::SeqCst);
    repository.manifest(&latest()).await.unwrap();
    assert_eq!(tokens.service.lines().len(), 2);
    tokens.good.store(99, Ordering::SeqCst);
    let error = repository.manifest(&latest()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(tokens.service.lines().len(), 3);
}

#[tokio::test]
async fn a_large_upload_survives_a_token_that_is_refused() {
    let made = AtomicUsize::new(0);
    let service = Server::start(move |_| {
        let number = made.fetch_add(1, Ordering::SeqCst) + 1;
        Reply::new(200).body(format!(r#"{{"token":"t{number}","expires_in":300}}"#))
    })
    .await;
    let challenge = format!("Bearer realm=\"{}\"", service.url("/token"));
    let registry = Server::start(move |seen| match (seen.method.as_str(), seen.authorization()) {
        (_, None) | ("PATCH", Some("Bearer t1")) => unauthorized(&challenge),
        ("HEAD", _) => Reply::new(404),
        ("PUT", _) => Reply::new(201),
        _ => Reply::new(202).with("location", "/v2/a/b/blobs/uploads/session"),
    })
    .await;
    let content = Content::new(bytes(2_000_000));
    let repository = user().repository(&registry.repository("a/b"));
    assert_eq!(repository.put_blob(&describe(&content.bytes), &content).await.unwrap(), BlobPut::Sent);
    assert_eq!(content.opened.load(Ordering::SeqCst), 2);
    let last = registry.seen().into_iter().rfind(|seen| seen.method == "PATCH").unwrap();
    assert_eq!(last.authorization(), Some("Bearer t2"));
    assert!(last.body == content.bytes, "other bytes arrived");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let tokens = tokens(",\"expires_in\":1").await;
    let repository = user().repository(&tokens.registry.repository("a/b"));
    repository.manifest(&latest()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(950)).await;
    tokens.good.store(2, Ordering::SeqCst);
    repository.manifest(&latest()).await.unwrap();
    assert_eq!(tokens.service.lines().len(), 2);
    let refused = tokens.registry.lines().len();
    assert_eq!(refused, 2, "no request went out with the old token");
}

#[tokio::test]
async fn a_mount_asks_for_both_repositories() {
    let tokens = tokens("").await;
    let mut content = Content::new(bytes(10));
    content.mount_from = Some(tokens.registry.repository("c/d"));
    let repository = user().repository(&tokens.registry.repository("a/b"));
    assert_eq!(repository.put_blob(&describe(&content.bytes), &content).await.unwrap(), BlobPut::Mounted);
    assert_eq!(
        tokens.service.lines(),
        [
            "GET /token?account=x&scope=repository%3Aa%2Fb%3Apush%2Cpull&scope=repository%3Ac%2Fd%3Apull&service=reg"
        ]
    );
}

#[tokio::test]
async fn who_may_push_needs_no_other_token_to_pull() {
    let tokens = tokens("").await;
    let repository = user().repository(&tokens.registry.repository("a/b"));
    repository.existing(&latest()).await.unwrap();
    repository.manifest(&latest()).await.unwrap();
    assert_eq!(tokens.service.lines().len(), 1);
}

#[tokio::test]
async fn the_scope_of_a_later_challenge_is_asked_for_in_front() {
    let service = Server::start(|seen| {
        let token = if seen.target.contains("extra") { "wide" } else { "narrow" };
        Reply::new(200).body(format!(r#"{{"token":"{token}"}}"#))
    })
    .await;
    let realm = service.url("/token");
    let registry = Server::start(move |seen| match seen.authorization() {
        Some("Bearer wide") => Reply::new(200).body("{}"),
        Some(_) => unauthorized(&format!("Bearer realm=\"{realm}\",scope=\"repository:extra:pull\"")),
        None => unauthorized(&format!("Bearer realm=\"{realm}\"")),
    })
    .await;
    user().repository(&registry.repository("a/b")).manifest(&latest()).await.unwrap();
    assert_eq!(
        service.lines()[1],
        "GET /token?scope=repository%3Aextra%3Apull&scope=repository%3Aa%2Fb%3Apull"
    );
}

#[tokio::test]
async fn a_registry_that_asks_only_on_some_paths_is_answered_there() {
    let server = Server::open(|seen| match seen.authorization() {
        Some(BASIC) => Reply::new(200).body("{}"),
        _ => Reply::new(403).with("www-authenticate", "Basic realm=\"x\""),
    })
    .await;
    user().repository(&server.repository("a/b")).manifest(&latest()).await.unwrap();
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn who_has_no_password_is_refused_only_once() {
    let server = Server::start(|_| unauthorized("Basic realm=\"x\"")).await;
    let error = server.client().manifest(&latest()).await.unwrap_err();
    assert!(chain(&error).contains("no credentials were found for"), "{}", chain(&error));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post_and_kept_up_to_date() {
    let service = Server::start(|seen| match seen.method.as_str() {
        "POST" => Reply::new(200).body(r#"{"access_token":"a","refresh_token":"second","expires_in":1}"#),
        _ => Reply::new(500),
    })
    .await;
    let challenge = format!("Bearer realm=\"{}\",service=\"reg\"", service.url("/token"));
    let registry = Server::start(move |seen| match seen.authorization() {
        Some("Bearer a") => Reply::new(200).body("{}"),
        _ => unauthorized(&challenge),
    })
    .await;
    let environment = Environment::default()
        .with("IMGPKG_REGISTRY_HOSTNAME", registry.host.clone())
        .with("IMGPKG_REGISTRY_IDENTITY_TOKEN", "first");
    let repository =
        client(ClientOptions { environment, ..options() }).repository(&registry.repository("a/b"));
    repository.manifest(&latest()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(950)).await;
    repository.manifest(&latest()).await.unwrap();
    let form = |seen: &Seen| String::from_utf8(seen.body.to_vec()).unwrap();
    let forms: Vec<_> = service.seen().iter().map(form).collect();
    let expected = |token: &str| {
        format!(
            "grant_type=refresh_token&refresh_token={token}&client_id=imgpkg&scope=repository%3Aa%2Fb%3Apull&service=reg"
        )
    };
    assert_eq!(forms, [expected("first"), expected("second")]);
    assert!(service.seen().iter().all(|seen| seen.authorization().is_none()));
}

#[tokio::test]
async fn a_registry_token_is_sent_as_it_is() {
    let registry = Server::start(|seen| match seen.authorization() {
        Some("Bearer given") => Reply::new(200).body("{}"),
        _ => unauthorized("Bearer realm=\"http://127.0.0.1:1/token\""),
    })
    .await;
    let login = Login { token: Some("given".into()), ..Login::default() };
    let client = client(ClientOptions { login, ..options() });
    client.repository(&registry.repository("a/b")).manifest(&latest()).await.unwrap();
}

#[tokio::test]
async fn a_service_without_a_token_is_reported_with_what_it_said() {
    let service = Server::start(|_| Reply::new(200).body("{}")).await;
    let challenge = format!("Bearer realm=\"{}\"", service.url("/token"));
    let registry = Server::start(move |_| unauthorized(&challenge)).await;
    let error = registry.client().manifest(&latest()).await.unwrap_err();
    assert!(chain(&error).ends_with("no token in bearer response:\n{}"), "{}", chain(&error));
}

#[tokio::test]
async fn two_repositories_of_one_registry_can_have_different_credentials() {
    let server = Server::start(|seen| {
        let expected = if seen.target.contains("/one/") { "Basic MTph" } else { "Basic Mjpi" };
        match seen.authorization() {
            Some(given) if given == expected => Reply::new(200).body("{}"),
            _ => unauthorized("Basic realm=\"x\""),
        }
    })
    .await;
    let environment = Environment::default()
        .with("IMGPKG_REGISTRY_HOSTNAME_1", format!("{}/one", server.host))
        .with("IMGPKG_REGISTRY_USERNAME_1", "1")
        .with("IMGPKG_REGISTRY_PASSWORD_1", "a")
        .with("IMGPKG_REGISTRY_HOSTNAME_2", format!("{}/two", server.host))
        .with("IMGPKG_REGISTRY_USERNAME_2", "2")
        .with("IMGPKG_REGISTRY_PASSWORD_2", "b");
    let client = client(ClientOptions { environment, ..options() });
    client.repository(&server.repository("one/x")).manifest(&latest()).await.unwrap();
    client.repository(&server.repository("two/x")).manifest(&latest()).await.unwrap();
}

#[tokio::test]
async fn a_trace_shows_requests_and_no_secret() {
    static SEEN: OnceLock<std::sync::Mutex<String>> = OnceLock::new();
    let log = || SEEN.get_or_init(std::sync::Mutex::default).lock().unwrap();
    let tokens = tokens("").await;
    let trace: imgpkg_registry::Trace = Arc::new(move |text: &str| log().push_str(text));
    let login = Login { username: Some("user".into()), password: Some("pass".into()), ..Login::default() };
    let client = client(ClientOptions { login, trace: Some(trace), ..options() });
    client.repository(&tokens.registry.repository("a/b")).manifest(&latest()).await.unwrap();
    let text = log().clone();
    assert!(text.contains(&format!("--> GET {}", tokens.registry.url("/v2/a/b/manifests/latest"))), "{text}");
    assert!(text.contains("<-- 200 ") && text.contains("authorization: <redacted>"), "{text}");
    assert!(!text.contains("dXNlcjpwYXNz") && !text.contains("Bearer t1"), "{text}");
}

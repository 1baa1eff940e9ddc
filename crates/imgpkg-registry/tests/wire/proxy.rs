//! Proxies from the environment.

use imgpkg_oci::{Repository, Source as _, Tag};
use imgpkg_registry::{ClientOptions, Environment};

use crate::server::{Reply, Server, client, options};

#[tokio::test]
async fn a_registry_is_reached_through_the_proxy_of_the_environment() {
    let proxy = Server::open(|_| Reply::new(200).body("{}")).await;
    let environment = Environment::default().with("http_proxy", format!("http://u:p@{}", proxy.host));
    let client = client(ClientOptions { environment, ..options() });
    let repository = client.repository(&Repository::parse("registry.local/a/b").unwrap());
    assert_eq!(repository.manifest(&Tag::latest().into()).await.unwrap().bytes(), "{}");
    let seen = proxy.seen();
    assert_eq!(seen[1].header("host"), Some("registry.local"));
    assert_eq!(seen[1].header("proxy-authorization"), Some("Basic dTpw"));
}

#[tokio::test]
async fn this_machine_is_never_reached_through_a_proxy() {
    let server = Server::open(|_| Reply::new(200).body("{}")).await;
    let dead = "http://127.0.0.1:1";
    let environment = Environment::default().with("HTTP_PROXY", dead).with("HTTPS_PROXY", dead);
    let client = client(ClientOptions { environment: environment.with("ALL_PROXY", dead), ..options() });
    let repository = client.repository(&server.repository("a/b"));
    repository.manifest(&Tag::latest().into()).await.unwrap();
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn who_is_excepted_is_reached_directly() {
    let proxy = Server::open(|_| Reply::new(200).body("{}")).await;
    let environment = Environment::default()
        .with("HTTP_PROXY", format!("http://{}", proxy.host))
        .with("NO_PROXY", "other.example, registry.local");
    let client = client(ClientOptions { environment, ..options() });
    let repository = client.repository(&Repository::parse("registry.local/a/b").unwrap());
    repository.manifest(&Tag::latest().into()).await.unwrap_err();
    assert!(proxy.seen().is_empty());
}

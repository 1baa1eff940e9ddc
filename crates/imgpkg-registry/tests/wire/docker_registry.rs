//! The client against Debian's `docker-registry`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use imgpkg_oci::{
    BlobProgress, BlobPut, Destination as _, ErrorKind, Manifest, Repository, Source as _, Tag, media_type,
};
use imgpkg_registry::{ClientOptions, Login, RepositoryClient};

use crate::server::{Content, bytes, chain, client, describe, options};

/// `user` with the password `pass`.
const HTPASSWD: &str = "user:$2b$04$IgrjFzEslSWHTKu8AdR1yOpMBtuZ9Wh3z6DW273GQrkKlYY3lgJme\n";

/// A registry of its own, until it is dropped.
struct Peer {
    process: Child,
    host: String,
    dir: tempfile::TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Peer {
    /// `None` where it is not installed, which is a failure if the peers are required.
    async fn start(name: &str, guarded: bool) -> Option<Self> {
        let has = |program: &str| {
            Command::new(program)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok()
        };
        if !has("docker-registry") || (guarded && !has("openssl")) {
            assert!(
                std::env::var("IMGPKG_TEST_REQUIRE_PEERS").as_deref() != Ok("1"),
                "docker-registry and openssl are required"
            );
            println!("skipped: {name} (needs docker-registry and openssl)");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        // The port is free when the registry takes it, unless somebody is very quick.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {0}/data}}}}\n\
             http:\n  addr: {host}\n",
            dir.path().display()
        );
        if guarded {
            make_certificate(dir.path());
            std::fs::write(dir.path().join("htpasswd"), HTPASSWD).unwrap();
            let path = dir.path().display();
            config.push_str(&format!(
                "  tls: {{certificate: {path}/tls.pem, key: {path}/tls.key}}\n\
                 auth: {{htpasswd: {{realm: test, path: {path}/htpasswd}}}}\n"
            ));
        }
        std::fs::write(dir.path().join("config.yml"), config).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(dir.path().join("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let peer = Self { process, host, dir };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(&peer.host).await.is_ok() {
                return Some(peer);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("docker-registry does not listen");
    }

    fn repository(&self, path: &str) -> Repository {
        Repository::parse(&format!("{}/{path}", self.host)).unwrap()
    }
}

/// What the reference's users make: signed by itself, and calling itself an authority.
fn make_certificate(dir: &Path) {
    let status = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=registry"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "tls.key", "-out", "tls.pem"])
        .current_dir(dir)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

async fn round_trip(repository: &RepositoryClient) {
    let mut blobs = Vec::new();
    for size in [0, 1, 1_000_000, 5_000_000] {
        let content = Content::new(bytes(size));
        let blob = describe(&content.bytes);
        assert_eq!(repository.put_blob(&blob, &content).await.unwrap(), BlobPut::Sent, "{size}");
        assert_eq!(repository.put_blob(&blob, &content).await.unwrap(), BlobPut::Present, "{size}");
        let mut progress = BlobProgress::start(&blob.digest);
        progress.advance(&content.bytes[..size / 3]);
        let rest = repository.blob(&blob, progress).await.unwrap().collect(u64::MAX).await.unwrap();
        assert!(rest == content.bytes[size / 3..], "{size}: other bytes came back");
        blobs.push(blob);
    }
    let json = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{{"mediaType":"{config}","size":1,"digest":"{}"}},
        "layers":[{{"mediaType":"{layer}","size":5000000,"digest":"{}"}}]}}"#,
        blobs[1].digest,
        blobs[3].digest,
        kind = media_type::OCI_MANIFEST,
        config = media_type::OCI_CONFIG,
        layer = media_type::DOCKER_LAYER,
    );
    let manifest = Manifest::new(json.into(), media_type::OCI_MANIFEST);
    let tag = Tag::parse("v1").unwrap();
    assert_eq!(repository.existing(&tag.clone().into()).await.unwrap(), None);
    repository.put_manifest(&manifest, &tag.clone().into()).await.unwrap();
    assert_eq!(repository.existing(&tag.clone().into()).await.unwrap().as_ref(), Some(manifest.digest()));
    assert_eq!(repository.resolve(&tag.into()).await.unwrap(), *manifest.digest());
    assert_eq!(repository.manifest(&manifest.digest().clone().into()).await.unwrap(), manifest);
    assert_eq!(repository.tags().await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn everything_that_is_sent_comes_back_over_plain_http() {
    let Some(peer) = Peer::start("round trip over http", false).await else { return };
    let client = client(options());
    round_trip(&client.repository(&peer.repository("one/app"))).await;
    let mut content = Content::new(bytes(5_000_000));
    content.mount_from = Some(peer.repository("one/app"));
    let other = client.repository(&peer.repository("two/app"));
    assert_eq!(other.put_blob(&describe(&content.bytes), &content).await.unwrap(), BlobPut::Mounted);
}

#[tokio::test]
async fn everything_that_is_sent_comes_back_over_tls_with_a_password() {
    let Some(peer) = Peer::start("round trip over TLS", true).await else { return };
    let name = peer.repository("one/app");
    let with = |password: &str, ca: bool| {
        let login =
            Login { username: Some("user".into()), password: Some(password.into()), ..Login::default() };
        let ca_cert_paths = if ca { vec![peer.dir.path().join("tls.pem")] } else { Vec::new() };
        client(ClientOptions { login, ca_cert_paths, ..options() }).repository(&name)
    };
    round_trip(&with("pass", true)).await;
    let denied = with("wrong", true).manifest(&Tag::latest().into()).await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied);
    let stranger = with("pass", false).manifest(&Tag::latest().into()).await.unwrap_err();
    assert!(chain(&stranger).contains("(hint: Use --registry-ca-cert-path"), "{}", chain(&stranger));
    let careless = client(ClientOptions { verify_certs: false, ..options() }).repository(&name);
    let anonymous = careless.manifest(&Tag::latest().into()).await.unwrap_err();
    assert!(chain(&anonymous).contains("no credentials were found"), "{}", chain(&anonymous));
}

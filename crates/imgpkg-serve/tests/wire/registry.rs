//! A registry that runs as long as a test needs it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use imgpkg_oci::Digest;
use imgpkg_serve::{Error, RequestSummary, ServeOptions, Server};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running registry and a client for it.
pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    requests: Arc<Mutex<Vec<String>>>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), Error>>,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        Self::with(ServeOptions::default()).await
    }

    pub(crate) async fn with(options: ServeOptions) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let observer = move |request: &RequestSummary| {
            let RequestSummary { method, uri, status, .. } = request;
            log.lock().unwrap().push(format!("{} {method} {uri}", status.as_u16()));
        };
        let options = ServeOptions { on_request: Some(Arc::new(observer)), ..options };
        let server = Server::bind(options).await.unwrap();
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { address, client, requests, stop, running }
    }

    /// Stops the registry and says how that went.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        drop(self.client);
        let _ = self.stop.send(());
        self.running.await.unwrap()
    }

    /// What has been asked so far: status, method, path and query.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn head(&self, path: &str) -> Response {
        self.request(Method::HEAD, path).send().await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Response {
        self.request(Method::DELETE, path).send().await.unwrap()
    }

    /// Starts an upload and gives the path where it goes on.
    pub(crate) async fn start_upload(&self, name: &str) -> String {
        let answer = self.request(Method::POST, &format!("/v2/{name}/blobs/uploads/")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        header(&answer, LOCATION.as_str()).to_owned()
    }

    /// Uploads a blob in one request.
    pub(crate) async fn put_blob(&self, name: &str, content: impl Into<Vec<u8>>) -> Digest {
        let content = content.into();
        let digest = Digest::sha256_of(&content);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        let answer = self.request(Method::POST, &path).body(content).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        digest
    }

    pub(crate) async fn put_manifest(
        &self,
        name: &str,
        reference: &str,
        media_type: &str,
        content: impl Into<Vec<u8>>,
    ) -> Response {
        self.request(Method::PUT, &format!("/v2/{name}/manifests/{reference}"))
            .header(CONTENT_TYPE, media_type)
            .body(content.into())
            .send()
            .await
            .unwrap()
    }

    /// Pushes an image of one small layer under a tag; what it is called is part of its content.
    pub(crate) async fn put_image(&self, name: &str, tag: &str) -> Digest {
        let config = self.put_blob(name, format!("{{\"os\":\"{tag}\"}}")).await;
        let layer = self.put_blob(name, "layer").await;
        let manifest = image_manifest(&config, &layer, "");
        let answer = self.put_manifest(name, tag, OCI_MANIFEST, manifest.clone()).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        Digest::sha256_of(manifest.as_bytes())
    }
}

pub(crate) use imgpkg_oci::media_type::OCI_MANIFEST;

/// An image manifest; `more` is put before its end, starting with a comma if it is not empty.
pub(crate) fn image_manifest(config: &Digest, layer: &Digest, more: &str) -> String {
    let described = |media_type: &str, digest: &Digest| {
        format!(r#"{{"mediaType":"application/vnd.oci.image.{media_type}","digest":"{digest}","size":5}}"#)
    };
    let (config, layer) = (described("config.v1+json", config), described("layer.v1.tar", layer));
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{config},"layers":[{layer}]{more}}}"#
    )
}

/// A header that must be there.
pub(crate) fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
}

/// The code of an error, which must have the form that the specification gives it.
pub(crate) async fn error_code(answer: Response) -> String {
    assert!(answer.status().is_client_error(), "{}", answer.status());
    assert_eq!(header(&answer, "docker-distribution-api-version"), "registry/2.0");
    let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let error = &body["errors"][0];
    assert!(!error["message"].as_str().unwrap().is_empty());
    error["code"].as_str().unwrap().to_owned()
}

/// Status and error code of an answer.
pub(crate) async fn refused(answer: Response) -> (u16, String) {
    (answer.status().as_u16(), error_code(answer).await)
}

/// Bytes that repeat only after long.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

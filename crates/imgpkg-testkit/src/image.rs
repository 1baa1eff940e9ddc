//! Images to fill a registry with, pushed without the client under test.

use std::io::Write as _;

use imgpkg_oci::{Digest, media_type};
use serde_json::{Value, json};

use crate::registry::Registry;

/// A small OCI image.
#[derive(Debug, Clone)]
pub struct Image {
    layers: Vec<(String, Vec<u8>)>,
    diff_ids: Vec<String>,
    architecture: String,
    labels: Value,
}

impl Image {
    /// An image with one gzipped layer that holds these files.
    pub fn of_files(files: &[(&str, &[u8])]) -> Self {
        Self { layers: Vec::new(), diff_ids: Vec::new(), architecture: "amd64".into(), labels: json!({}) }
            .with_layer(files)
    }

    /// The same image with one more gzipped layer on top.
    #[must_use]
    pub fn with_layer(mut self, files: &[(&str, &[u8])]) -> Self {
        let tar = tar_of(files);
        self.diff_ids.push(Digest::sha256_of(&tar).to_string());
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&tar).expect("writing to memory");
        let layer = encoder.finish().expect("writing to memory");
        self.layers.push(("application/vnd.oci.image.layer.v1.tar+gzip".into(), layer));
        self
    }

    /// The same image with one more layer of exactly these bytes, for instance a foreign one.
    #[must_use]
    pub fn with_raw_layer(mut self, media_type: &str, bytes: &[u8]) -> Self {
        self.diff_ids.push(Digest::sha256_of(bytes).to_string());
        self.layers.push((media_type.into(), bytes.to_vec()));
        self
    }

    /// The same image for another processor.
    #[must_use]
    pub fn for_architecture(mut self, architecture: &str) -> Self {
        self.architecture = architecture.into();
        self
    }

    /// The layers' bytes.
    pub fn layers(&self) -> impl Iterator<Item = &[u8]> {
        self.layers.iter().map(|(_, bytes)| bytes.as_slice())
    }

    /// Pushes it and returns its digest.
    pub fn push(&self, registry: &Registry, repository: &str, tag: &str) -> Digest {
        let config = json!({
            "architecture": self.architecture, "os": "linux", "config": {"Labels": self.labels},
            "rootfs": {"type": "layers", "diff_ids": self.diff_ids},
        });
        let config = serde_json::to_vec(&config).expect("JSON");
        put_blob(registry, repository, &config);
        let layers: Vec<_> = self
            .layers
            .iter()
            .map(|(media_type, bytes)| {
                put_blob(registry, repository, bytes);
                json!({"mediaType": media_type, "size": bytes.len(), "digest": Digest::sha256_of(bytes).as_str()})
            })
            .collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
            "config": {"mediaType": media_type::OCI_CONFIG, "size": config.len(), "digest": Digest::sha256_of(&config).as_str()},
            "layers": layers,
        });
        put_manifest(registry, repository, tag, media_type::OCI_MANIFEST, &manifest)
    }
}

/// Pushes an index of these images, which are in the same repository already, and returns its digest.
pub fn push_index(registry: &Registry, repository: &str, tag: &str, children: &[(&Digest, &str)]) -> Digest {
    let manifests: Vec<_> = children
        .iter()
        .map(|(digest, architecture)| {
            let size = registry.manifest(repository, digest.as_str()).len();
            json!({"mediaType": media_type::OCI_MANIFEST, "size": size, "digest": digest.as_str(),
                   "platform": {"architecture": architecture, "os": "linux"}})
        })
        .collect();
    let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": manifests});
    put_manifest(registry, repository, tag, media_type::OCI_INDEX, &index)
}

fn put_manifest(
    registry: &Registry,
    repository: &str,
    tag: &str,
    media_type: &str,
    manifest: &Value,
) -> Digest {
    let bytes = serde_json::to_vec(manifest).expect("JSON");
    put_manifest_bytes(registry, repository, tag, media_type, &bytes)
}

/// Puts a manifest of exactly these bytes.
pub(crate) fn put_manifest_bytes(
    registry: &Registry,
    repository: &str,
    target: &str,
    media_type: &str,
    bytes: &[u8],
) -> Digest {
    let path = format!("/v2/{repository}/manifests/{target}");
    let response = registry.request("PUT", &path, &[("Content-Type", media_type)], bytes);
    assert_eq!(response.status, 201, "PUT {path}: {}", String::from_utf8_lossy(&response.body));
    Digest::sha256_of(bytes)
}

/// Puts a blob.
pub(crate) fn put_blob(registry: &Registry, repository: &str, bytes: &[u8]) {
    let started = registry.request("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], b"");
    let location = started.header("location").expect("a Location").to_owned();
    let path = location.split_once("://").and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..]));
    let path = path.unwrap_or(&location);
    let joint = if path.contains('?') { '&' } else { '?' };
    let digest = Digest::sha256_of(bytes);
    let octets = [("Content-Type", "application/octet-stream")];
    let response = registry.request("PUT", &format!("{path}{joint}digest={digest}"), &octets, bytes);
    assert_eq!(response.status, 201, "PUT {path}: {}", String::from_utf8_lossy(&response.body));
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    files.iter().for_each(|(name, content)| append_file(&mut builder, name, content));
    builder.into_inner().expect("writing to memory")
}

/// Adds a file under exactly this name (at most 100 bytes), even one that no honest tar has.
pub fn append_file(builder: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    header.set_cksum();
    builder.append(&header, content).expect("writing to memory");
}

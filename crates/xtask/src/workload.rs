//! What is copied: the two reference workloads, and how they get into a registry.

use std::collections::HashMap;

use imgpkg_oci::{Digest, media_type};
use imgpkg_testkit::Registry;
use serde_json::{Value, json};

use crate::content::Layer;
use crate::error::Error;

/// The media type of a gzipped OCI layer.
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The shape of a set of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workload {
    /// `S` or `L`.
    pub(crate) name: &'static str,
    /// How many references a bundle of them has.
    pub(crate) references: usize,
    /// How many of the references are indexes of two images.
    pub(crate) indexes: usize,
    /// Layers of each image, the shared ones included.
    pub(crate) layers: usize,
    /// How many of the layers are the same in every image.
    pub(crate) shared: usize,
    /// The content of a layer, in bytes.
    pub(crate) layer_bytes: usize,
    /// Time on the way, in each direction, in milliseconds; zero for no proxy.
    pub(crate) delay_millis: u64,
}

/// Many small images, far away.
pub(crate) const S: Workload = Workload {
    name: "S",
    references: 150,
    indexes: 15,
    layers: 3,
    shared: 1,
    layer_bytes: 64 * 1024,
    delay_millis: 20,
};

/// A few large images, near.
pub(crate) const L: Workload = Workload {
    name: "L",
    references: 30,
    indexes: 6,
    layers: 4,
    shared: 2,
    layer_bytes: 10 * 1024 * 1024,
    delay_millis: 0,
};

/// What a workload has become in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Published {
    /// Each reference, without a host: `l/image-000@sha256:…`.
    pub(crate) references: Vec<String>,
    /// Each blob once, as a path: `/v2/l/image-000/blobs/sha256:…`.
    pub(crate) blobs: Vec<String>,
    /// The bytes of these blobs.
    pub(crate) blob_bytes: u64,
}

impl Workload {
    /// Makes the images and pushes them, by plain HTTP, each reference into a repository of its own.
    pub(crate) fn publish(&self, registry: &Registry) -> Result<Published, Error> {
        let mut publisher =
            Publisher { registry, workload: self, homes: HashMap::new(), published: Published::default() };
        for number in 0..self.shared {
            publisher.layer(&self.repository(0), number as u64)?;
        }
        // A layer's number: the shared ones come first, then those of each image.
        let mut next = self.shared as u64;
        for number in 0..self.references {
            let repository = self.repository(number);
            // The indexes are spread evenly over the references.
            let index =
                number * self.indexes / self.references != (number + 1) * self.indexes / self.references;
            let digest = if index {
                let children = [
                    publisher.image(&repository, "amd64", &mut next)?,
                    publisher.image(&repository, "arm64", &mut next)?,
                ];
                publisher.index(&repository, &children)?
            } else {
                publisher.image(&repository, "amd64", &mut next)?.1
            };
            publisher.published.references.push(format!("{repository}@{digest}"));
        }
        Ok(publisher.published)
    }

    /// The repository of this reference.
    fn repository(&self, number: usize) -> String {
        format!("{}/image-{number:03}", self.name.to_ascii_lowercase())
    }
}

/// A layer as a manifest names it, and the digest of its tar.
#[derive(Debug, Clone)]
struct Placed {
    repository: String,
    size: usize,
    digest: Digest,
    diff_id: Digest,
}

struct Publisher<'a> {
    registry: &'a Registry,
    workload: &'a Workload,
    /// The layers that there are, by their numbers.
    homes: HashMap<u64, Placed>,
    published: Published,
}

impl Publisher<'_> {
    /// Pushes an image with the shared layers and new ones; returns its descriptor and its digest.
    fn image(
        &mut self,
        repository: &str,
        architecture: &str,
        next: &mut u64,
    ) -> Result<(Value, Digest), Error> {
        let (shared, own) = (self.workload.shared, self.workload.layers - self.workload.shared);
        let numbers = (0..shared as u64).chain(*next..*next + own as u64);
        *next += own as u64;
        let layers = numbers.map(|number| self.layer(repository, number)).collect::<Result<Vec<_>, _>>()?;
        let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {"Env": ["PATH=/usr/bin"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })
        .to_string();
        let config_digest = self.blob(repository, config.as_bytes())?;
        let layers: Vec<_> =
            layers.iter().map(|layer| descriptor(LAYER, layer.size, &layer.digest)).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
            "config": descriptor(media_type::OCI_CONFIG, config.len(), &config_digest), "layers": layers,
        });
        let (size, digest) = self.manifest(repository, media_type::OCI_MANIFEST, &manifest)?;
        let mut descriptor = descriptor(media_type::OCI_MANIFEST, size, &digest);
        descriptor["platform"] = json!({"architecture": architecture, "os": "linux"});
        Ok((descriptor, digest))
    }

    fn index(&self, repository: &str, children: &[(Value, Digest)]) -> Result<Digest, Error> {
        let children: Vec<_> = children.iter().map(|(descriptor, _)| descriptor).collect();
        let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": children});
        Ok(self.manifest(repository, media_type::OCI_INDEX, &index)?.1)
    }

    /// Sees to it that the layer of this number is in the repository.
    fn layer(&mut self, repository: &str, number: u64) -> Result<Placed, Error> {
        if let Some(home) = self.homes.get(&number) {
            let mount =
                format!("/v2/{repository}/blobs/uploads/?mount={}&from={}", home.digest, home.repository);
            if home.repository != repository {
                self.expect(201, "POST", &mount, &[], b"")?;
            }
            return Ok(home.clone());
        }
        let layer = Layer::make(number, self.workload.layer_bytes)?;
        let digest = self.blob(repository, &layer.bytes)?;
        let size = layer.bytes.len();
        let home = Placed { repository: repository.to_owned(), size, digest, diff_id: layer.diff_id };
        self.homes.insert(number, home.clone());
        Ok(home)
    }

    fn blob(&mut self, repository: &str, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::sha256_of(bytes);
        let start = format!("/v2/{repository}/blobs/uploads/");
        let location = self.expect(202, "POST", &start, &[], b"")?.unwrap_or_default();
        // The location may name a host; whatever it is, the path is this registry's.
        let behind_scheme = location.split_once("://").map(|(_, rest)| rest);
        let path = behind_scheme.and_then(|rest| rest.find('/').map(|at| &rest[at..])).unwrap_or(&location);
        let joint = if path.contains('?') { '&' } else { '?' };
        let octets = [("Content-Type", "application/octet-stream")];
        self.expect(201, "PUT", &format!("{path}{joint}digest={digest}"), &octets, bytes)?;
        self.published.blobs.push(format!("/v2/{repository}/blobs/{digest}"));
        self.published.blob_bytes += bytes.len() as u64;
        Ok(digest)
    }

    fn manifest(&self, repository: &str, media_type: &str, value: &Value) -> Result<(usize, Digest), Error> {
        let bytes = value.to_string().into_bytes();
        let digest = Digest::sha256_of(&bytes);
        let path = format!("/v2/{repository}/manifests/{digest}");
        self.expect(201, "PUT", &path, &[("Content-Type", media_type)], &bytes)?;
        Ok((bytes.len(), digest))
    }

    /// Sends a request that must be answered with this status; returns the `Location` of the answer.
    fn expect(
        &self,
        status: u16,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Option<String>, Error> {
        let response = self.registry.request(method, path, headers, body);
        if response.status != status {
            return Err(Error::Refused { request: format!("{method} {path}"), status: response.status });
        }
        Ok(response.header("location").map(str::to_owned))
    }
}

fn descriptor(media_type: &str, size: usize, digest: &Digest) -> Value {
    json!({"mediaType": media_type, "size": size, "digest": digest.as_str()})
}

//! Manifests: asked for, fetched and written (distribution specification, "Pulling manifests", "Pushing Manifests").

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use imgpkg_oci::manifest::MAX_MANIFEST_BYTES;
use imgpkg_oci::{Digest, ErrorKind, Manifest, ManifestError, TagOrDigest};

use crate::auth::Access;
use crate::error::Error;
use crate::http::Response;
use crate::session::{Call, Session};

/// What the reference accepts, in its order.
const ACCEPTED: &str = "application/vnd.docker.distribution.manifest.v1+json,\
    application/vnd.docker.distribution.manifest.v1+prettyjws,\
    application/vnd.docker.distribution.manifest.v2+json,\
    application/vnd.oci.image.manifest.v1+json,\
    application/vnd.docker.distribution.manifest.list.v2+json,\
    application/vnd.oci.image.index.v1+json";

/// How long a registry may take to accept a manifest.
const PATIENCE: Duration = Duration::from_secs(300);

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

impl Session {
    /// Fetches a manifest.
    ///
    /// # Errors
    /// When it is not there, is too large, or is not what its digest stands for.
    pub(crate) async fn manifest(&self, target: &TagOrDigest, access: Access) -> Result<Manifest, Error> {
        let call = self.manifest_call(Method::GET, target, access).await?;
        let mut attempts = self.attempts();
        let mut damaged = false;
        loop {
            let (response, bytes) = self.read(&call, MAX_MANIFEST_BYTES).await?;
            let media_type = response.text(CONTENT_TYPE).unwrap_or_default();
            let TagOrDigest::Digest(digest) = target else {
                // Nothing proves what a tag stands for, so it must at least look like a manifest.
                if !bytes.trim_ascii_start().starts_with(b"{") {
                    return Err(call.head.senseless(not_a_manifest(media_type)));
                }
                return Ok(Manifest::new(bytes, media_type));
            };
            match self.verified(bytes, media_type, digest) {
                // Bytes can be damaged on their way, once. Twice, and they are damaged where they come from.
                Err(error) if error.kind() == ErrorKind::Corrupt && !damaged => {
                    damaged = true;
                    attempts.pause_anyway(error).await?;
                }
                result => return result,
            }
        }
    }

    fn verified(&self, bytes: Bytes, media_type: &str, digest: &Digest) -> Result<Manifest, Error> {
        Manifest::verified(bytes, media_type, digest).map_err(|error| match error {
            ManifestError::Digest { expected, actual } => Error::ManifestDigest {
                actual,
                expected,
                reference: self.repository.at(digest.clone()).to_string(),
            },
            other => Error::Setup { problem: other.to_string() },
        })
    }

    /// The digest of a manifest: by asking for it, or else by fetching it.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) async fn resolve(&self, target: &TagOrDigest, access: Access) -> Result<Digest, Error> {
        let call = self.manifest_call(Method::HEAD, target, access.clone()).await?;
        // Whatever is wrong with the answer to this, the answer to the next request says it better.
        let told = match self.send_once(&call).await {
            Ok(response) => told_digest(&response, target),
            Err(error) if error.is_preliminary() => return Err(error),
            Err(_) => None,
        };
        match told {
            Some(digest) => Ok(digest),
            None => Ok(self.manifest(target, access).await?.digest().clone()),
        }
    }

    /// The digest of a manifest, if it is there.
    ///
    /// # Errors
    /// When the registry does not say whether it is.
    pub(crate) async fn existing(
        &self,
        target: &TagOrDigest,
        access: Access,
    ) -> Result<Option<Digest>, Error> {
        let call = self.manifest_call(Method::HEAD, target, access.clone()).await?;
        let told = match self.send_once(&call).await {
            Ok(response) => told_digest(&response, target),
            Err(error) if error.status().is_some_and(|status| status == 404) => return Ok(None),
            Err(error) if error.is_preliminary() => return Err(error),
            Err(_) => None,
        };
        if told.is_some() {
            return Ok(told);
        }
        match self.manifest(target, access).await {
            Ok(manifest) => Ok(Some(manifest.digest().clone())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a manifest.
    ///
    /// # Errors
    /// When the registry refuses it, or says that it took it for something else.
    pub(crate) async fn put_manifest(&self, manifest: &Manifest, target: &TagOrDigest) -> Result<(), Error> {
        let url = self.url(&format!("manifests/{}", target.as_str())).await?;
        let media_type = manifest.media_type().as_str();
        let call = Call::new(Method::PUT, url, Access::Push, &[200, 201, 202, 204]);
        let media_type = HeaderValue::from_str(media_type)
            .map_err(|_| call.head.senseless(format!("no media type that can be sent: {media_type:?}")))?;
        let call = call.header(CONTENT_TYPE, media_type).body(manifest.bytes().clone());
        // Registries look whether they have everything that a manifest names, which takes its time.
        let call = call.patient(PATIENCE);
        let response = self.send(&call).await?;
        let said = response.text(CONTENT_DIGEST).and_then(|text| Digest::parse(text).ok());
        match said {
            // Anybody can answer 200; a registry that has stored a manifest says `201 Created`, or what it has stored.
            None if response.status() != 201 => Err(call.head.senseless(format!(
                "the answer is {} without a digest, which no registry gives that has stored a manifest \
                 (hint: is there a proxy or another kind of server at this address?)",
                response.status()
            ))),
            Some(said) if said.algorithm() == manifest.digest().algorithm() && said != *manifest.digest() => {
                Err(Error::ManifestDigest {
                    actual: said,
                    expected: manifest.digest().clone(),
                    reference: self.repository.at(manifest.digest().clone()).to_string(),
                })
            }
            _ => Ok(()),
        }
    }

    async fn manifest_call(
        &self,
        method: Method,
        target: &TagOrDigest,
        access: Access,
    ) -> Result<Call, Error> {
        let url = self.url(&format!("manifests/{}", target.as_str())).await?;
        Ok(Call::new(method, url, access, &[200]).header(ACCEPT, HeaderValue::from_static(ACCEPTED)))
    }
}

fn not_a_manifest(media_type: &str) -> String {
    let kind = if media_type.is_empty() { "something without a media type" } else { media_type };
    format!(
        "the answer is no manifest but {kind} \
         (hint: is there a login page, a proxy or another kind of server at this address?)"
    )
}

/// What the answer to a HEAD request says the digest is; `None` if it lacks a header that every honest answer has, or
/// says something else than was asked for.
fn told_digest(response: &Response, target: &TagOrDigest) -> Option<Digest> {
    response.text(CONTENT_TYPE)?;
    response.text(CONTENT_LENGTH)?;
    let said = Digest::parse(response.text(CONTENT_DIGEST)?).ok()?;
    match target {
        TagOrDigest::Digest(asked) if *asked != said => None,
        _ => Some(said),
    }
}

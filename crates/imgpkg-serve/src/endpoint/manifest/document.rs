//! What a registry looks at in a manifest before it takes it: what it needs, and what it is about.

use bytes::Bytes;
use imgpkg_oci::{Descriptor, Digest, Document, Manifest, MediaType};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::storage::{NewManifest, Referrer};

/// What any kind of manifest may say about itself. What has another type than it should is as good as absent.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Config>,
    annotations: Option<Map<String, Value>>,
    subject: Option<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    media_type: Option<String>,
}

/// A manifest ready to be stored, if it is what its media type says. One of an unknown type is taken as it is.
///
/// # Errors
/// What is wrong with it, in words for the client.
pub(super) fn checked(bytes: Bytes, digest: Digest, content_type: &str) -> Result<NewManifest, String> {
    let (media_type, content_type) = media_type(&bytes, content_type)?;
    let known = media_type.is_image() || media_type.is_index();
    let claims = serde_json::from_slice::<Claims>(&bytes).unwrap_or_default();
    if known
        && let Some(claimed) = claims.media_type.as_deref().filter(|claimed| !claimed.is_empty())
        && claimed != media_type.as_str()
    {
        return Err(format!(
            "the manifest says that it is {claimed}, and the request that it is {media_type}"
        ));
    }
    let needs = if known { needs(&bytes, &media_type)? } else { Vec::new() };
    let referrer = claims.subject.as_ref().map(|subject| Referrer {
        subject: subject.digest.clone(),
        descriptor: descriptor(&claims, &media_type, &digest, bytes.len()).to_string().into_bytes(),
    });
    Ok(NewManifest { digest, content_type, bytes, needs, referrer })
}

/// What a stored manifest is about, if it is about another one.
pub(super) fn subject(bytes: &[u8]) -> Option<Digest> {
    serde_json::from_slice::<Claims>(bytes).ok()?.subject.map(|subject| subject.digest)
}

/// The media type without parameters, and what to answer readers with: what the client said, word for word. Where it
/// said nothing that names a manifest, the document decides.
fn media_type(bytes: &Bytes, said: &str) -> Result<(MediaType, String), String> {
    let bare = said.split(';').next().unwrap_or_default().trim();
    if !matches!(bare, "" | "application/json" | "application/octet-stream" | "text/plain") {
        return Ok((MediaType::new(bare), said.to_owned()));
    }
    let guessed = Manifest::new(bytes.clone(), "").media_type().clone();
    if !guessed.is_manifest() {
        return Err("the request has no Content-Type that says which kind of manifest this is".to_owned());
    }
    let name = guessed.to_string();
    Ok((guessed, name))
}

/// Everything that the repository must have: configuration and layers, or an index's children. Layers that may not be
/// distributed come from elsewhere.
fn needs(bytes: &Bytes, media_type: &MediaType) -> Result<Vec<Digest>, String> {
    let manifest = Manifest::new(bytes.clone(), media_type.as_str());
    let descriptors = match manifest.parse().map_err(|error| in_words(&error))? {
        Document::Image(image) => std::iter::once(image.config).chain(image.layers).collect(),
        Document::Index(index) => index.manifests,
    };
    let needed = |descriptor: &Descriptor| !descriptor.media_type.is_non_distributable();
    Ok(descriptors.into_iter().filter(needed).map(|descriptor| descriptor.digest).collect())
}

fn in_words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", in_words(source)),
        None => error.to_string(),
    }
}

/// The descriptor under which a referrer is listed (distribution specification, "Listing Referrers"): without a type of
/// its own, an image's is that of its configuration.
fn descriptor(claims: &Claims, media_type: &MediaType, digest: &Digest, size: usize) -> Value {
    let mut descriptor = json!({ "mediaType": media_type.as_str(), "digest": digest.as_str(), "size": size });
    let given = |text: &&String| !text.is_empty();
    let of_config = || claims.config.as_ref().and_then(|config| config.media_type.as_ref()).filter(given);
    if let Some(artifact_type) = claims.artifact_type.as_ref().filter(given).or_else(of_config) {
        descriptor["artifactType"] = json!(artifact_type);
    }
    if let Some(annotations) = claims.annotations.as_ref().filter(|annotations| !annotations.is_empty()) {
        descriptor["annotations"] = json!(annotations);
    }
    descriptor
}

#[cfg(test)]
mod tests {
    use super::*;
    use imgpkg_oci::media_type::*;

    fn described(media_type: &str, content: &[u8]) -> String {
        format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":1}}"#, Digest::sha256_of(content))
    }

    fn check(json: String, content_type: &str) -> Result<NewManifest, String> {
        let digest = Digest::sha256_of(json.as_bytes());
        checked(json.into(), digest, content_type)
    }

    #[test]
    fn an_image_needs_its_configuration_and_the_layers_that_may_be_distributed() {
        let json = format!(
            r#"{{"config":{},"layers":[{},{}]}}"#,
            described(DOCKER_CONFIG, b"c"),
            described(DOCKER_LAYER, b"l"),
            described(DOCKER_FOREIGN_LAYER, b"f")
        );
        let manifest = check(json, DOCKER_MANIFEST).unwrap();
        assert_eq!(manifest.needs, [Digest::sha256_of(b"c"), Digest::sha256_of(b"l")]);
        assert!(manifest.referrer.is_none());
    }

    #[test]
    fn a_content_type_is_kept_word_for_word() {
        let said = format!("{OCI_INDEX}; charset=utf-8");
        assert_eq!(check(r#"{"manifests":[]}"#.to_owned(), &said).unwrap().content_type, said);
        assert_eq!(check("whatever".to_owned(), "x/unheard-of").unwrap().content_type, "x/unheard-of");
    }

    #[test]
    fn without_a_content_type_the_document_decides() {
        assert_eq!(check(r#"{"manifests":[]}"#.to_owned(), "").unwrap().content_type, OCI_INDEX);
        assert!(check("{}".to_owned(), "application/json").is_err());
    }

    #[test]
    fn a_document_that_is_not_what_the_request_says_is_refused() {
        for (json, content_type) in [
            ("no json", OCI_MANIFEST),
            ("{}", OCI_MANIFEST),
            (r#"{"manifests":[{"digest":"sha256:../..","size":1}]}"#, OCI_INDEX),
            (&format!(r#"{{"mediaType":"{OCI_INDEX}","manifests":[]}}"#), DOCKER_MANIFEST_LIST),
        ] {
            assert!(check(json.to_owned(), content_type).is_err(), "{json}");
        }
    }

    #[test]
    fn a_referrer_is_listed_with_its_type_and_annotations_in_their_order() {
        let config = described("x/config", b"c");
        let subject = described(OCI_MANIFEST, b"s");
        let json = format!(
            r#"{{"config":{config},"layers":[],"subject":{subject},"annotations":{{"z":"1","a":"2"}}}}"#
        );
        let (digest, size) = (Digest::sha256_of(json.as_bytes()), json.len());
        assert_eq!(super::subject(json.as_bytes()), Some(Digest::sha256_of(b"s")));
        let referrer = check(json, OCI_MANIFEST).unwrap().referrer.unwrap();
        assert_eq!(referrer.subject, Digest::sha256_of(b"s"));
        assert_eq!(
            String::from_utf8(referrer.descriptor).unwrap(),
            format!(
                r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":{size},"artifactType":"x/config","annotations":{{"z":"1","a":"2"}}}}"#
            )
        );
    }

    #[test]
    fn an_artifact_type_of_its_own_wins() {
        let (config, subject) = (described("x/config", b"c"), described(OCI_MANIFEST, b"s"));
        let json =
            format!(r#"{{"artifactType":"x/sbom","config":{config},"layers":[],"subject":{subject}}}"#);
        let referrer = check(json, OCI_MANIFEST).unwrap().referrer.unwrap();
        assert!(String::from_utf8(referrer.descriptor).unwrap().contains(r#""artifactType":"x/sbom""#));
    }
}

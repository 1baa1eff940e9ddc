//! The configuration and the manifest of a built image, byte for byte as the reference writes them (section 3.5).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use imgpkg_formats::json;
use imgpkg_oci::{Descriptor, Digest};

/// The time that nothing happened at, so that the bytes do not depend on when.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The image configuration.
pub(super) fn config(diff_id: &Digest, labels: &BTreeMap<String, String>) -> String {
    let mut execution = String::new();
    if !labels.is_empty() {
        let pairs: Vec<_> = labels
            .iter()
            .map(|(key, value)| format!("{}:{}", json::escape(key), json::escape(value)))
            .collect();
        let _infallible = write!(execution, r#""Labels":{{{}}}"#, pairs.join(","));
    }
    format!(
        concat!(
            r#"{{"architecture":"","created":"{never}","#,
            r#""history":[{{"author":"imgpkg","created":"{never}","created_by":"imgpkg"}}],"#,
            r#""os":"","rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}},"config":{{{execution}}}}}"#
        ),
        never = NEVER,
        diff_id = diff_id,
        execution = execution,
    )
}

/// The manifest: Docker's schema 2, with one layer.
pub(super) fn manifest(config: &Descriptor, layer: &Descriptor) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
        imgpkg_oci::media_type::DOCKER_MANIFEST,
        descriptor(config),
        descriptor(layer),
    )
}

fn descriptor(descriptor: &Descriptor) -> String {
    let Descriptor { media_type, size, digest, .. } = descriptor;
    format!(r#"{{"mediaType":"{media_type}","size":{size},"digest":"{digest}"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use imgpkg_oci::{MediaType, media_type};

    /// The two documents of the example bundle in the reference's description.
    #[test]
    fn the_documents_are_those_of_the_published_example() {
        let diff_id =
            Digest::parse("sha256:1ec3bb9f122f30fdf6d13cc38870dc0a03236bbdaa5b698fc25b7ead9dae8d3e").unwrap();
        let labels = BTreeMap::from([("dev.carvel.imgpkg.bundle".to_owned(), "true".to_owned())]);
        let config = config(&diff_id, &labels);
        assert_eq!(config.len(), 317);
        let config = Descriptor::new(
            MediaType::new(media_type::DOCKER_CONFIG),
            Digest::sha256_of(config.as_bytes()),
            config.len() as u64,
        );
        assert_eq!(config.digest.hex(), "4da097607a3cb58407cd8c157271bb5f7462a5872d516a5bc979ec678ac30f7d");
        let layer = Descriptor::new(
            MediaType::new(media_type::DOCKER_LAYER),
            Digest::parse("sha256:45e16698e6e721de091b5ecbb811eae1243fb8f2ed5dbd04a9f40cd199c355f9").unwrap(),
            648,
        );
        let manifest = manifest(&config, &layer);
        assert_eq!(manifest.len(), 423);
        assert_eq!(
            Digest::sha256_of(manifest.as_bytes()).hex(),
            "5c2dafe3c70c13990190d643c91e9f67b8129b179257674888178868474f6511"
        );
    }

    #[test]
    fn labels_are_escaped_and_sorted() {
        let labels = [("z", "<&>"), ("a", "\"quoted\"")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let config = config(&Digest::sha256_of(b""), &labels.into());
        let expected = r#""config":{"Labels":{"a":"\"quoted\"","z":"\u003c\u0026\u003e"}}}"#;
        assert!(config.ends_with(expected), "{config}");
    }

    #[test]
    fn without_labels_the_configuration_has_no_list_of_them() {
        assert!(config(&Digest::sha256_of(b""), &BTreeMap::new()).ends_with(r#""config":{}}"#));
    }
}

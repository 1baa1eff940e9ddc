//! How large the parts of an upload may be where it cannot be sent in one: after a registry has refused a whole blob for
//! its size, and when a broken upload is continued.

use imgpkg_oci::Registry;

const MIB: u64 = 1024 * 1024;

/// The size of parts where nothing else is known: every registry takes it.
const USUAL: u64 = 4 * MIB;

/// What is known of real registries: the end of the host's name, the least and the most bytes of a part.
const RULES: [(&str, u64, u64); 2] = [
    // GitHub's registry refuses larger ones.
    ("ghcr.io", 0, 4 * MIB),
    // Amazon's keeps parts in a store that refuses smaller ones, but for the last.
    (".amazonaws.com", 5 * MIB, u64::MAX),
];

/// The bytes of one part for this registry; `least` is what it has asked for itself (`OCI-Chunk-Min-Length`).
pub(crate) fn size(registry: &Registry, least: Option<u64>) -> u64 {
    let host = registry.as_str().split(':').next().unwrap_or_default();
    let rule = RULES.iter().find(|(end, _, _)| host == *end || (end.starts_with('.') && host.ends_with(end)));
    let (lower, upper) = rule.map_or((0, u64::MAX), |&(_, lower, upper)| (lower, upper));
    USUAL.max(least.unwrap_or(0)).max(lower).min(upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host: &str, least: Option<u64>) -> u64 {
        size(&Registry::parse(host).unwrap(), least)
    }

    #[test]
    fn registries_get_parts_of_the_size_they_take() {
        assert_eq!(of("ghcr.io", None), 4 * MIB);
        assert_eq!(of("123.dkr.ecr.eu-west-1.amazonaws.com", None), 5 * MIB);
        assert_eq!(of("europe-docker.pkg.dev", None), 4 * MIB);
        assert_eq!(of("notghcr.io:443", None), 4 * MIB);
    }

    #[test]
    fn what_a_registry_asks_for_counts() {
        assert_eq!(of("registry.example", Some(10 * MIB)), 10 * MIB);
        assert_eq!(of("registry.example", Some(1)), 4 * MIB);
        assert_eq!(of("ghcr.io", Some(10 * MIB)), 4 * MIB);
    }
}

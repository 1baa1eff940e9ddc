//! One line that says where things stand.

use super::tally::{Share, Standing};
use crate::ui::quantity;

/// All of it: `12 of 150 blobs, 34.1 of 777.0 MiB, 12.3 MiB/s, about 1m05s left`. Manifests are named when there is
/// nothing else left to say, because they are small and go along.
pub(crate) fn whole(standing: &Standing) -> String {
    if is_unknown(standing) {
        return pace(standing);
    }
    let mut parts = vec![counted(standing.blobs, "blobs")];
    if standing.blobs.done == standing.blobs.all && standing.manifests.all > 0 {
        parts.push(counted(standing.manifests, "manifests"));
    }
    parts.push(pace(standing));
    parts.join(", ")
}

/// How many: `12 of 150 blobs, 3 of 45 manifests`.
pub(crate) fn counts(standing: &Standing) -> String {
    if is_unknown(standing) {
        return String::new();
    }
    let mut counts = counted(standing.blobs, "blobs");
    if standing.manifests.all > 0 {
        counts.push_str(", ");
        counts.push_str(&counted(standing.manifests, "manifests"));
    }
    counts
}

/// How much and how fast: `34.1 of 777.0 MiB, 12.3 MiB/s, about 1m05s left`.
pub(crate) fn pace(standing: &Standing) -> String {
    if is_unknown(standing) {
        let doing = match standing.verifying {
            Some(bytes) => format!("verifying {} that are on the disk", quantity::bytes(bytes)),
            None => "finding out what there is to do".to_owned(),
        };
        return with_wait(doing, standing);
    }
    let mut text = quantity::bytes_of(standing.bytes.done, standing.bytes.all);
    if let Some(rate) = standing.rate {
        text.push_str(&format!(", {}/s", quantity::bytes(rate)));
    }
    if let Some(left) = standing.left {
        text.push_str(&format!(", about {} left", quantity::time(left)));
    }
    with_wait(text, standing)
}

/// Is not even known yet what there is to do?
fn is_unknown(standing: &Standing) -> bool {
    standing.blobs.all == 0 && standing.manifests.all == 0
}

fn with_wait(text: String, standing: &Standing) -> String {
    match &standing.waiting_for {
        Some(host) => format!("{text}, waiting for {host}"),
        None => text,
    }
}

fn counted(share: Share, what: &str) -> String {
    format!("{} of {} {what}", share.done, share.all)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn standing() -> Standing {
        Standing {
            blobs: Share { done: 12, all: 150 },
            bytes: Share { done: 35_756_441, all: 777 << 20 },
            manifests: Share { done: 3, all: 45 },
            rate: Some(12_897_485),
            left: Some(Duration::from_secs(65)),
            waiting_for: None,
            verifying: None,
        }
    }

    #[test]
    fn a_line_says_how_much_how_fast_and_how_long() {
        let expected = "12 of 150 blobs, 34.1 of 777.0 MiB, 12.3 MiB/s, about 1m05s left";
        assert_eq!(whole(&standing()), expected);
        assert_eq!(counts(&standing()), "12 of 150 blobs, 3 of 45 manifests");
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let standing = Standing { rate: None, left: None, ..standing() };
        assert_eq!(whole(&standing), "12 of 150 blobs, 34.1 of 777.0 MiB");
        let nothing = Standing::default();
        assert_eq!(whole(&nothing), "finding out what there is to do");
        assert_eq!(counts(&nothing), "");
        let verifying = Standing { verifying: Some(5 << 30), ..nothing };
        assert_eq!(whole(&verifying), "verifying 5.0 GiB that are on the disk");
    }

    #[test]
    fn manifests_are_named_when_only_they_are_left() {
        let standing =
            Standing { blobs: Share { done: 150, all: 150 }, rate: None, left: None, ..standing() };
        assert_eq!(whole(&standing), "150 of 150 blobs, 3 of 45 manifests, 34.1 of 777.0 MiB");
    }

    #[test]
    fn a_registry_that_is_waited_for_is_named() {
        let standing = Standing { waiting_for: Some("registry.example".to_owned()), ..standing() };
        assert!(whole(&standing).ends_with(" left, waiting for registry.example"), "{}", whole(&standing));
    }
}

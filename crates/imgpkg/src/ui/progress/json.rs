//! Events as JSON, one object a line. The fields are documented in `docs/progress.md`.

use std::collections::HashMap;
use std::time::Duration;

use imgpkg_copy::Event;
use imgpkg_oci::{BlobPut, Digest};
use serde_json::{Map, Value, json};

use super::tally::Tally;

/// How often one blob is reported at most while it is on its way.
const BETWEEN_REPORTS: Duration = Duration::from_millis(500);

/// Makes lines of events.
#[derive(Debug)]
pub(crate) struct JsonLines {
    command: &'static str,
    under_way: HashMap<Digest, Unreported>,
}

/// What has not been reported of a blob.
#[derive(Debug, Default)]
struct Unreported {
    bytes: u64,
    since: Duration,
}

impl JsonLines {
    /// The lines of this command.
    pub(crate) fn new(command: &'static str) -> Self {
        Self { command, under_way: HashMap::new() }
    }

    /// The lines that tell of an event, without their newlines.
    pub(crate) fn of(&mut self, event: &Event, now: Duration) -> Vec<String> {
        let fields = match event {
            Event::Discovered { images, manifests } => {
                json!({"event": "discovered", "images": images, "manifests": manifests})
            }
            Event::Planned { blobs, bytes, manifests, present } => json!({
                "event": "planned", "blobs": blobs, "bytes": bytes, "manifests": manifests, "present": present,
            }),
            Event::Verifying { layers, bytes } => {
                json!({"event": "verifying", "layers": layers, "bytes": bytes})
            }
            Event::Reusing { layers } => json!({"event": "reusing", "layers": layers}),
            Event::BlobStarted { digest, size } => {
                self.under_way.insert(digest.clone(), Unreported { bytes: 0, since: now });
                json!({"event": "blob-started", "digest": digest.as_str(), "bytes": size})
            }
            Event::BlobAdvanced { digest, bytes } => {
                let unreported = self.under_way.entry(digest.clone()).or_default();
                unreported.bytes += bytes;
                if now.saturating_sub(unreported.since) < BETWEEN_REPORTS {
                    return Vec::new();
                }
                unreported.since = now;
                let bytes = std::mem::take(&mut unreported.bytes);
                advanced(digest, bytes)
            }
            Event::BlobDone { digest, size, put, elapsed } => {
                return self.blob_done(digest, *size, *put, *elapsed, now);
            }
            Event::ManifestDone { digest } => json!({"event": "manifest-done", "digest": digest.as_str()}),
            Event::TagDone { tag } => json!({"event": "tag-done", "tag": tag.to_string()}),
            _ => return Vec::new(),
        };
        vec![self.line(fields, now)]
    }

    fn blob_done(
        &mut self,
        digest: &Digest,
        size: u64,
        put: BlobPut,
        elapsed: Duration,
        now: Duration,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        let unreported = self.under_way.remove(digest).map_or(0, |unreported| unreported.bytes);
        if unreported > 0 {
            lines.push(self.line(advanced(digest, unreported), now));
        }
        let event = match put {
            BlobPut::Present => "blob-skipped",
            BlobPut::Mounted => "blob-mounted",
            _ => "blob-done",
        };
        let fields =
            json!({"event": event, "digest": digest.as_str(), "bytes": size, "seconds": seconds(elapsed)});
        lines.push(self.line(fields, now));
        lines
    }

    /// The line that tells that a registry is left alone for some time.
    pub(crate) fn waiting(&self, host: &str, reason: &str, time: Duration, now: Duration) -> String {
        self.line(json!({"event": "waiting", "host": host, "reason": reason, "seconds": seconds(time)}), now)
    }

    /// The last line of a command that did what it was asked.
    pub(crate) fn finished(&self, tally: &Tally, now: Duration) -> String {
        let ways = tally.ways();
        let fields = json!({
            "event": "finished", "moved": ways.moved, "mounted": ways.mounted, "skipped": ways.skipped,
            "bytes": tally.traffic(), "waited": seconds(tally.waited(now)),
        });
        self.line(fields, now)
    }

    /// The last line of a command that did not.
    pub(crate) fn failed(&self, error: &str, tally: &Tally, now: Duration) -> String {
        let waited = seconds(tally.waited(now));
        self.line(json!({"event": "failed", "error": error, "waited": waited}), now)
    }

    /// The fields, with those that every line has behind the event's name.
    fn line(&self, fields: Value, now: Duration) -> String {
        let mut line = Map::new();
        if let Value::Object(fields) = fields {
            for (name, value) in fields {
                line.insert(name, value);
                if line.len() == 1 {
                    line.insert("command".to_owned(), self.command.into());
                    line.insert("time".to_owned(), seconds(now));
                }
            }
        }
        Value::Object(line).to_string()
    }
}

fn advanced(digest: &Digest, bytes: u64) -> Value {
    json!({"event": "blob-advanced", "digest": digest.as_str(), "bytes": bytes})
}

/// Seconds, to the millisecond.
fn seconds(time: Duration) -> Value {
    json!(time.as_millis() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        Digest::sha256_of(b"blob")
    }

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn advance(lines: &mut JsonLines, bytes: u64, milliseconds: u64) -> Vec<String> {
        lines.of(&Event::BlobAdvanced { digest: digest(), bytes }, at(milliseconds))
    }

    #[test]
    fn a_line_begins_with_what_every_line_has() {
        let mut lines = JsonLines::new("copy");
        let event = Event::Planned { blobs: 3, bytes: 10, manifests: 2, present: 1 };
        assert_eq!(
            lines.of(&event, at(1_250)),
            [
                r#"{"event":"planned","command":"copy","time":1.25,"blobs":3,"bytes":10,"manifests":2,"present":1}"#
            ]
        );
        assert_eq!(
            lines.waiting("registry.example", "429", at(2_000), at(0)),
            r#"{"event":"waiting","command":"copy","time":0.0,"host":"registry.example","reason":"429","seconds":2.0}"#
        );
        assert!(lines.of(&Event::TaggingImages, at(0)).is_empty());
    }

    #[test]
    fn a_blob_on_its_way_is_reported_twice_a_second_and_no_byte_is_lost() {
        let mut lines = JsonLines::new("copy");
        lines.of(&Event::BlobStarted { digest: digest(), size: 100 }, at(1_000));
        assert!(advance(&mut lines, 10, 1_100).is_empty());
        assert!(advance(&mut lines, 20, 1_499).is_empty());
        let reported = advance(&mut lines, 30, 1_500);
        assert_eq!(reported.len(), 1);
        assert!(reported[0].contains(r#""event":"blob-advanced""#), "{reported:?}");
        assert!(reported[0].ends_with(r#""bytes":60}"#), "{reported:?}");
        assert!(advance(&mut lines, 40, 1_999).is_empty());
        let done = Event::BlobDone { digest: digest(), size: 100, put: BlobPut::Sent, elapsed: at(1_000) };
        let last = lines.of(&done, at(2_000));
        assert!(last[0].ends_with(r#""bytes":40}"#), "{last:?}");
        assert!(last[1].contains(r#""event":"blob-done""#), "{last:?}");
        assert!(last[1].ends_with(r#""bytes":100,"seconds":1.0}"#), "{last:?}");
    }

    #[test]
    fn a_blob_that_was_not_moved_is_said_to_be_skipped_or_mounted() {
        let mut lines = JsonLines::new("copy");
        for (put, expected) in [(BlobPut::Present, "blob-skipped"), (BlobPut::Mounted, "blob-mounted")] {
            let event = Event::BlobDone { digest: digest(), size: 1, put, elapsed: at(0) };
            let said = lines.of(&event, at(0));
            assert_eq!(said.len(), 1);
            assert!(said[0].contains(expected), "{said:?}");
        }
    }

    #[test]
    fn the_last_line_sums_up() {
        let (lines, mut tally) = (JsonLines::new("push"), Tally::default());
        tally.note(&Event::BlobStarted { digest: digest(), size: 5 }, at(0));
        tally.note(&Event::BlobAdvanced { digest: digest(), bytes: 5 }, at(0));
        let done = Event::BlobDone { digest: digest(), size: 5, put: BlobPut::Sent, elapsed: at(0) };
        tally.note(&done, at(0));
        assert_eq!(
            lines.finished(&tally, at(3_000)),
            r#"{"event":"finished","command":"push","time":3.0,"moved":1,"mounted":0,"skipped":0,"bytes":5,"waited":0.0}"#
        );
        assert_eq!(
            lines.failed("no \"route\"", &tally, at(0)),
            r#"{"event":"failed","command":"push","time":0.0,"error":"no \"route\"","waited":0.0}"#
        );
    }
}

use std::io::{self, Write};
use std::time::UNIX_EPOCH;

use imgpkg_oci::{BlobPut, Digest};

use super::super::{Mode, Presentation};
use super::*;

/// A stream that a test can look into.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Progress in this style, what it says on stderr, and what on stdout.
fn progress(style: Style) -> (Arc<Progress>, Captured, Captured) {
    let (out, err) = (Captured::default(), Captured::default());
    let presentation = Presentation { mode: Mode::Plain, ..Presentation::preliminary() };
    let ui = Arc::new(Ui::new(presentation, out.clone(), err.clone()));
    (Progress::new(style, ui, Bars::hidden()), err, out)
}

fn text(captured: &Captured) -> String {
    String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
}

fn copy_of_one_blob(listener: &Listener) {
    let digest = Digest::sha256_of(b"blob");
    listener(Event::Planned { blobs: 1, bytes: 4, manifests: 0, present: 0 });
    listener(Event::BlobStarted { digest: digest.clone(), size: 4 });
    listener(Event::BlobAdvanced { digest: digest.clone(), bytes: 4 });
    listener(Event::BlobDone { digest, size: 4, put: BlobPut::Sent, elapsed: Duration::ZERO });
}

fn asked(seconds: u64) -> Wait {
    let (host, reason) = ("registry.example".to_owned(), "429 Too Many Requests".to_owned());
    Wait { host, time: Duration::from_secs(seconds), reason, asked: true }
}

#[test]
fn a_run_that_ends_soon_says_nothing() {
    for style in [Style::Plain, Style::None] {
        let (progress, err, out) = progress(style);
        copy_of_one_blob(&progress.listener("copy"));
        progress.finish(None);
        assert_eq!((text(&err), text(&out)), (String::new(), String::new()));
    }
}

#[test]
fn a_line_names_the_command() {
    let (progress, err, _) = progress(Style::Plain);
    let listener = progress.listener("copy");
    progress.tick();
    copy_of_one_blob(&listener);
    progress.tick();
    progress.finish(None);
    assert_eq!(text(&err), "copy: finding out what there is to do\ncopy: 1 of 1 blobs, 4 of 4 B\n");
}

#[test]
fn json_has_a_line_for_each_event_and_one_for_the_end() {
    for (error, last) in [(None, "finished"), (Some("no route".to_owned()), "failed")] {
        let (progress, err, out) = progress(Style::Json);
        copy_of_one_blob(&progress.listener("copy"));
        progress.finish(error);
        let events: Vec<String> = text(&err)
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|line| line["event"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(events, ["planned", "blob-started", "blob-advanced", "blob-done", last]);
        assert_eq!(text(&out), "");
    }
}

#[test]
fn a_long_wait_that_a_registry_asks_for_is_announced_once() {
    let (progress, err, _) = progress(Style::Plain);
    progress.begin("copy");
    progress.waiting(&asked(59));
    assert_eq!(text(&err), "");
    progress.waiting(&asked(120));
    progress.waiting(&asked(121));
    assert_eq!(text(&err).lines().count(), 1, "{}", text(&err));
    let expected =
        "registry.example asks to be left alone for 2m00s (429 Too Many Requests); the next try is at ";
    assert!(text(&err).starts_with(expected), "{}", text(&err));
    progress.waiting(&asked(600));
    assert_eq!(text(&err).lines().count(), 2);
    assert!(
        long_wait(&asked(120), UNIX_EPOCH).ends_with("the next try is at 1970/01/01 00:02:00 UTC"),
        "{}",
        long_wait(&asked(120), UNIX_EPOCH)
    );
}

#[test]
fn the_time_that_was_waited_is_told_at_the_end_if_it_was_long() {
    for (begun, expected) in [(2, ""), (70, "copy: waited 1m10s for registries in all\n")] {
        let (progress, err, _) = progress(Style::None);
        progress.begin("copy");
        // As if it had been over by now.
        progress.state().tally.waiting("registry.example", Duration::from_secs(begun), Duration::ZERO);
        progress.end_at(Duration::from_secs(begun + 1), None);
        assert_eq!(text(&err), expected);
    }
}

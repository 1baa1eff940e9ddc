use std::sync::Arc;

use super::table::Column;
use super::*;

/// A stream that a test can look into.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that fails.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn presentation(mode: Mode) -> Presentation {
    Presentation { mode, ..Presentation::preliminary() }
}

/// What stands on stdout and stderr after `say`.
fn said(presentation: Presentation, say: impl FnOnce(&Ui)) -> (String, String) {
    let (out, err) = (Captured::default(), Captured::default());
    let ui = Ui::new(presentation, out.clone(), err.clone());
    say(&ui);
    ui.finish().unwrap();
    (out.text(), err.text())
}

fn push(ui: &Ui) {
    for line in ["dir: .\n", "dir: .imgpkg\n", "file: .imgpkg/images.yml\n", "file: config.yml\n"] {
        ui.line(line);
    }
    ui.line("Pushed 'localhost:5001/spec/basic@sha256:5c2d'");
    ui.succeeded();
}

fn tag_list(ui: &Ui) {
    let table = Table {
        title: "Tags",
        content: "tags",
        columns: vec![Column { title: "Name", hidden: false }, Column { title: "Digest", hidden: false }],
        rows: vec![vec!["v1".to_owned(), "sha256:5c2d".to_owned()]],
    };
    ui.table(&table).unwrap();
    ui.succeeded();
}

fn version(ui: &Ui) {
    ui.block("imgpkg version 0.1.0\n");
    ui.succeeded();
}

fn resolve(ui: &Ui) {
    ui.block("localhost:5001/spec/basic@sha256:5c2d");
    ui.succeeded();
}

const PUSHED: &str = "dir: .\ndir: .imgpkg\nfile: .imgpkg/images.yml\nfile: config.yml\n\
                      Pushed 'localhost:5001/spec/basic@sha256:5c2d'\nSucceeded\n";

#[test]
fn push_on_a_terminal_lists_what_it_packs_and_where_it_went() {
    assert_eq!(said(presentation(Mode::Terminal), push), (PUSHED.to_owned(), String::new()));
}

#[test]
fn push_off_a_terminal_says_nothing() {
    assert_eq!(said(presentation(Mode::Plain), push), (String::new(), String::new()));
}

#[test]
fn push_in_json_has_its_lines() {
    let expected = r#"{
    "Tables": null,
    "Blocks": null,
    "Lines": [
        "dir: .\n",
        "dir: .imgpkg\n",
        "file: .imgpkg/images.yml\n",
        "file: config.yml\n",
        "Pushed 'localhost:5001/spec/basic@sha256:5c2d'",
        "Succeeded"
    ]
}"#;
    assert_eq!(said(presentation(Mode::Json), push).0, expected);
}

#[test]
fn a_tag_list_on_a_terminal_is_set_apart_from_succeeded() {
    let expected = "Tags\n\nName  Digest  \nv1    sha256:5c2d  \n\n1 tags\n\nSucceeded\n";
    assert_eq!(said(presentation(Mode::Terminal), tag_list).0, expected);
}

#[test]
fn a_tag_list_off_a_terminal_is_rows_only() {
    assert_eq!(said(presentation(Mode::Plain), tag_list).0, "v1\tsha256:5c2d\t\n");
}

#[test]
fn a_tag_list_in_json_is_a_table() {
    let expected = r#"{
    "Tables": [
        {
            "Content": "tags",
            "Header": {
                "digest": "Digest",
                "name": "Name"
            },
            "Rows": [
                {
                    "digest": "sha256:5c2d",
                    "name": "v1"
                }
            ],
            "Notes": null
        }
    ],
    "Blocks": null,
    "Lines": [
        "Succeeded"
    ]
}"#;
    assert_eq!(said(presentation(Mode::Json), tag_list).0, expected);
}

#[test]
fn a_block_is_shown_in_every_mode() {
    assert_eq!(said(presentation(Mode::Terminal), version).0, "imgpkg version 0.1.0\n\nSucceeded\n");
    assert_eq!(said(presentation(Mode::Plain), version).0, "imgpkg version 0.1.0\n");
    let json = said(presentation(Mode::Json), version).0;
    assert!(json.contains("\"Blocks\": [\n        \"imgpkg version 0.1.0\\n\"\n    ]"), "{json}");
}

#[test]
fn a_resolved_tag_has_no_newline_off_a_terminal() {
    let reference = "localhost:5001/spec/basic@sha256:5c2d";
    assert_eq!(said(presentation(Mode::Plain), resolve).0, reference);
    assert_eq!(said(presentation(Mode::Terminal), resolve).0, format!("{reference}\nSucceeded\n"));
}

#[test]
fn an_error_goes_to_stderr_and_ends_what_stands_on_stdout() {
    let fail = |ui: &Ui| {
        ui.line("copy | exporting 2 images...\n");
        ui.error(&io::Error::other("Copying bundle: Fetching image: EOF"));
    };
    let error = "imgpkg: Error: Copying bundle:\n  Fetching image:\n    EOF\n".to_owned();
    let before = "copy | exporting 2 images...\n\n".to_owned();
    assert_eq!(said(presentation(Mode::Terminal), fail), (before, error.clone()));
    assert_eq!(said(presentation(Mode::Plain), fail), (String::new(), error));
}

#[test]
fn an_error_in_json_is_in_the_object_too() {
    let (out, err) = said(presentation(Mode::Json), |ui| {
        ui.line("one\n");
        ui.error(&io::Error::other("Reading 'x': Bad"));
    });
    assert_eq!(err, "imgpkg: Error: Reading 'x':\n  Bad\n");
    let lines =
        "\"Lines\": [\n        \"one\\n\",\n        \"imgpkg: Error: Reading 'x':\\n  Bad\"\n    ]\n}";
    assert!(out.ends_with(lines), "{out}");
}

#[test]
fn an_error_is_red_where_there_is_colour() {
    let coloured = Presentation { colour: true, ..presentation(Mode::Terminal) };
    let (_, err) = said(coloured, |ui| ui.error(&io::Error::other("no")));
    assert_eq!(err, "\x1b[31mimgpkg: Error: no\x1b[0m\n");
}

#[test]
fn warnings_are_lines_where_lines_are_shown_and_go_to_stderr_elsewhere() {
    let warn = |ui: &Ui| ui.warning("copy | Warning: skipped\n");
    let warning = "copy | Warning: skipped\n".to_owned();
    assert_eq!(said(presentation(Mode::Terminal), warn), (warning.clone(), String::new()));
    assert_eq!(said(presentation(Mode::Plain), warn), (String::new(), warning));
    assert!(said(presentation(Mode::Json), warn).0.contains("copy | Warning: skipped\\n"));
}

#[test]
fn notes_go_to_stderr_unless_quiet() {
    let note = |ui: &Ui| ui.note("12 of 40 blobs");
    assert_eq!(said(presentation(Mode::Plain), note), (String::new(), "12 of 40 blobs\n".to_owned()));
    let quiet = Presentation { quiet: true, ..presentation(Mode::Plain) };
    assert_eq!(said(quiet, note), (String::new(), String::new()));
}

#[test]
fn a_reader_that_went_away_is_no_error_and_a_full_disk_is_one() {
    let gone = Ui::new(presentation(Mode::Terminal), Broken(io::ErrorKind::BrokenPipe), io::sink());
    version(&gone);
    assert!(gone.finish().is_ok());
    let full = Ui::new(presentation(Mode::Terminal), Broken(io::ErrorKind::StorageFull), io::sink());
    version(&full);
    assert_eq!(full.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
}

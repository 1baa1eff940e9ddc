//! `imgpkg serve`, as a user starts and stops it.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use imgpkg_testkit::{Image, Registry, Tool};

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

fn start(imgpkg: &Tool, arguments: &[&str]) -> (Child, String) {
    let all: Vec<_> = ["serve", "--listen", "127.0.0.1:0"].iter().chain(arguments).copied().collect();
    let mut child = imgpkg.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim_end().strip_prefix("Listening on ").expect("the address").to_owned())
}

/// Ends it as a service manager does, and returns its exit code.
fn terminate(mut child: Child) -> Option<i32> {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn it_ends_cleanly_when_told_to_and_takes_its_temporary_directory_along() {
    let imgpkg = imgpkg();
    let temporary = tempfile::tempdir().unwrap();
    let imgpkg = imgpkg.with_env("TMPDIR", temporary.path().to_str().unwrap());
    let (child, _) = start(&imgpkg, &[]);
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1);
    assert_eq!(terminate(child), Some(0));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn what_is_in_a_directory_is_there_after_a_restart() {
    let imgpkg = imgpkg();
    let directory = imgpkg.home().join("storage");
    let storage = directory.to_str().unwrap().to_owned();
    let content = tempfile::tempdir().unwrap();
    std::fs::write(content.path().join("f1"), "one\n").unwrap();
    let (child, address) = start(&imgpkg, &["--dir", &storage]);
    let reference = format!("{address}/apps/one:v1");
    imgpkg.run(&["push", "-i", &reference, "-f", content.path().to_str().unwrap()]).success();
    assert_eq!(terminate(child), Some(0));
    let (child, address) = start(&imgpkg, &["--dir", &storage, "--read-only"]);
    let resolved = imgpkg.run(&["tag", "resolve", "-i", &format!("{address}/apps/one:v1")]).success();
    assert!(resolved.stdout.ends_with("97a2bd063f8f806a4ac1fa740551b556a894ff778b4831a3718b4726615902e5"));
    let refused = imgpkg.run(&[
        "push",
        "-i",
        &format!("{address}/apps/two:v1"),
        "-f",
        content.path().to_str().unwrap(),
    ]);
    assert!(refused.failure().stderr.contains("UNSUPPORTED"));
    assert_eq!(terminate(child), Some(0));
}

#[test]
fn a_directory_has_one_server_at_a_time() {
    let imgpkg = imgpkg();
    let directory = imgpkg.home().join("storage");
    let storage = directory.to_str().unwrap().to_owned();
    let (child, _) = start(&imgpkg, &["--dir", &storage]);
    let second = imgpkg.run(&["serve", "--listen", "127.0.0.1:0", "--dir", &storage]).failure();
    assert!(second.stderr.contains(&storage), "{}", second.stderr);
    assert_eq!(terminate(child), Some(0));
}

#[test]
fn an_address_that_others_can_reach_needs_a_decision() {
    let imgpkg = imgpkg();
    let ran = imgpkg.run(&["serve", "--listen", "0.0.0.0:0"]).failure();
    assert!(
        ran.stderr.contains("--read-only") && ran.stderr.contains("--allow-anonymous-writes"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_port_in_use_is_said_to_be_in_use() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let ran = imgpkg.run(&["serve", "--listen", registry.address()]).failure();
    assert!(ran.stderr.contains(registry.address()) && ran.stderr.contains("in use"), "{}", ran.stderr);
}

#[test]
fn another_users_client_can_read_and_write() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = Image::of_files(&[("a", b"a")]);
    let digest = image.push(&registry, "deep/er/name/app", "v1");
    assert!(registry.has_manifest("deep/er/name/app", digest.as_str()));
    assert_eq!(registry.tags("deep/er/name/app"), ["v1"]);
}

#[test]
fn the_first_line_says_where_it_listens_and_nothing_else_is_on_stdout() {
    let imgpkg = imgpkg();
    let mut child = imgpkg
        .command(&["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("Listening on 127.0.0.1:"), "{line}");
    assert_eq!(terminate(child), Some(0));
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn with_json_too_the_address_is_all_that_is_on_stdout() {
    let imgpkg = imgpkg();
    let (mut child, _) = start(&imgpkg, &["--json"]);
    let mut stdout = child.stdout.take().unwrap();
    assert_eq!(terminate(child), Some(0));
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn a_file_is_no_directory_to_serve() {
    let imgpkg = imgpkg();
    let file = imgpkg.home().join("file");
    std::fs::write(&file, "x").unwrap();
    let ran = imgpkg.run(&["serve", "--listen", "127.0.0.1:0", "--dir", file.to_str().unwrap()]).failure();
    assert!(ran.stderr.contains(&format!("{} is not a directory (hint: ", file.display())), "{}", ran.stderr);
}

#[test]
fn failures_of_the_storage_are_told_on_stderr() {
    let imgpkg = imgpkg();
    let directory = imgpkg.home().join("storage");
    let (mut child, address) = start(&imgpkg, &["--dir", directory.to_str().unwrap()]);
    std::fs::remove_dir(directory.join("uploads")).unwrap();
    std::fs::create_dir(imgpkg.home().join("content")).unwrap();
    std::fs::write(imgpkg.home().join("content/file"), "one\n").unwrap();
    let reference = format!("{address}/apps/one:v1");
    let arguments = ["push", "-i", &reference, "-f", "content", "--registry-retry-count", "1"];
    imgpkg.run_in(imgpkg.home(), &arguments).failure();
    let mut stderr = child.stderr.take().unwrap();
    assert_eq!(terminate(child), Some(0));
    let mut told = String::new();
    stderr.read_to_string(&mut told).unwrap();
    let expected = "imgpkg serve: POST /v2/apps/one/blobs/uploads/";
    assert!(told.contains(expected), "{told}");
    assert!(told.contains("the storage failed: no such file or directory"), "{told}");
}

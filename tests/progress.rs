//! What a command says about its way: before it begins, while it works, and when it fails.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use imgpkg_testkit::{
    BundleDirectory, Fault, FaultProxy, Image, Link, NestedBundle, Ran, Registry, Tool, noise,
    peer_is_missing,
};
use serde_json::Value;

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

/// A bundle whose images and blobs are all in one repository, by way of a proxy.
struct Source {
    imgpkg: Tool,
    proxy: FaultProxy,
    bundle: NestedBundle,
    _registry: Registry,
}

impl Source {
    fn new(seed: u64) -> Self {
        let imgpkg = imgpkg();
        let registry = Registry::embedded(&imgpkg);
        let bundle = NestedBundle::push(&imgpkg, &registry, seed);
        let proxy = FaultProxy::before(&registry, Vec::new());
        Self { imgpkg, proxy, bundle, _registry: registry }
    }

    /// Does the text begin with the size of all layers, in MiB? All but the large one have less than one and a half.
    fn is_size_of_all(&self, text: &str) -> bool {
        let (number, rest) = text.split_once(' ').unwrap();
        let large = self.bundle.large.1 as f64 / 1_048_576.0;
        rest.starts_with("MiB") && (large..large + 1.5).contains(&number.parse().unwrap())
    }

    fn reference(&self) -> String {
        self.proxy.reference(&format!("{}:{}", self.bundle.repository, NestedBundle::TAG))
    }

    fn tar(&self, name: &str) -> PathBuf {
        self.imgpkg.home().join(name)
    }

    fn to_tar(&self, tar: &Path, flags: &[&str]) -> Ran {
        self.imgpkg.run(&self.arguments(tar, flags).iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn arguments(&self, tar: &Path, flags: &[&str]) -> Vec<String> {
        let arguments = ["copy", "-b", &self.reference(), "--to-tar", tar.to_str().unwrap()];
        arguments.iter().chain(flags).map(|&argument| argument.to_owned()).collect()
    }
}

/// The files in a directory whose names begin like this.
fn files(directory: &Path, start: &str) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(start)).collect();
    names.sort();
    names
}

/// The value of a line of the plan.
#[track_caller]
fn line<'a>(plan: &'a str, name: &str) -> &'a str {
    let line = plan.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {plan}")).trim_start()
}

#[test]
fn a_dry_run_to_a_tar_writes_nothing_and_foretells_its_size_and_the_requests() {
    let source = Source::new(1);
    let tar = source.tar("x.tar");
    let ran = source.to_tar(&tar, &["--dry-run"]).success();
    assert!(files(source.imgpkg.home(), "x.tar").is_empty());
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.starts_with("Would copy 5 images to '"), "{}", ran.stdout);
    let to_fetch = line(&ran.stdout, "to fetch").strip_prefix("7 layers, ").unwrap();
    assert!(source.is_size_of_all(to_fetch), "{}", ran.stdout);
    assert_eq!(line(&ran.stdout, "already there"), "0 layers, 0 B");
    source.proxy.forget();
    source.to_tar(&tar, &[]).success();
    let size = std::fs::metadata(&tar).unwrap().len() as f64 / 1_048_576.0;
    assert_eq!(line(&ran.stdout, "size of tar"), format!("{size:.1} MiB"));
    // The proxy does not see the attempt to speak TLS to it.
    let requests = source.proxy.seen().len() + 1;
    assert_eq!(line(&ran.stdout, "requests"), format!("about {requests}"));
}

#[test]
fn a_dry_run_to_a_repository_asks_and_writes_nothing() {
    let source = Source::new(2);
    let destination = Registry::embedded(&source.imgpkg);
    let proxy = FaultProxy::before(&destination, Vec::new());
    let to = proxy.reference("dst/bundle");
    let from = source.reference();
    let dry = ["copy", "-b", &from, "--to-repo", &to, "--dry-run"];
    let ran = source.imgpkg.run(&dry).success();
    assert!(
        proxy.seen().iter().all(|seen| matches!(seen.method.as_str(), "GET" | "HEAD")),
        "{:?}",
        proxy.seen()
    );
    assert!(destination.tags("dst/bundle").is_empty());
    let foretold: usize = line(&ran.stdout, "requests").strip_prefix("about ").unwrap().parse().unwrap();
    source.proxy.forget();
    proxy.forget();
    source.imgpkg.run(&dry[..dry.len() - 1]).success();
    let requests = source.proxy.seen().len() + proxy.seen().len();
    assert!(foretold.abs_diff(requests) * 5 <= requests, "foretold {foretold}, made {requests}");
    let again = source.imgpkg.run(&dry).success();
    assert_eq!(line(&again.stdout, "to fetch"), "0 blobs, 0 B");
    assert_eq!(line(&again.stdout, "to send"), "0 blobs, 0 B");
    let sent = line(&ran.stdout, "to send").strip_suffix(", at most").unwrap().to_owned();
    assert_eq!(line(&again.stdout, "already there"), sent);
    assert_eq!(again.stdout.matches(" (already there)\n").count(), 5, "{}", again.stdout);
}

#[test]
fn a_dry_run_within_a_registry_mounts() {
    let source = Source::new(3);
    let (from, to) = (source.reference(), source.proxy.reference("dst/bundle"));
    let ran = source.imgpkg.run(&["copy", "-b", &from, "--to-repo", &to, "--dry-run"]).success();
    assert!(line(&ran.stdout, "to mount").starts_with("13 blobs, "), "{}", ran.stdout);
    assert_eq!(line(&ran.stdout, "to send"), "0 blobs, 0 B");
}

#[test]
fn a_plan_is_a_block_in_the_json_document() {
    let source = Source::new(4);
    let plain = source.to_tar(&source.tar("x.tar"), &["--dry-run"]).success().stdout;
    let ran = source.to_tar(&source.tar("x.tar"), &["--dry-run", "--json"]).success();
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["Blocks"], serde_json::json!([plain]));
}

/// The objects on stderr, all of whose lines have to be such.
#[track_caller]
fn events(ran: &Ran) -> Vec<Value> {
    let parsed =
        ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")));
    parsed.collect()
}

fn of<'a>(events: &'a [Value], name: &'a str) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(move |event| event["event"] == name)
}

fn sum<'a>(events: impl Iterator<Item = &'a Value>) -> u64 {
    events.map(|event| event["bytes"].as_u64().unwrap()).sum()
}

#[test]
fn json_lines_add_up_to_the_plan() {
    let source = Source::new(5);
    let destination = Registry::embedded(&source.imgpkg);
    let (from, to) = (source.reference(), destination.reference("dst/bundle"));
    let ran = source.imgpkg.run(&["copy", "-b", &from, "--to-repo", &to, "--progress", "json"]).success();
    assert_eq!(ran.stdout, "");
    let events = events(&ran);
    assert_eq!(events[0]["event"], "discovered");
    assert_eq!((&events[0]["images"], &events[0]["manifests"]), (&5.into(), &7.into()));
    let planned = of(&events, "planned").next().unwrap();
    let done: Vec<_> = of(&events, "blob-done").collect();
    assert_eq!(planned["blobs"], done.len());
    assert_eq!(planned["bytes"], sum(done.iter().copied()));
    assert_eq!(planned["bytes"], sum(of(&events, "blob-advanced")));
    assert_eq!(planned["manifests"], of(&events, "manifest-done").count());
    assert_eq!(
        of(&events, "tag-done").map(|event| &event["tag"]).collect::<Vec<_>>(),
        [&format!("{to}:1.0")]
    );
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["moved"]), (&"finished".into(), &planned["blobs"]));
    assert_eq!(last["bytes"], planned["bytes"]);
    let mut started = HashMap::new();
    for event in &events {
        assert_eq!(event["command"], "copy", "{event}");
        assert!(event["time"].is_number(), "{event}");
        let digest = event["digest"].as_str().unwrap_or_default().to_owned();
        match event["event"].as_str().unwrap() {
            "blob-started" => assert!(started.insert(digest, ()).is_none(), "{event}"),
            "blob-advanced" | "blob-done" => assert!(started.contains_key(&digest), "{event}"),
            _ => {}
        }
    }
}

#[test]
fn a_second_copy_within_a_registry_says_what_was_mounted_and_what_was_there() {
    let source = Source::new(6);
    let (from, to) = (source.reference(), source.proxy.reference("dst/bundle"));
    let run = || {
        events(&source.imgpkg.run(&["copy", "-b", &from, "--to-repo", &to, "--progress", "json"]).success())
    };
    let first = run();
    assert_eq!(of(&first, "blob-mounted").count(), 13);
    assert_eq!(of(&first, "blob-done").count(), 0);
    let second = run();
    let planned = of(&second, "planned").next().unwrap();
    assert_eq!((&planned["blobs"], &planned["present"]), (&0.into(), &5.into()));
}

#[test]
fn the_other_commands_that_move_blobs_tell_about_them_too() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("noise"), noise(7, 2_000_000)).unwrap();
    let content = directory.path().to_str().unwrap();
    let (reference, out) = (registry.reference("src/app:v1"), imgpkg.home().join("out"));
    let tar = imgpkg.home().join("x.tar");
    let runs: [&[&str]; 3] = [
        &["push", "-i", &reference, "-f", content],
        &["save", "-i", "app", "-f", content, "--to-tar", tar.to_str().unwrap()],
        &["pull", "-i", &reference, "-o", out.to_str().unwrap()],
    ];
    for arguments in runs {
        let events = events(&imgpkg.run(&[arguments, &["--progress", "json"]].concat()).success());
        let moved = sum(of(&events, "blob-advanced"));
        assert!((2_000_000..2_100_000).contains(&moved), "{arguments:?}: {moved}");
        assert_eq!(events.last().unwrap()["event"], "finished", "{arguments:?}");
        assert!(events.iter().all(|event| event["command"] == arguments[0]), "{arguments:?}");
    }
}

#[test]
fn a_failure_is_an_event_too_and_quiet_silences_all_of_them() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let nothing = registry.reference("src/nothing:v1");
    let arguments = ["copy", "-i", &nothing, "--to-repo", &registry.reference("dst/x"), "--progress", "json"];
    let ran = imgpkg.run(&arguments).failure();
    let (first, rest) = ran.stderr.split_once('\n').unwrap();
    let failed: Value = serde_json::from_str(first).unwrap();
    assert_eq!(failed["event"], "failed");
    assert!(failed["error"].as_str().unwrap().contains("src/nothing"), "{failed}");
    assert!(rest.starts_with("imgpkg: Error: "), "{rest}");
    let quiet = imgpkg.run(&[&arguments[..], &["--quiet"]].concat()).failure();
    assert_eq!(quiet.stderr, rest);
}

#[test]
fn a_run_that_ends_soon_says_nothing_on_stderr() {
    let source = Source::new(8);
    for flags in [&[][..], &["--progress", "plain"], &["--progress", "none"], &["--tty"]] {
        let ran = source.to_tar(&source.tar("x.tar"), flags).success();
        assert_eq!(ran.stderr, "", "{flags:?}");
    }
}

/// Two versions of a bundle in a repository: the second has one image more.
fn two_versions(imgpkg: &Tool, registry: &Registry) -> [String; 2] {
    let first = Image::of_files(&[("a", &noise(9, 300_000))]).push(registry, "src/bundle", "a");
    let second = Image::of_files(&[("b", &noise(10, 200_000))]).push(registry, "src/bundle", "b");
    let (first, second) = (first.to_string(), second.to_string());
    [("v1", vec![&first]), ("v2", vec![&first, &second])].map(|(tag, images)| {
        let images: Vec<_> =
            images.iter().map(|image| registry.reference(&format!("src/bundle@{image}"))).collect();
        let bundle = BundleDirectory::of_images(&images.iter().map(String::as_str).collect::<Vec<_>>());
        let reference = registry.reference(&format!("src/bundle:{tag}"));
        imgpkg.run(&["push", "-b", &reference, "-f", bundle.argument()]).success();
        format!("src/bundle:{tag}")
    })
}

#[test]
fn a_finished_tar_is_brought_up_to_the_next_version_with_the_layers_it_has() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let [first, second] = two_versions(&imgpkg, &registry);
    let proxy = FaultProxy::before(&registry, Vec::new());
    let path = |name: &str| imgpkg.home().join(name).to_str().unwrap().to_owned();
    let (tar, undisturbed) = (path("x.tar"), path("undisturbed.tar"));
    imgpkg.run(&["copy", "-b", &proxy.reference(&second), "--to-tar", &undisturbed]).success();
    imgpkg.run(&["copy", "-b", &proxy.reference(&first), "--to-tar", &tar]).success();

    let again = ["copy", "-b", &proxy.reference(&second), "--to-tar", &tar, "--resume"];
    let plan = imgpkg.run(&[&again[..], &["--dry-run"]].concat()).success().stdout;
    assert!(line(&plan, "already there").starts_with("1 layers, 30"), "{plan}");
    assert!(line(&plan, "to fetch").starts_with("2 layers, 20"), "{plan}");

    proxy.forget();
    let ran = imgpkg.run(&[&again[..], &["--tty"]].concat()).success();
    let expected = "copy | exported 3 images\ncopy | Going to reuse 1 layers from the tar already in disk\n\
                    copy | writing layers...\n";
    assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    assert!(std::fs::read(&tar).unwrap() == std::fs::read(&undisturbed).unwrap());
    let large: u64 = proxy.seen_of("GET", "/blobs/").iter().map(|seen| seen.received).sum();
    assert!((200_000..220_000).contains(&large), "only the new layer was fetched: {large}");
    assert_eq!(files(imgpkg.home(), "x.tar"), ["x.tar"]);
}

#[test]
fn what_is_no_tar_is_not_resumed_and_stays_as_it_is() {
    let source = Source::new(11);
    let tar = source.tar("x.tar");
    std::fs::write(&tar, "something else").unwrap();
    let ran = source.to_tar(&tar, &["--resume"]).failure();
    assert!(
        ran.stderr.contains(&format!("Reading previously created tar '{}'", tar.display())),
        "{}",
        ran.stderr
    );
    assert_eq!(std::fs::read_to_string(&tar).unwrap(), "something else");
}

#[test]
fn a_failed_run_says_what_it_leaves_and_the_next_one_that_it_is_used() {
    let source = Source::new(12);
    let (tar, undisturbed) = (source.tar("x.tar"), source.tar("undisturbed.tar"));
    source.to_tar(&undisturbed, &[]).success();
    let large = format!("/blobs/{}", source.bundle.large.0);
    source.proxy.set_faults(vec![Fault::on("GET", &large).always().cut_response(2_500_000)]);
    let ran = source.to_tar(&tar, &["--registry-retry-count", "0", "--concurrency", "1"]).failure();
    let partial = tar.with_added_extension("partial");
    let (_, hints) = ran.stderr.split_once("\nhint: '").unwrap();
    let amount = hints.strip_prefix(&format!("{}' has ", partial.display())).unwrap();
    let (kept, of_all) = amount.split_once(' ').unwrap();
    // What of the large layer came before the cut, and perhaps other layers before it.
    assert!((2.0..3.9).contains(&kept.parse::<f64>().unwrap()), "{hints}");
    assert!(source.is_size_of_all(of_all.strip_prefix("of ").unwrap()), "{hints}");
    assert!(
        hints.contains(
            " MiB of the layers; the same command again goes on from there\nhint: to drop that: rm "
        ),
        "{hints}"
    );
    assert!(hints.ends_with(&format!(" {0} {0}.journal\n", partial.display())), "{hints}");

    source.proxy.set_faults(Vec::new());
    let plan = source.to_tar(&tar, &["--dry-run"]).success().stdout;
    assert!(line(&plan, "to fetch").ends_with(" MiB of which are on the disk already"), "{plan}");
    source.proxy.forget();
    let ran = source.to_tar(&tar, &["--tty"]).success();
    assert!(!ran.stderr.contains("hint: "), "{}", ran.stderr);
    assert!(source.proxy.seen_of("GET", &large)[0].range.is_some());
    assert!(std::fs::read(&tar).unwrap() == std::fs::read(&undisturbed).unwrap());
    assert_eq!(files(source.imgpkg.home(), "x.tar"), ["x.tar"]);
}

#[test]
fn whole_layers_of_an_unfinished_tar_are_announced_without_resume_too() {
    let source = Source::new(13);
    let tar = source.tar("x.tar");
    // The large layer comes first, the others are still missing when one of them fails.
    let fault = Fault::on("GET", "/blobs/").nth(source_blobs(&source)).answer("404 Not Found", &[], "");
    source.proxy.set_faults(vec![fault]);
    let ran = source.to_tar(&tar, &["--concurrency", "1"]).failure();
    assert!(ran.stderr.contains("\nhint: "), "{}", ran.stderr);
    source.proxy.set_faults(Vec::new());
    let ran = source.to_tar(&tar, &["--tty"]).success();
    let (_, reused) =
        ran.stdout.split_once("copy | Going to reuse ").unwrap_or_else(|| panic!("{}", ran.stdout));
    let (count, rest) = reused.split_once(' ').unwrap();
    assert!(
        rest.starts_with("layers from the tar already in disk\ncopy | writing layers...\n"),
        "{}",
        ran.stdout
    );
    // The two layers of the bundles need not be fetched, so they may come before or after the one that failed.
    assert!((4..=6).contains(&count.parse::<usize>().unwrap()), "{}", ran.stdout);
}

/// How many blobs an undisturbed copy to a tar asks for.
fn source_blobs(source: &Source) -> usize {
    source.proxy.forget();
    source.to_tar(&source.tar("undisturbed.tar"), &["--concurrency", "1"]).success();
    source.proxy.count("GET", "/blobs/")
}

#[test]
fn an_interrupted_run_says_what_it_leaves() {
    let source = Source::new(14);
    let tar = source.tar("x.tar");
    source.proxy.set_link(Link { bytes_per_second: Some(1_500_000), ..Link::default() });
    let arguments = source.arguments(&tar, &[]);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let child =
        source.imgpkg.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let journal = tar.with_added_extension("partial.journal");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !std::fs::read_to_string(&journal).unwrap_or_default().contains("\nhave ") {
        assert!(Instant::now() < deadline, "no layer was begun");
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(143), "{stderr}");
    let expected = format!("imgpkg: Error: interrupted\nhint: '{}.partial' has ", tar.display());
    assert!(stderr.starts_with(&expected), "{stderr}");
}

#[test]
fn the_time_spent_waiting_for_a_registry_is_told_at_the_end() {
    let source = Source::new(17);
    let busy = Fault::on("GET", "/manifests/").answer("429 Too Many Requests", &[("Retry-After", "3")], "");
    source.proxy.set_faults(vec![busy.clone()]);
    let ran = source.to_tar(&source.tar("x.tar"), &[]).success();
    assert_eq!(ran.stderr, "copy: waited 3s for registries in all\n");
    source.proxy.set_faults(vec![busy]);
    let ran = source.to_tar(&source.tar("y.tar"), &["--progress", "json"]).success();
    let events = events(&ran);
    let waiting = of(&events, "waiting").next().unwrap();
    assert_eq!((&waiting["host"], &waiting["seconds"]), (&source.proxy.address().into(), &3.0.into()));
    assert!(events.last().unwrap()["waited"].as_f64().unwrap() >= 3.0, "{events:?}");
}

#[test]
fn a_failure_without_anything_to_go_on_with_has_no_hint() {
    let source = Source::new(15);
    let tar = source.tar("x.tar");
    source.proxy.set_faults(vec![Fault::on("GET", "/manifests/").always().answer("404 Not Found", &[], "")]);
    let ran = source.to_tar(&tar, &[]).failure();
    assert!(!ran.stderr.contains("hint: '"), "{}", ran.stderr);
    assert!(files(source.imgpkg.home(), "x.tar").is_empty());
}

#[test]
fn bars_on_a_terminal_leave_the_lines_whole() {
    if peer_is_missing("bars_on_a_terminal_leave_the_lines_whole", "script") {
        return;
    }
    let source = Source::new(16);
    source.proxy.set_link(Link { bytes_per_second: Some(6_000_000), ..Link::default() });
    let tar = source.tar("x.tar");
    let command =
        format!("{} copy -b {} --to-tar {}", env!("CARGO_BIN_EXE_imgpkg"), source.reference(), tar.display());
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).env("TERM", "xterm").env("HOME", source.imgpkg.home());
    let ran = Ran::of(script.stdin(Stdio::null())).success();
    assert!(ran.stdout.contains("copy ["), "no bar: {:?}", ran.stdout);
    assert!(ran.stdout.contains(" MiB"), "{:?}", ran.stdout);
    // A line begins where the cursor was put, after the bars were wiped, and ends before they are drawn again.
    for line in ["copy | exported 5 images\r\n", "copy | writing layers...\r\n", "\r\nSucceeded\r\n"] {
        assert!(ran.stdout.contains(line), "{line:?}: {:?}", ran.stdout);
    }
    let after = ran.stdout.rsplit("Succeeded\r\n").next().unwrap();
    assert!(!after.contains("copy ["), "{after:?}");
}

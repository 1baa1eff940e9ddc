//! `kill -9` at any moment, then the same command again: it comes to the same end as a run that nothing disturbed, does
//! not fetch or send again what it had, and what the killed run left never looks like something whole.
//!
//! The moments are spread over the time that an undisturbed run takes, at random but always the same. A slow link makes
//! that time long enough for them to differ. Eight moments a job are tried by default, fifty with
//! `cargo test -p imgpkg --test kill -- --ignored --nocapture`, which prints what the kills hit.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use imgpkg_testkit::{FaultProxy, Job, Link, Made, NestedBundle, Scene, Stage, Tool};

const FEW: u32 = 8;
const MANY: u32 = 50;

const SLOW: Link = Link { delay: Duration::from_millis(8), bytes_per_second: Some(10_000_000) };

/// What the kills of one job hit.
#[derive(Debug, Default)]
struct Tally {
    /// Runs that were still running when they were killed.
    killed: u32,
    /// Runs after these that asked for a part of a layer, because they had the rest.
    continued_inside_a_layer: u32,
    /// Runs after these that found some of the layers there.
    found_layers: u32,
    /// Runs whose tag was there already when they were killed.
    tagged: u32,
}

fn stage() -> Stage {
    Stage::new(Tool::new(env!("CARGO_BIN_EXE_imgpkg")))
}

fn set_link(scene: &Scene<'_>, link: Link) {
    scene.source.set_link(link);
    scene.destination.set_link(link);
}

fn forget(scene: &Scene<'_>) {
    scene.source.forget();
    scene.destination.forget();
}

fn start(scene: &Scene<'_>, job: Job, name: &str, flags: &[&str]) -> Child {
    scene.command(job, name, flags).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Ends it as a crash would. True if it was still running.
fn kill(mut child: Child) -> bool {
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

/// How long a job takes over the slow link.
fn duration(scene: &Scene<'_>, job: Job) -> Duration {
    set_link(scene, SLOW);
    let started = Instant::now();
    scene.run(job, "measured", &[]).success();
    let duration = started.elapsed();
    forget(scene);
    duration
}

/// Moments within `duration`, one in each of as many equal parts.
fn moments(duration: Duration, count: u32) -> impl Iterator<Item = Duration> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..count).map(move |part| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let within = (state >> 11) as f64 / (1u64 << 53) as f64;
        duration.mul_f64((f64::from(part) + within) / f64::from(count))
    })
}

/// The blobs that the registry has said it has stored, by digest.
fn stored_blobs(proxy: &FaultProxy) -> BTreeSet<String> {
    let puts = proxy.seen_of("PUT", "digest=").into_iter();
    puts.filter(|seen| seen.status == 201).map(|seen| digest_in(&seen.target)).collect()
}

/// The hexadecimal part of the digest in a URL.
fn digest_in(target: &str) -> String {
    let at = target.find("sha256").unwrap() + "sha256".len();
    target[at..].trim_start_matches(":").trim_start_matches("%3A").chars().take(64).collect()
}

/// Kills a job at every moment, does it again to its end, and compares.
fn survives(job: Job, count: u32, flags_of: fn(u32) -> &'static [&'static str]) -> Tally {
    let stage = stage();
    let scene = stage.scene();
    let expected = scene.undisturbed(job);
    let duration = duration(&scene, job);
    let mut tally = Tally::default();
    for (number, moment) in moments(duration, count).enumerate() {
        let (name, flags) = (format!("killed{number}"), flags_of(number as u32));
        set_link(&scene, SLOW);
        let child = start(&scene, job, &name, flags);
        thread::sleep(moment);
        tally.killed += u32::from(kill(child));
        let is_tagged = looks_whole_only_if_it_is(&scene, job, &name, &expected);
        tally.tagged += u32::from(is_tagged);
        let stored = stored_blobs(&scene.destination);
        forget(&scene);
        set_link(&scene, Link::default());
        scene.run(job, &name, flags).success();
        scene.made(job, &name).assert_is(&expected);
        match job {
            Job::ToTar => {
                let layers = layers_fetched(&scene, &stage);
                tally.found_layers += u32::from(layers < stage.bundle().layers && !is_tagged);
                let parts = scene.source.seen().iter().filter(|seen| seen.range.is_some()).count();
                tally.continued_inside_a_layer += u32::from(parts > 0);
                assert_eq!(left_over(&scene), Vec::<String>::new(), "after {moment:?}");
            }
            Job::Pull => assert_eq!(left_over(&scene), Vec::<String>::new(), "after {moment:?}"),
            _ => {
                let again = stored_blobs(&scene.destination);
                let twice: Vec<_> = again.intersection(&stored).collect();
                assert!(twice.is_empty(), "after {moment:?} sent again: {twice:?}");
                tally.found_layers += u32::from(!stored.is_empty());
            }
        }
        forget(&scene);
    }
    println!("{job:?}: {tally:?} of {count}, over {duration:?}");
    assert!(tally.killed * 10 >= count * 6, "most runs were over before they were killed: {tally:?}");
    tally
}

/// What is beside the archives and directories that were to be made.
fn left_over(scene: &Scene<'_>) -> Vec<String> {
    let mut files = scene.files();
    files.retain(|file| {
        let is_killed = |number: &str| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        !(["undisturbed", "measured"].contains(&file.as_str())
            || file.strip_prefix("killed").is_some_and(is_killed))
    });
    files
}

/// How many different layers, or parts of them, were fetched. Configurations are always.
fn layers_fetched(scene: &Scene<'_>, stage: &Stage) -> usize {
    let Made::Archive(archive) = scene.made(Job::ToTar, "measured") else { panic!("no archive") };
    let mut entries = tar::Archive::new(archive.as_slice());
    let names: BTreeSet<_> = entries
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().to_str().unwrap().to_owned())
        .filter_map(|name| Some(name.strip_prefix("sha256-")?.strip_suffix(".tar.gz")?.to_owned()))
        .collect();
    assert_eq!(names.len(), stage.bundle().layers);
    let fetched: BTreeSet<_> =
        scene.source.seen_of("GET", "/blobs/").iter().map(|seen| digest_in(&seen.target)).collect();
    fetched.intersection(&names).count()
}

/// What a killed run left is whole, or nobody takes it for that. True if it is whole.
fn looks_whole_only_if_it_is(scene: &Scene<'_>, job: Job, name: &str, expected: &Made) -> bool {
    // That everything below a tag is there is checked when the repository is looked at.
    match scene.made(job, name) {
        Made::Repository(here) => {
            let tagged = here.tags.contains_key(NestedBundle::TAG);
            if tagged {
                Made::Repository(here).assert_is(expected);
            }
            tagged
        }
        Made::Nothing => false,
        made => {
            made.assert_is(expected);
            true
        }
    }
}

fn with_and_without_resume(number: u32) -> &'static [&'static str] {
    if number.is_multiple_of(2) { &[] } else { &["--resume"] }
}

#[test]
fn a_copy_to_a_tar_survives_being_killed() {
    let tally = survives(Job::ToTar, FEW, with_and_without_resume);
    assert!(tally.found_layers > 0, "{tally:?}");
}

#[test]
fn a_copy_from_a_tar_survives_being_killed() {
    let tally = survives(Job::FromTar, FEW, |_| &[]);
    assert!(tally.found_layers > 0, "{tally:?}");
}

#[test]
fn a_copy_between_registries_survives_being_killed() {
    let tally = survives(Job::Between, FEW, |_| &[]);
    assert!(tally.found_layers > 0, "{tally:?}");
}

#[test]
fn a_pull_survives_being_killed() {
    survives(Job::Pull, FEW / 2, |_| &[]);
}

#[test]
fn a_copy_to_a_tar_that_is_killed_again_and_again_comes_to_its_end() {
    let stage = stage();
    let scene = stage.scene();
    let expected = scene.undisturbed(Job::ToTar);
    let moment = duration(&scene, Job::ToTar).mul_f64(0.7);
    let mut runs = 1;
    loop {
        let mut child = start(&scene, Job::ToTar, "killed", &[]);
        thread::sleep(moment);
        if child.try_wait().unwrap().is_some_and(|status| status.success()) {
            break;
        }
        kill(child);
        runs += 1;
        assert!(runs < 10, "no run gets any further than the one before");
    }
    assert!(runs > 1, "it was never killed");
    scene.made(Job::ToTar, "killed").assert_is(&expected);
}

#[test]
#[ignore = "takes more than a minute: all jobs, killed at fifty moments each"]
fn fifty_kills_each_are_survived() {
    thread::scope(|scope| {
        scope.spawn(|| survives(Job::ToTar, MANY, with_and_without_resume));
        scope.spawn(|| survives(Job::FromTar, MANY, |_| &[]));
        scope.spawn(|| survives(Job::Between, MANY, |_| &[]));
        scope.spawn(|| survives(Job::Pull, MANY, |_| &[]));
    });
}

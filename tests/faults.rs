//! Everything that can go wrong between a registry and its client, done on purpose, in both directions: either the copy
//! comes to the same end as an undisturbed one, or it says clearly why not, leaves nothing that looks whole, and the next
//! run goes on from there.
//!
//! The client waits a second before it repeats something, and twice as long the next time. The cases of one test run at
//! the same time, so that these seconds do not add up.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "faults/lasting.rs"]
mod lasting;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use imgpkg_testkit::{Fault, Job, Link, Scene, Seen, Stage, Tool};

/// A stalled body is given up after this time; the proxy would let it stand still for longer.
const IMPATIENT: &[&str] = &["--registry-response-header-timeout", "1s"];
const LONG: Duration = Duration::from_secs(4);

fn stage() -> Stage {
    Stage::new(Tool::new(env!("CARGO_BIN_EXE_imgpkg")))
}

/// One thing that goes wrong.
struct Case {
    name: &'static str,
    source: Vec<Fault>,
    destination: Vec<Fault>,
    flags: &'static [&'static str],
    /// What else must hold of the requests to the disturbed side.
    holds: fn(&[Seen]),
}

impl Case {
    fn reading(name: &'static str, faults: Vec<Fault>) -> Self {
        Self { name, source: faults, destination: Vec::new(), flags: &[], holds: |_| {} }
    }

    fn writing(name: &'static str, faults: Vec<Fault>) -> Self {
        Self { destination: faults, ..Self::reading(name, Vec::new()) }
    }

    fn impatient(self) -> Self {
        Self { flags: IMPATIENT, ..self }
    }

    fn holds(self, holds: fn(&[Seen])) -> Self {
        Self { holds, ..self }
    }

    fn survive(&self, scene: &Scene<'_>, job: Job) {
        let expected = scene.undisturbed(job);
        scene.source.set_faults(self.source.clone());
        scene.destination.set_faults(self.destination.clone());
        scene.run(job, "disturbed", self.flags).success();
        scene.made(job, "disturbed").assert_is(&expected);
        for (faults, proxy) in [(&self.source, &scene.source), (&self.destination, &scene.destination)] {
            if !faults.is_empty() {
                assert!(proxy.disturbed() > 0, "nothing was disturbed: {:#?}", proxy.seen());
                (self.holds)(&proxy.seen());
            }
        }
    }
}

/// Does every job with every case, all at the same time.
fn survive(stage: &Stage, jobs: &[Job], cases: &[Case]) {
    thread::scope(|scope| {
        for (case, job) in cases.iter().flat_map(|case| jobs.iter().map(move |job| (case, *job))) {
            let named = thread::Builder::new().name(format!("{job:?}: {}", case.name));
            named.spawn_scoped(scope, move || case.survive(&stage.scene(), job)).unwrap();
        }
    });
}

/// The large layer was fetched in two requests, the second of which asked for the rest only.
fn is_continued(seen: &[Seen]) {
    let parts: Vec<_> = seen.iter().filter(|seen| seen.range.is_some()).collect();
    assert_eq!(parts.len(), 1, "{seen:#?}");
    let from: u64 = parts[0].range.as_ref().unwrap()["bytes=".len()..].trim_end_matches('-').parse().unwrap();
    assert!(from > 0, "{seen:#?}");
    let of_layer = seen.iter().filter(|seen| seen.target == parts[0].target);
    let received: u64 = of_layer.clone().map(|seen| seen.received).sum();
    assert_eq!(of_layer.count(), 2, "{seen:#?}");
    assert_eq!(received, from + parts[0].received, "{seen:#?}");
}

#[test]
fn a_download_that_breaks_goes_on_where_it_stopped() {
    let stage = stage();
    let large = stage.bundle().large.0.hex();
    let on = || Fault::on("GET", large);
    let cases = [
        Case::reading("cut", vec![on().cut_response(1_500_000)]).holds(is_continued),
        Case::reading("cut by somebody who corrects the length", vec![on().truncate(1_500_000)])
            .holds(is_continued),
        Case::reading("stalled", vec![on().stall_response(1_500_000, LONG)]).impatient(),
        Case::reading("cut again and again", vec![on().first(3).cut_response(700_000)]),
    ];
    survive(&stage, &[Job::ToTar, Job::Between, Job::Pull], &cases);
}

#[test]
fn a_registry_without_proper_ranges_is_read_all_the_same() {
    let stage = stage();
    let large = stage.bundle().large.0.hex();
    let cut = || Fault::on("GET", large).cut_response(1_500_000);
    let then = |fault: Fault| vec![cut(), fault];
    let ranged = || Fault::on("GET", large).ranged();
    let cases = [
        Case::reading("200 instead of 206", then(ranged().always().ignore_range())),
        Case::reading("416", then(ranged().always().answer("416 Range Not Satisfiable", &[], ""))),
        Case::reading("a range that begins too late", then(ranged().always().shift_range(1000))),
        Case::reading("a range that says it begins earlier", then(ranged().always().shift_range(-1000))),
    ];
    survive(&stage, &[Job::ToTar, Job::Between, Job::Pull], &cases);
}

#[test]
fn a_registry_that_is_busy_or_out_of_order_is_asked_again() {
    let stage = stage();
    let busy = |fault: Fault, headers| fault.answer("429 Too Many Requests", headers, "");
    let mut cases = vec![
        Case::reading("429 to everybody", vec![busy(Fault::on("GET", "/v2/").first(2), &[])]),
        Case::reading("429 at once", vec![busy(Fault::on("GET", "/blobs/"), &[("Retry-After", "0")])]),
        Case::reading(
            "429 for a second",
            vec![busy(Fault::on("GET", "/manifests/"), &[("Retry-After", "1")])],
        ),
    ];
    for status in [
        "408 Request Timeout",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        for part in ["/blobs/", "/manifests/"] {
            cases.push(Case::reading(status, vec![Fault::on("GET", part).answer(status, &[], "<html>")]));
        }
    }
    survive(&stage, &[Job::ToTar, Job::Pull], &cases);
}

#[test]
fn connections_that_close_and_headers_that_do_not_come_are_tried_again() {
    let stage = stage();
    let cases = [
        Case::reading("first contact", vec![Fault::on("GET", "/v2/").cut_request(0)]),
        Case::reading("a manifest's request", vec![Fault::on("GET", "/manifests/").cut_request(0)]),
        Case::reading("a manifest's answer", vec![Fault::on("GET", "/manifests/").cut_response(100)]),
        Case::reading("a blob's request", vec![Fault::on("GET", "/blobs/").first(2).cut_request(0)]),
        Case::reading("closed after an answer", vec![Fault::on("GET", "/").always().close_after()]),
        Case::reading("slow headers", vec![Fault::on("GET", "/blobs/").slow_head(LONG)]).impatient(),
        Case::reading("a manifest's slow headers", vec![Fault::on("GET", "/manifests/").slow_head(LONG)])
            .impatient(),
    ];
    survive(&stage, &[Job::ToTar, Job::Between, Job::Pull], &cases);
}

#[test]
fn bytes_that_were_damaged_on_their_way_are_fetched_again() {
    let stage = stage();
    let large = stage.bundle().large.0.hex();
    let cases = [
        Case::reading("a layer", vec![Fault::on("GET", large).flip_response(2_000_000)]),
        Case::reading("a small blob", vec![Fault::on("GET", "/blobs/").flip_response(10)]),
    ];
    survive(&stage, &[Job::ToTar, Job::Between, Job::Pull], &cases);
    let manifest = Fault::on("GET", "/manifests/sha256:").flip_response(20);
    survive(&stage, &[Job::ToTar, Job::Between], &[Case::reading("a manifest", vec![manifest])]);
}

#[test]
fn an_upload_that_breaks_comes_to_its_end() {
    let stage = stage();
    let on = |method| Fault::on(method, "/blobs/uploads/");
    let unknown =
        r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}"#;
    let cases = [
        Case::writing("cut while it is sent", vec![on("PATCH").cut_request(1_500_000)]),
        Case::writing("stalled while it is sent", vec![on("PATCH").stall_request(1_500_000, LONG)])
            .impatient(),
        Case::writing("cut before its answer", vec![on("PATCH").cut_response(0)]),
        Case::writing("out of order", vec![on("PATCH").answer("500 Internal Server Error", &[], "")]),
        Case::writing("closed before it is begun", vec![on("POST").first(2).cut_request(0)]),
        Case::writing(
            "busy when it is begun",
            vec![on("POST").first(3).answer("429 Too Many Requests", &[], "")],
        ),
        Case::writing("cut at its end", vec![on("PUT").first(2).cut_request(0)]),
        Case::writing("stored, but nobody said so", vec![on("PUT").first(2).cut_response(0)]),
        Case::writing("busy at its end", vec![on("PUT").first(3).answer("503 Service Unavailable", &[], "")]),
        Case::writing("forgotten", vec![on("PUT").answer("404 Not Found", &[], unknown)]),
        Case::writing("damaged on its way", vec![on("PATCH").flip_request(2_000_000)]),
        Case::writing("a small one damaged on its way", vec![on("PUT").flip_request(10)]),
        Case::writing("first contact cut", vec![Fault::on("GET", "/v2/").cut_request(0)]),
        Case::writing(
            "busy at first contact",
            vec![Fault::on("GET", "/v2/").answer("503 Service Unavailable", &[], "")],
        ),
        Case::writing("connections that close", vec![Fault::on("PUT", "/").always().close_after()]),
    ];
    survive(&stage, &[Job::FromTar, Job::Between], &cases);
}

#[test]
fn a_body_that_is_too_large_is_sent_in_parts() {
    let stage = stage();
    let too_large =
        Fault::on("PATCH", "/blobs/uploads/").answer_unread("413 Request Entity Too Large", &[], "no");
    let case = Case::writing("413", vec![too_large]).holds(|seen| {
        let parts: Vec<_> = seen.iter().filter(|seen| seen.method == "PATCH" && seen.status == 202).collect();
        assert!(parts.len() > 1 && parts.iter().all(|part| part.sent <= 4 * 1024 * 1024), "{parts:#?}");
    });
    survive(&stage, &[Job::FromTar, Job::Between], &[case]);
}

#[test]
fn manifests_that_are_not_taken_at_once_are_sent_again() {
    let stage = stage();
    let on = || Fault::on("PUT", "/manifests/");
    let checks = Fault::on("HEAD", "/manifests/").first(4).answer("503 Service Unavailable", &[], "");
    let cases = [
        Case::writing("busy", vec![on().first(3).answer("429 Too Many Requests", &[], "")]),
        Case::writing("out of order", vec![on().first(2).answer("500 Internal Server Error", &[], "")]),
        Case::writing("cut while it is sent", vec![on().cut_request(50)]),
        Case::writing("stored, but nobody said so", vec![on().first(2).cut_response(0)]),
        Case::writing("the existence checks", vec![checks]),
        Case::writing("slow headers", vec![on().slow_head(Duration::from_millis(1500))]),
    ];
    survive(&stage, &[Job::FromTar, Job::Between], &cases);
}

#[test]
fn a_blob_that_the_destination_has_lost_is_sent_again() {
    let stage = stage();
    for job in [Job::FromTar, Job::Between] {
        let scene = stage.scene();
        let expected = scene.undisturbed(job);
        let digest = stage.bundle().large.0.clone();
        let (address, repository) = (stage.destination().address().to_owned(), scene.repository("disturbed"));
        let path = format!("/v2/{repository}/blobs/{digest}");
        let request = format!("DELETE {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let loss = move || {
            let mut registry = TcpStream::connect(&address).unwrap();
            registry.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            registry.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
        };
        let tag = format!("/manifests/sha256-{}.imgpkg", stage.bundle().image.hex());
        scene.destination.set_faults(vec![Fault::on("PUT", &tag).meanwhile(loss)]);
        scene.run(job, "disturbed", &[]).success();
        scene.made(job, "disturbed").assert_is(&expected);
        let refused: Vec<_> = scene.destination.seen_of("PUT", &tag).iter().map(|seen| seen.status).collect();
        assert_eq!(refused, [404, 201], "{job:?}");
        let sent = scene.destination.seen_of("PUT", digest.hex()).len();
        assert_eq!(sent, 2, "{job:?}");
    }
}

#[test]
#[ignore = "passes, but about one time in six a request waits for all of its five minutes; why is not found yet"]
fn a_storm_is_survived() {
    let stage = stage();
    let storm = |seed| {
        let on = |method| Fault::on(method, "/");
        let busy = |method| {
            on(method).sometimes(6, seed).answer("429 Too Many Requests", &[("Retry-After", "0")], "")
        };
        let mut faults = vec![
            on("GET").sometimes(4, seed + 1).cut_response(300),
            on("PATCH").sometimes(30, seed + 2).cut_request(100_000),
            on("PUT").sometimes(4, seed + 3).cut_request(20),
            on("PUT").sometimes(4, seed + 4).cut_response(0),
            on("POST").sometimes(4, seed + 5).answer("502 Bad Gateway", &[], "<html>"),
        ];
        faults.extend(["GET", "HEAD", "POST", "PUT"].map(busy));
        faults
    };
    let cases =
        [10, 20, 30].map(|seed| Case { destination: storm(seed + 5), ..Case::reading("storm", storm(seed)) });
    survive(&stage, &[Job::Between], &cases);
}

#[test]
#[ignore = "takes more than a minute: the registries are away for that long"]
fn an_outage_of_a_minute_is_survived() {
    let stage = stage();
    thread::scope(|scope| {
        for job in [Job::ToTar, Job::FromTar, Job::Between, Job::Pull] {
            let stage = &stage;
            scope.spawn(move || {
                let scene = stage.scene();
                let expected = scene.undisturbed(job);
                let link = Link { delay: Duration::from_millis(5), bytes_per_second: Some(4_000_000) };
                scene.source.set_link(link);
                scene.destination.set_link(link);
                let mut running = scene.command(job, "disturbed", &[]).spawn().unwrap();
                thread::sleep(Duration::from_millis(500));
                scene.source.set_down(true);
                scene.destination.set_down(true);
                thread::sleep(Duration::from_secs(60));
                assert_eq!(running.try_wait().unwrap(), None, "{job:?} is over already");
                scene.source.set_down(false);
                scene.destination.set_down(false);
                assert!(running.wait().unwrap().success(), "{job:?}");
                scene.made(job, "disturbed").assert_is(&expected);
            });
        }
    });
}

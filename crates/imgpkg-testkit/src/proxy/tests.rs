use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Fault, FaultProxy, Link};
use crate::http::{Response, exchange, request};
use crate::stub::Stub;

const CONTENT: &str = "0123456789";

fn before_stub(headers: &[&str], faults: Vec<Fault>) -> FaultProxy {
    FaultProxy::before_address(Stub::answering("200 OK", headers, CONTENT).address(), faults)
}

fn get(proxy: &FaultProxy) -> Response {
    request(proxy.address(), "GET", "/v2/a", &[("Range", "bytes=3-")], b"")
}

#[test]
fn without_faults_everything_passes_and_is_counted() {
    let proxy = before_stub(&["X: y"], Vec::new());
    let response = request(proxy.address(), "PUT", "/v2/a?b=c", &[], b"hello");
    assert_eq!(
        (response.status, response.header("x"), response.body.as_slice()),
        (200, Some("y"), CONTENT.as_bytes())
    );
    get(&proxy);
    let seen = proxy.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("PUT", "/v2/a?b=c"));
    assert_eq!((seen[0].status, seen[0].sent, seen[0].received), (200, 5, 10));
    assert_eq!(seen[1].range.as_deref(), Some("bytes=3-"));
    assert_eq!((proxy.count("PUT", "b=c"), proxy.count("GET", "b=c"), proxy.count("GET", "/v2/")), (1, 0, 1));
    proxy.forget();
    assert!(proxy.seen().is_empty());
}

#[test]
fn the_answers_body_is_cut_truncated_or_flipped() {
    let proxy = before_stub(&[], vec![Fault::on("GET", "/v2/").cut_response(4)]);
    let cut = get(&proxy);
    assert_eq!((cut.header("content-length"), cut.body.as_slice()), (Some("10"), "0123".as_bytes()));
    assert_eq!(get(&proxy).body, CONTENT.as_bytes());
    proxy.set_faults(vec![Fault::on("GET", "/v2/").truncate(4)]);
    let truncated = get(&proxy);
    assert_eq!(
        (truncated.header("content-length"), truncated.body.as_slice()),
        (Some("4"), "0123".as_bytes())
    );
    proxy.set_faults(vec![Fault::on("GET", "/v2/").flip_response(4)]);
    assert_eq!(get(&proxy).body, b"0123556789");
}

#[test]
fn the_proxy_answers_instead_as_often_as_told() {
    let answer = |fault: Fault| fault.answer("429 Too Many Requests", &[("Retry-After", "0")], "{}");
    let statuses = |fault: Fault| {
        let proxy = before_stub(&[], vec![answer(fault)]);
        (0..4).map(|_| get(&proxy).status).collect::<Vec<_>>()
    };
    assert_eq!(statuses(Fault::on("GET", "/v2/").nth(2)), [200, 429, 200, 200]);
    assert_eq!(statuses(Fault::on("GET", "/v2/").first(2)), [429, 429, 200, 200]);
    assert_eq!(statuses(Fault::on("GET", "/v2/").always()), [429; 4]);
    assert_eq!(statuses(Fault::on("GET", "/v2/").ranged()), [429, 200, 200, 200]);
    assert_eq!(statuses(Fault::on("GET", "/v3/").always()), [200; 4]);
    assert_eq!(statuses(Fault::on("PUT", "/v2/").always()), [200; 4]);
    let proxy = before_stub(&[], vec![answer(Fault::on("GET", "/v2/").sometimes(50, 1))]);
    let refused = (0..40).filter(|_| get(&proxy).status == 429).count();
    assert!((8..=32).contains(&refused), "{refused}");
}

#[test]
fn a_request_that_is_cut_has_no_answer() {
    let proxy = before_stub(&[], vec![Fault::on("PUT", "/v2/").cut_request(3)]);
    let answer = exchange(proxy.address(), "PUT", "/v2/a", &[], b"hello");
    assert!(answer.map_or(true, |response| response.status == 0));
    assert_eq!(proxy.seen()[0].sent, 3);
    assert_eq!(request(proxy.address(), "PUT", "/v2/a", &[], b"hello").status, 200);
}

#[test]
fn a_body_stalls_and_headers_are_slow() {
    let time = Duration::from_millis(200);
    for fault in [Fault::on("GET", "/").stall_response(4, time), Fault::on("GET", "/").slow_head(time)] {
        let proxy = before_stub(&[], vec![fault]);
        let started = Instant::now();
        get(&proxy);
        assert!(started.elapsed() >= time);
    }
}

#[test]
fn ranges_are_hidden_and_shifted() {
    let proxy = before_stub(&["Content-Range: bytes 3-12/20"], vec![Fault::on("GET", "/").shift_range(2)]);
    assert_eq!(get(&proxy).header("content-range"), Some("bytes 5-12/20"));
    let hiding =
        FaultProxy::before_address(proxy.address(), vec![Fault::on("GET", "/").ranged().ignore_range()]);
    proxy.forget();
    get(&hiding);
    assert_eq!(
        (hiding.seen()[0].range.as_deref(), proxy.seen()[0].range.as_deref()),
        (Some("bytes=3-"), None)
    );
}

#[test]
fn a_location_leads_back_through_the_proxy() {
    let led_back = |location| super::conversation::led_back(location, "127.0.0.1:50", "127.0.0.1:1");
    assert_eq!(led_back("http://127.0.0.1:50/v2/up?x=1"), "http://127.0.0.1:1/v2/up?x=1");
    for other in ["/v2/up", "http://127.0.0.1:500/v2/up", "https://other.example/up", "http://127.0.0.2:50/"]
    {
        assert_eq!(led_back(other), other);
    }
}

#[test]
fn something_happens_before_the_request_passes() {
    let happened = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&happened);
    let fault = Fault::on("GET", "/").meanwhile(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let proxy = before_stub(&[], vec![fault]);
    assert_eq!(get(&proxy).status, 200);
    assert_eq!(happened.load(Ordering::SeqCst), 1);
}

#[test]
fn the_way_takes_its_time() {
    let proxy = before_stub(&[], Vec::new());
    proxy.set_link(Link { delay: Duration::from_millis(40), bytes_per_second: Some(100) });
    let started = Instant::now();
    assert_eq!(get(&proxy).body, CONTENT.as_bytes());
    // A connection and a request, a round trip each, and ten bytes at a hundred per second.
    assert!(started.elapsed() >= Duration::from_millis(4 * 40 + 100), "{:?}", started.elapsed());
}

#[test]
fn nothing_is_answered_while_it_is_down() {
    let proxy = before_stub(&[], Vec::new());
    proxy.set_down(true);
    assert!(exchange(proxy.address(), "GET", "/", &[], b"").map_or(true, |response| response.status == 0));
    proxy.set_down(false);
    assert_eq!(get(&proxy).status, 200);
}

//! Repetition, waiting, first contact.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use imgpkg_oci::{Source as _, Tag, TagOrDigest};
use imgpkg_registry::{ClientOptions, Wait, WaitListener};

use crate::server::{Reply, Server, chain, client, in_turn, options};

fn tag(name: &str) -> TagOrDigest {
    Tag::parse(name).unwrap().into()
}

#[tokio::test]
async fn after_as_many_attempts_as_asked_for_a_server_error_is_reported() {
    for status in [408, 429, 500, 502, 503, 504] {
        let server = Server::open(move |_| Reply::new(status).body("busy")).await;
        let repository = client(ClientOptions { retry_count: 3, ..options() });
        let repository = repository.repository(&server.repository("a/b"));
        let error = repository.manifest(&tag("latest")).await.unwrap_err();
        assert_eq!(server.lines().len(), 3, "{status}");
        assert!(chain(&error).contains(&format!("unexpected status code {status}")), "{error}");
    }
}

#[tokio::test]
async fn what_will_not_change_is_not_retried() {
    for status in [400, 401, 403, 404, 405, 413, 501] {
        let server = Server::open(move |_| Reply::new(status)).await;
        server.client().manifest(&tag("latest")).await.unwrap_err();
        assert_eq!(server.lines().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_connection_that_closes_is_opened_again() {
    let reply = in_turn(vec![Reply::new(200).body("{}").cut_after(0), Reply::new(200).body("{}")]);
    let server = Server::open(move |_| reply()).await;
    assert_eq!(server.client().manifest(&tag("latest")).await.unwrap().bytes(), "{}");
}

#[tokio::test]
async fn retry_after_holds_for_every_request_to_the_host() {
    let reply = in_turn(vec![Reply::new(429).with("retry-after", "1"), Reply::new(200).body("{}")]);
    let server = Server::open(move |_| reply()).await;
    let repository = server.client();
    let (one, two, three) = (tag("1"), tag("2"), tag("3"));
    let later = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        tokio::join!(repository.manifest(&two), repository.manifest(&three))
    };
    let (first, (second, third)) = tokio::join!(repository.manifest(&one), later);
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    let seen = server.seen();
    let refused = seen[1].at;
    assert_eq!(seen.len(), 5);
    for seen in &seen[2..] {
        assert!(seen.at - refused >= Duration::from_millis(990), "{:?}", seen.at - refused);
    }
}

#[tokio::test]
async fn retry_after_is_kept_whatever_the_failure() {
    for status in [408, 500, 503] {
        let reply = in_turn(vec![Reply::new(status).with("retry-after", "1"), Reply::new(200).body("{}")]);
        let server = Server::open(move |_| reply()).await;
        server.client().manifest(&tag("latest")).await.unwrap();
        let seen = server.seen();
        assert!(seen[2].at - seen[1].at >= Duration::from_millis(990), "{status}");
    }
}

#[tokio::test]
async fn pauses_are_told_with_their_host_their_length_and_their_reason() {
    let replies = vec![
        Reply::new(429).with("retry-after", "1"),
        Reply::new(502).body("no gateway"),
        Reply::new(200).body("{}"),
    ];
    let reply = in_turn(replies);
    let server = Server::open(move |_| reply()).await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let waits = heard.clone();
    let on_wait: WaitListener = Arc::new(move |wait: &Wait| waits.lock().unwrap().push(wait.clone()));
    let client = client(ClientOptions { on_wait: Some(on_wait), ..options() });
    let repository = server.repository("a/b");
    client.repository(&repository).manifest(&tag("latest")).await.unwrap();
    let heard = heard.lock().unwrap();
    let [asked, own] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!((asked.host.as_str(), asked.asked), (repository.registry().as_str(), true));
    assert_eq!((asked.time, asked.reason.as_str()), (Duration::from_secs(1), "429 Too Many Requests"));
    assert_eq!((own.host.as_str(), own.asked), (repository.registry().as_str(), false));
    assert!(own.reason.contains("unexpected status code 502"), "{own:?}");
    assert!(!own.time.is_zero());
}

#[tokio::test]
async fn a_registry_that_wants_to_be_left_alone_for_hours_ends_the_run() {
    let server = Server::open(|_| Reply::new(429).with("retry-after", "7200")).await;
    let error = server.client().manifest(&tag("latest")).await.unwrap_err();
    assert_eq!(server.lines().len(), 1);
    assert!(chain(&error).contains("asks to come back in 7200 seconds"), "{error}");
}

#[tokio::test]
async fn first_contact_is_made_once_for_everybody() {
    let server = Server::open(|_| Reply::new(200).body("{}")).await;
    let client = client(options());
    let (one, two) =
        (client.repository(&server.repository("a/b")), client.repository(&server.repository("c/d")));
    let latest = tag("latest");
    let (first, second) = tokio::join!(one.manifest(&latest), two.manifest(&latest));
    assert!(first.is_ok() && second.is_ok());
    let pings = server.seen().iter().filter(|seen| seen.target == "/v2/").count();
    assert_eq!(pings, 1);
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_given_up_soon_and_in_the_references_words() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let started = Instant::now();
    let client = client(ClientOptions { retry_pause: Duration::from_millis(100), ..options() });
    let repository = imgpkg_oci::Repository::parse(&format!("{host}/a/b")).unwrap();
    let error = client.repository(&repository).manifest(&tag("latest")).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_millis(1500), "{:?}", started.elapsed());
    assert_eq!(
        chain(&error),
        format!(
            "Error while preparing a transport to talk with the registry: Unable to create round tripper: \
             Get \"https://{host}/v2/\": connection refused; Get \"http://{host}/v2/\": connection refused"
        )
    );
}

#[tokio::test]
async fn a_name_without_address_is_said_to_be_none() {
    let repository = imgpkg_oci::Repository::parse("nowhere.invalid/a/b").unwrap();
    let error = client(options()).repository(&repository).manifest(&tag("latest")).await.unwrap_err();
    let text = chain(&error);
    assert!(text.starts_with("Error while preparing a transport"), "{text}");
    assert!(text.contains("Get \"https://nowhere.invalid/v2/\": lookup nowhere.invalid: "), "{text}");
}

#[tokio::test]
async fn a_registry_that_does_not_answer_in_time_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let client = client(ClientOptions { response_header_timeout: Duration::from_millis(600), ..options() });
    let repository = imgpkg_oci::Repository::parse(&format!("{host}/a/b")).unwrap();
    let error = client.repository(&repository).manifest(&tag("latest")).await.unwrap_err();
    assert!(chain(&error).contains("net/http: timeout awaiting response headers"), "{}", chain(&error));
}

#[tokio::test]
async fn no_more_requests_than_allowed_are_made_at_a_time() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (running, peak) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::open(move |_| {
        let here = running.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(here, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        running.fetch_sub(1, Ordering::SeqCst);
        Reply::new(200).body("{}")
    })
    .await;
    let repository = client(ClientOptions { max_requests_per_host: Some(1), ..options() });
    let repository = repository.repository(&server.repository("a/b"));
    let latest = tag("latest");
    let all = (0..6).map(|_| repository.manifest(&latest));
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

use std::io::{Read, Write};
use std::net::TcpStream as Plain;
use std::thread;

use super::*;

/// A server that sends back what it gets, byte for byte, on every connection.
fn echo() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || std::io::copy(&mut stream.try_clone().unwrap(), &mut stream).unwrap());
        }
    });
    address
}

fn start(delay: u64) -> (tokio::runtime::Runtime, Proxy) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let proxy = runtime.block_on(Proxy::start(Duration::from_millis(delay), echo())).unwrap();
    (runtime, proxy)
}

#[test]
fn everything_arrives_and_no_earlier_than_after_the_delay_of_both_directions() {
    let (_runtime, proxy) = start(50);
    let begun = std::time::Instant::now();
    let mut stream = Plain::connect(proxy.address()).unwrap();
    let message: Vec<u8> = (0..1_000_000u32).map(|number| number as u8).collect();
    let mut writer = stream.try_clone().unwrap();
    let sent = message.clone();
    thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    assert_eq!(received, message);
    let traffic = proxy.take_traffic();
    assert_eq!((traffic.sent_bytes, traffic.received_bytes), (1_000_000, 1_000_000));
    assert_eq!(traffic.connections, 1);
    assert_eq!(proxy.take_traffic(), Traffic::default());
}

#[test]
fn a_hundred_connections_wait_side_by_side() {
    let (_runtime, proxy) = start(100);
    let begun = std::time::Instant::now();
    let mut streams: Vec<_> = (0..100).map(|_| Plain::connect(proxy.address()).unwrap()).collect();
    streams.iter_mut().for_each(|stream| stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap());
    for stream in &mut streams {
        let mut answer = [0; 18];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"GET / HTTP/1.1\r\n\r\n");
    }
    // One behind the other it would be twenty seconds; the bound is far from both.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let traffic = proxy.take_traffic();
    assert_eq!((traffic.connections, traffic.total()), (100, 100));
}

#[test]
fn a_proxy_can_be_aimed_elsewhere() {
    let (_runtime, proxy) = start(0);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.aim(listener.local_addr().unwrap());
    let mut client = Plain::connect(proxy.address()).unwrap();
    client.write_all(b"x").unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut byte = [0];
    server.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"x");
}

#[test]
fn the_traffic_of_two_proxies_is_added_up() {
    let one = |kind: &str| Traffic {
        requests: BTreeMap::from([(kind.to_owned(), 2), ("PUT manifests".to_owned(), 1)]),
        connections: 1,
        sent_bytes: 10,
        received_bytes: 20,
        uploaded_bytes: 5,
    };
    let both = one("GET blobs").and(&one("HEAD blobs"));
    assert_eq!(both.total(), 6);
    assert_eq!(both.requests["PUT manifests"], 2);
    assert_eq!(
        (both.connections, both.sent_bytes, both.received_bytes, both.uploaded_bytes),
        (2, 20, 40, 10)
    );
}

//! A TCP proxy that makes the way longer and counts what goes over it.
//!
//! Each chunk is passed on a fixed time after it arrived, and chunks travel side by side: bandwidth is not limited, and
//! a thousand connections wait no longer than one. A connection itself is opened without delay.

mod clock;
mod scanner;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use self::clock::Clock;
use self::scanner::RequestScanner;

/// The most bytes that are taken from a connection at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// The most chunks of one connection and direction that are on the way: 16 MiB, which at 20 ms is 800 MB/s and more
/// than what two processors can send.
const CHUNKS_ON_THE_WAY: usize = 256;

/// What has gone through a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Requests by method and kind: `GET manifests`, `POST mounts`.
    pub(crate) requests: BTreeMap<String, u64>,
    /// Connections that were opened.
    pub(crate) connections: u64,
    /// Bytes from the clients to the server, heads included.
    pub(crate) sent_bytes: u64,
    /// Bytes from the server to the clients, heads included.
    pub(crate) received_bytes: u64,
    /// Bytes of blobs in requests' bodies.
    pub(crate) uploaded_bytes: u64,
}

impl Traffic {
    /// All requests.
    pub(crate) fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    /// This and that together.
    #[must_use]
    pub(crate) fn and(mut self, other: &Self) -> Self {
        for (kind, count) in &other.requests {
            *self.requests.entry(kind.clone()).or_default() += count;
        }
        self.connections += other.connections;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.uploaded_bytes += other.uploaded_bytes;
        self
    }
}

/// A proxy on a free port of the loopback interface. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    link: Arc<Link>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct Link {
    /// `None` where nothing is delayed.
    clock: Option<Clock>,
    upstream: Mutex<SocketAddr>,
    traffic: Mutex<Traffic>,
}

impl Link {
    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        // Numbers are never left half changed.
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn upstream(&self) -> MutexGuard<'_, SocketAddr> {
        self.upstream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// A proxy that delays both directions by so much and passes new connections on to this server.
    pub(crate) async fn start(delay: Duration, upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let clock = if delay.is_zero() { None } else { Some(Clock::start(delay)?) };
        let link =
            Arc::new(Link { clock, upstream: Mutex::new(upstream), traffic: Mutex::new(Traffic::default()) });
        let listening = tokio::spawn(listen(listener, link.clone()));
        Ok(Self { address, link, listening })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on new connections go there.
    pub(crate) fn aim(&self, upstream: SocketAddr) {
        *self.link.upstream() = upstream;
    }

    /// What has gone through since the last call.
    pub(crate) fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut *self.link.traffic())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, link: Arc<Link>) {
    loop {
        // A connection that failed before it was taken is its client's loss.
        let Ok((client, _)) = listener.accept().await else { continue };
        let link = link.clone();
        tokio::spawn(async move {
            let upstream = *link.upstream();
            if let Ok(server) = TcpStream::connect(upstream).await {
                connect(client, server, &link).await;
            }
        });
    }
}

/// Passes everything on until both sides have ended.
async fn connect(client: TcpStream, server: TcpStream, link: &Link) {
    link.traffic().connections += 1;
    // Where the option cannot be set, the connection is closed already, which the first read shows.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut scanner = RequestScanner::default();
    let up = forward(from_client, to_server, link.clock.as_ref(), |bytes| {
        let mut traffic = link.traffic();
        traffic.sent_bytes += bytes.len() as u64;
        scanner.scan(bytes, &mut traffic);
    });
    let down = forward(from_server, to_client, link.clock.as_ref(), |bytes| {
        link.traffic().received_bytes += bytes.len() as u64;
    });
    tokio::join!(up, down);
}

/// A chunk that is on the way, and the moment of its arrival if that is not now.
struct Chunk {
    bytes: Vec<u8>,
    due: Option<oneshot::Receiver<()>>,
}

async fn forward(
    mut reader: OwnedReadHalf,
    mut writer: OwnedWriteHalf,
    clock: Option<&Clock>,
    mut observe: impl FnMut(&[u8]),
) {
    let (sender, mut receiver) = mpsc::channel::<Chunk>(CHUNKS_ON_THE_WAY);
    let read = async move {
        let mut buffer = vec![0; CHUNK_BYTES];
        // An end and a failure look the same from the other side, after the same time: an empty chunk.
        loop {
            let count = reader.read(&mut buffer).await.unwrap_or(0);
            let bytes = buffer.get(..count).unwrap_or_default().to_vec();
            let due = clock.map(Clock::after_delay);
            observe(&bytes);
            if sender.send(Chunk { bytes, due }).await.is_err() || count == 0 {
                return;
            }
        }
    };
    let write = async move {
        while let Some(Chunk { bytes, due }) = receiver.recv().await {
            if let Some(due) = due {
                // Only a clock that has ended does not strike; then there is nothing to wait for.
                let _ = due.await;
            }
            if bytes.is_empty() || writer.write_all(&bytes).await.is_err() {
                break;
            }
        }
        // Fails when the other side has gone already.
        let _ = writer.shutdown().await;
    };
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests;

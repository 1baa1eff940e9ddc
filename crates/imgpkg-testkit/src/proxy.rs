//! A reverse proxy that stands before a registry and makes things go wrong on purpose: it counts what passes, damages
//! what it is told to, and is as slow as it is told to be.

mod conversation;
mod fault;
mod message;
mod passage;

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

pub use fault::Fault;

use fault::{Action, Armed};
use message::Head;

use crate::registry::Registry;

/// An HTTP/1.1 proxy on a free port of the loopback interface, before one server. Without faults everything passes as it
/// is; a `Location` that names the server leads back through the proxy. Dropping it ends it.
///
/// TLS is refused at once, so that a client that prefers it goes on to plain http without waiting.
pub struct FaultProxy {
    shared: Arc<Shared>,
}

/// A request that came by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The status code of the answer that was passed on; 0 while there is none.
    pub status: u16,
    /// How many bytes of the request's body were passed on.
    pub sent: u64,
    /// How many bytes of the answer's body were passed on.
    pub received: u64,
    /// Did something go wrong with it on purpose?
    pub disturbed: bool,
}

/// How slow the way through the proxy is, beside what the machine itself takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    /// How long a message travels in each direction. A new connection takes one round trip more.
    pub delay: Duration,
    /// How many bytes of a body a connection carries per second; `None` for as many as come.
    pub bytes_per_second: Option<u64>,
}

struct Shared {
    /// Host and port of the proxy and of the server behind it.
    address: String,
    upstream: String,
    faults: Mutex<Vec<Armed>>,
    seen: Mutex<Vec<Seen>>,
    link: Mutex<Link>,
    /// Nothing is answered, and connections break.
    down: AtomicBool,
    ended: AtomicBool,
}

impl FaultProxy {
    /// A proxy before a registry, with these faults.
    pub fn before(registry: &Registry, faults: Vec<Fault>) -> Self {
        Self::before_address(registry.address(), faults)
    }

    /// A proxy before whatever listens on this address, with these faults.
    pub fn before_address(upstream: &str, faults: Vec<Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let shared = Arc::new(Shared {
            address: listener.local_addr().expect("an address").to_string(),
            upstream: upstream.to_owned(),
            faults: Mutex::default(),
            seen: Mutex::default(),
            link: Mutex::default(),
            down: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        let proxy = Self { shared };
        proxy.set_faults(faults);
        proxy
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.shared.address
    }

    /// The reference of what is in the registry, by way of the proxy.
    pub fn reference(&self, rest: &str) -> String {
        format!("{}/{rest}", self.shared.address)
    }

    /// From now on these faults happen, and no others. Their counts begin anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        *lock(&self.shared.faults) = faults.into_iter().map(Armed::new).collect();
    }

    /// From now on the way is this slow.
    pub fn set_link(&self, link: Link) {
        *lock(&self.shared.link) = link;
    }

    /// From now on, or until told otherwise, connections are closed as soon as something comes.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// The requests since the beginning, or since [`FaultProxy::forget`], in the order in which they came.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// The requests of this method whose path and query contain `part`.
    pub fn seen_of(&self, method: &str, part: &str) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|seen| seen.method == method && seen.target.contains(part));
        seen
    }

    /// How many requests of this method there were whose path and query contain `part`.
    pub fn count(&self, method: &str, part: &str) -> usize {
        self.seen_of(method, part).len()
    }

    /// How many requests something went wrong with on purpose.
    pub fn disturbed(&self) -> usize {
        self.seen().iter().filter(|seen| seen.disturbed).count()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.shared.seen).clear();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts connections, which then ends.
        drop(TcpStream::connect(&self.shared.address));
    }
}

impl Shared {
    /// Takes note of a request; what is to happen to it, and its place among those seen.
    fn arrived(&self, request: &Head) -> (Option<Action>, usize) {
        let mut seen = Seen {
            method: request.method().to_owned(),
            target: request.target().to_owned(),
            range: request.header("range").map(str::to_owned),
            ..Seen::default()
        };
        let mut action = None;
        // Every fault counts every request it is about; the first one that wants it has it.
        for fault in lock(&self.faults).iter_mut() {
            let wanted = fault.wants(&seen);
            action = action.or(wanted);
        }
        seen.disturbed = action.is_some();
        let mut all = lock(&self.seen);
        all.push(seen);
        (action, all.len() - 1)
    }

    /// Changes what is known about a request, unless it has been forgotten.
    fn note(&self, position: usize, change: impl FnOnce(&mut Seen)) {
        if let Some(seen) = lock(&self.seen).get_mut(position) {
            change(seen);
        }
    }

    fn link(&self) -> Link {
        *lock(&self.link)
    }

    /// An error while connections break.
    fn objection(&self) -> std::io::Result<()> {
        if self.is_down() { Err(std::io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst) || self.ended.load(Ordering::SeqCst)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming().flatten() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        // Whoever goes away, or is made to, ends only this conversation.
        thread::spawn(move || drop(conversation::hold(client, &shared)));
    }
}

/// A test that panicked elsewhere does not make the state useless.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

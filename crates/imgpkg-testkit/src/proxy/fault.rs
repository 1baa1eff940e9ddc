//! What is to go wrong, with which requests, and how often.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Seen;

/// Something that goes wrong with certain requests. Without more it happens to the first of them.
///
/// ```
/// use imgpkg_testkit::Fault;
///
/// let faults = vec![
///     Fault::on("GET", "/blobs/").nth(2).cut_response(1000),
///     Fault::on("PUT", "/manifests/").first(3).answer("503 Service Unavailable", &[("Retry-After", "0")], ""),
/// ];
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    method: String,
    part: String,
    ranged: bool,
    when: When,
    action: Action,
}

#[derive(Debug, Clone, Copy)]
enum When {
    Nth(usize),
    First(usize),
    Always,
    Sometimes { percent: u64, seed: u64 },
}

/// What happens to a request or to its answer.
#[derive(Clone)]
pub(super) enum Action {
    /// Nothing.
    Pass,
    /// The proxy answers in the registry's place.
    Answer { status: String, headers: Vec<(String, String)>, body: String, unread: bool },
    /// The connection closes after so many bytes of the request's body.
    CutRequest(u64),
    /// The connection closes after so many bytes of the answer's body.
    CutResponse(u64),
    /// The answer is whole, but its body has only so many bytes.
    Truncate(u64),
    /// Nothing moves for a while after so many bytes of the request's body.
    StallRequest(u64, Duration),
    /// Nothing moves for a while after so many bytes of the answer's body.
    StallResponse(u64, Duration),
    /// One bit of this byte of the request's body changes.
    FlipRequest(u64),
    /// One bit of this byte of the answer's body changes.
    FlipResponse(u64),
    /// The answer begins, and takes a while until its headers are complete.
    SlowHead(Duration),
    /// The registry is not told that only a part is wanted.
    IgnoreRange,
    /// `Content-Range` begins so many bytes further on than the content does.
    ShiftRange(i64),
    /// The connection closes after the answer, which does not say so.
    CloseAfter,
    /// Something happens before the request is passed on.
    Meanwhile(Arc<dyn Fn() + Send + Sync>),
}

/// A fault, and how many requests it has been about.
pub(super) struct Armed {
    fault: Fault,
    matched: usize,
}

impl Fault {
    /// A fault of the requests with this method whose path and query contain `part`.
    pub fn on(method: &str, part: &str) -> Self {
        let (method, part) = (method.to_owned(), part.to_owned());
        Self { method, part, ranged: false, when: When::First(1), action: Action::Pass }
    }

    /// Only of requests for a part of something.
    #[must_use]
    pub fn ranged(self) -> Self {
        Self { ranged: true, ..self }
    }

    /// It happens to the n-th such request alone, counted from 1.
    #[must_use]
    pub fn nth(self, n: usize) -> Self {
        Self { when: When::Nth(n), ..self }
    }

    /// It happens to the first `n` such requests.
    #[must_use]
    pub fn first(self, n: usize) -> Self {
        Self { when: When::First(n), ..self }
    }

    /// It happens to all such requests.
    #[must_use]
    pub fn always(self) -> Self {
        Self { when: When::Always, ..self }
    }

    /// It happens to so many of a hundred such requests, as the seed has it.
    #[must_use]
    pub fn sometimes(self, percent: u64, seed: u64) -> Self {
        Self { when: When::Sometimes { percent, seed }, ..self }
    }

    /// The proxy reads the request and answers it with this status (`503 Service Unavailable`), these headers and this
    /// body. The registry never hears of it.
    #[must_use]
    pub fn answer(self, status: &str, headers: &[(&str, &str)], body: &str) -> Self {
        self.answered(status, headers, body, false)
    }

    /// As [`Fault::answer`], but without reading the body of the request: the connection closes after the answer.
    #[must_use]
    pub fn answer_unread(self, status: &str, headers: &[(&str, &str)], body: &str) -> Self {
        self.answered(status, headers, body, true)
    }

    fn answered(self, status: &str, headers: &[(&str, &str)], body: &str, unread: bool) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (status, body) = (status.to_owned(), body.to_owned());
        self.does(Action::Answer { status, headers, body, unread })
    }

    /// The connection closes after so many bytes of the request's body, without an answer.
    #[must_use]
    pub fn cut_request(self, after: u64) -> Self {
        self.does(Action::CutRequest(after))
    }

    /// The connection closes after so many bytes of the answer's body, although more were announced.
    #[must_use]
    pub fn cut_response(self, after: u64) -> Self {
        self.does(Action::CutResponse(after))
    }

    /// The answer has only so many bytes, and announces no more.
    #[must_use]
    pub fn truncate(self, to: u64) -> Self {
        self.does(Action::Truncate(to))
    }

    /// Nothing moves for this time after so many bytes of the request's body; then the connection closes.
    #[must_use]
    pub fn stall_request(self, after: u64, time: Duration) -> Self {
        self.does(Action::StallRequest(after, time))
    }

    /// Nothing moves for this time after so many bytes of the answer's body; then the connection closes.
    #[must_use]
    pub fn stall_response(self, after: u64, time: Duration) -> Self {
        self.does(Action::StallResponse(after, time))
    }

    /// One bit of this byte of the request's body changes, counted from 0.
    #[must_use]
    pub fn flip_request(self, at: u64) -> Self {
        self.does(Action::FlipRequest(at))
    }

    /// One bit of this byte of the answer's body changes, counted from 0.
    #[must_use]
    pub fn flip_response(self, at: u64) -> Self {
        self.does(Action::FlipResponse(at))
    }

    /// The status line comes at once, the headers this much later.
    #[must_use]
    pub fn slow_head(self, time: Duration) -> Self {
        self.does(Action::SlowHead(time))
    }

    /// The registry is not told that only a part is wanted, and answers 200 with everything.
    #[must_use]
    pub fn ignore_range(self) -> Self {
        self.does(Action::IgnoreRange)
    }

    /// The answer's `Content-Range` begins so many bytes further on than its content does.
    #[must_use]
    pub fn shift_range(self, by: i64) -> Self {
        self.does(Action::ShiftRange(by))
    }

    /// The connection closes after the answer, which does not say so.
    #[must_use]
    pub fn close_after(self) -> Self {
        self.does(Action::CloseAfter)
    }

    /// This happens before the request is passed on.
    #[must_use]
    pub fn meanwhile(self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.does(Action::Meanwhile(Arc::new(hook)))
    }

    fn does(self, action: Action) -> Self {
        Self { action, ..self }
    }
}

impl Armed {
    pub(super) fn new(fault: Fault) -> Self {
        Self { fault, matched: 0 }
    }

    /// What happens to this request, if it is one that the fault waits for.
    pub(super) fn wants(&mut self, request: &Seen) -> Option<Action> {
        let Fault { method, part, ranged, when, action } = &self.fault;
        if request.method != *method
            || !request.target.contains(part.as_str())
            || (*ranged && request.range.is_none())
        {
            return None;
        }
        self.matched += 1;
        let happens = match *when {
            When::Nth(n) => self.matched == n,
            When::First(n) => self.matched <= n,
            When::Always => true,
            When::Sometimes { percent, seed } => scattered(seed, self.matched as u64) % 100 < percent,
        };
        happens.then(|| action.clone())
    }
}

/// A number that looks random and is always the same for the same seed and position (SplitMix64).
fn scattered(seed: u64, position: u64) -> u64 {
    let mut z = seed.wrapping_add(position.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Answer { status, unread, .. } => write!(f, "answer {status} (unread: {unread})"),
            Self::CutRequest(after) => write!(f, "cut the request after {after}"),
            Self::CutResponse(after) => write!(f, "cut the answer after {after}"),
            Self::Truncate(to) => write!(f, "truncate to {to}"),
            Self::StallRequest(after, time) => write!(f, "stall the request after {after} for {time:?}"),
            Self::StallResponse(after, time) => write!(f, "stall the answer after {after} for {time:?}"),
            Self::FlipRequest(at) => write!(f, "flip byte {at} of the request"),
            Self::FlipResponse(at) => write!(f, "flip byte {at} of the answer"),
            Self::SlowHead(time) => write!(f, "headers after {time:?}"),
            Self::IgnoreRange => f.write_str("ignore the range"),
            Self::ShiftRange(by) => write!(f, "shift the range by {by}"),
            Self::CloseAfter => f.write_str("close after the answer"),
            Self::Meanwhile(_) => f.write_str("meanwhile"),
        }
    }
}

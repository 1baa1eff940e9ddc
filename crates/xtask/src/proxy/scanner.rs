//! Counts the HTTP/1.1 requests in what a client sends, bodies left out.

use super::Traffic;

/// Longer heads are not what a client of a registry sends; then the rest of the connection is not understood.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Reads along with one connection.
#[derive(Debug, Default)]
pub(super) struct RequestScanner {
    state: State,
    /// Is the body of the request that is being read a blob's?
    uploading: bool,
}

#[derive(Debug)]
enum State {
    /// In a request's head, of which this is the beginning.
    Head(Vec<u8>),
    /// In a body with so many bytes left.
    Body(u64),
    /// In the line before a chunk.
    ChunkSize(Vec<u8>),
    /// In a chunk with so many bytes left, those of its line end included.
    Chunk(u64),
    /// In the lines behind the last chunk.
    Trailer(Vec<u8>),
    /// In something else than HTTP/1.1.
    Lost,
}

impl Default for State {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

impl RequestScanner {
    /// Reads on, and notes requests as soon as their heads are complete.
    pub(super) fn scan(&mut self, mut bytes: &[u8], traffic: &mut Traffic) {
        while let Some((&first, rest)) = bytes.split_first() {
            let (next, taken) = match &mut self.state {
                State::Lost => return,
                State::Body(left) | State::Chunk(left) => {
                    let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= taken as u64;
                    if self.uploading {
                        traffic.uploaded_bytes += taken as u64;
                    }
                    (None, taken)
                }
                State::Head(line) | State::ChunkSize(line) | State::Trailer(line) => {
                    line.push(first);
                    (Some(line.len()), bytes.len() - rest.len())
                }
            };
            bytes = bytes.get(taken..).unwrap_or_default();
            if next.is_some_and(|length| length > MAX_HEAD_BYTES) {
                self.state = State::Lost;
            }
            self.advance(traffic);
        }
    }

    /// Goes on to the next state where this one is at its end.
    fn advance(&mut self, traffic: &mut Traffic) {
        let next = match &self.state {
            State::Head(head) if head == b"\r\n" => Some(State::default()),
            State::Head(head) if head.ends_with(b"\r\n\r\n") => {
                let head = String::from_utf8_lossy(head).into_owned();
                Some(self.begin(&head, traffic))
            }
            State::Body(0) => Some(State::default()),
            State::ChunkSize(line) if line.ends_with(b"\r\n") => Some(chunk(line)),
            State::Chunk(0) => Some(State::ChunkSize(Vec::new())),
            State::Trailer(lines) if lines == b"\r\n" || lines.ends_with(b"\r\n\r\n") => {
                Some(State::default())
            }
            _ => None,
        };
        if let Some(next) = next {
            self.state = next;
        }
    }

    /// Notes a request, and finds out what its body looks like.
    fn begin(&mut self, head: &str, traffic: &mut Traffic) -> State {
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0")) =
            (words.next(), words.next(), words.next())
        else {
            return State::Lost;
        };
        let kind = kind(target);
        *traffic.requests.entry(format!("{method} {kind}")).or_default() += 1;
        self.uploading = kind == "uploads";
        let mut length = 0;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
                return State::ChunkSize(Vec::new());
            }
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap_or(0);
            }
        }
        if length == 0 { State::default() } else { State::Body(length) }
    }
}

/// What comes behind the line with a chunk's size, in hexadecimal, perhaps with extensions behind a semicolon.
fn chunk(line: &[u8]) -> State {
    let text = String::from_utf8_lossy(line);
    let digits = text.split(';').next().unwrap_or_default().trim();
    match u64::from_str_radix(digits, 16) {
        Ok(0) => State::Trailer(Vec::new()),
        Ok(size) => State::Chunk(size.saturating_add(2)),
        Err(_) => State::Lost,
    }
}

/// What a request is about.
fn kind(target: &str) -> &'static str {
    let path = target.split('?').next().unwrap_or_default();
    if path.contains("/blobs/uploads") {
        if target.contains("mount=") { "mounts" } else { "uploads" }
    } else if path.contains("/blobs/") {
        "blobs"
    } else if path.contains("/manifests/") {
        "manifests"
    } else if path.contains("/tags/") {
        "tags"
    } else if path.contains("/referrers/") {
        "referrers"
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONVERSATION: &str = "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n\
        HEAD /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\n\r\n\
        POST /v2/a/blobs/uploads/?mount=sha256:1&from=b HTTP/1.1\r\nContent-Length: 0\r\n\r\n\
        PUT /v2/a/blobs/uploads/17?digest=sha256:1 HTTP/1.1\r\ncontent-length: 30\r\n\r\n\
        GET /v2/ HTTP/1.1\r\nHost: y\r\n\r\n\
        PATCH /v2/a/blobs/uploads/18 HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n\
        5\r\nhello\r\n1e;x=y\r\nGET /v2/ HTTP/1.1\r\nHost: y\r\n\r\n\r\n0\r\nX-Trailer: 1\r\n\r\n\
        PATCH /v2/a/blobs/uploads/18 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
        GET /v2/a/blobs/sha256:1 HTTP/1.1\r\n\r\nGET /v2/a/blobs/sha256:2 HTTP/1.1\r\n\r\n";

    fn expected() -> Vec<(String, u64)> {
        [
            ("GET blobs", 2),
            ("GET other", 1),
            ("HEAD manifests", 1),
            ("PATCH uploads", 2),
            ("POST mounts", 1),
            ("PUT uploads", 1),
        ]
        .map(|(kind, count)| (kind.to_owned(), count))
        .to_vec()
    }

    #[test]
    fn requests_are_counted_however_the_bytes_are_cut_and_bodies_are_not_taken_for_requests() {
        for size in [1, 2, 3, 7, 50, CONVERSATION.len()] {
            let (mut scanner, mut traffic) = (RequestScanner::default(), Traffic::default());
            CONVERSATION.as_bytes().chunks(size).for_each(|chunk| scanner.scan(chunk, &mut traffic));
            assert_eq!(traffic.requests.into_iter().collect::<Vec<_>>(), expected(), "pieces of {size}");
            // The body with a length, and two chunks with their line ends.
            assert_eq!(traffic.uploaded_bytes, 30 + 7 + 32, "pieces of {size}");
        }
    }

    #[test]
    fn what_is_not_http_1_is_not_counted_and_never_fails() {
        let tls = [0x16, 3, 1, 0, 0xff].repeat(40_000);
        for bytes in [&tls[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n\r\nx\r\n\r\n"] {
            let (mut scanner, mut traffic) = (RequestScanner::default(), Traffic::default());
            scanner.scan(bytes, &mut traffic);
            assert_eq!(traffic.total(), 0);
        }
    }
}

//! One connection of a client, and the one to the registry behind it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use super::Shared;
use super::fault::Action;
use super::message::{Framing, Head};
use super::passage::Passage;

/// The first byte of a connection that begins with TLS.
const TLS_HANDSHAKE: u8 = 0x16;

/// How long a client may go on sending what nobody reads.
const LINGER: Duration = Duration::from_millis(500);

/// A connection, read through a buffer.
struct Peer {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

/// Does the connection go on after an exchange?
type GoesOn = bool;

impl Peer {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { reader: BufReader::with_capacity(64 * 1024, stream.try_clone()?), writer: stream })
    }

    /// Ends it properly although not everything was read: what was written arrives first.
    fn close_unread(&mut self) -> io::Result<()> {
        self.writer.shutdown(Shutdown::Write)?;
        self.writer.set_read_timeout(Some(LINGER))?;
        io::copy(&mut self.reader.by_ref().take(u64::from(u32::MAX)), &mut io::sink())?;
        Ok(())
    }
}

/// Answers a client until it goes, or something goes wrong on purpose.
pub(super) fn hold(client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut client = Peer::new(client)?;
    if client.reader.fill_buf()?.first() == Some(&TLS_HANDSHAKE) || shared.is_down() {
        return Ok(());
    }
    // The handshake of the connection, which the kernel has made without any delay.
    thread::sleep(2 * shared.link().delay);
    let mut upstream = None;
    while let Some(request) = Head::read(&mut client.reader)? {
        if shared.is_down() {
            return Ok(());
        }
        let (action, position) = shared.arrived(&request);
        let mut exchange = Exchange { shared, request, action: action.unwrap_or(Action::Pass), position };
        if !exchange.make(&mut client, &mut upstream)? {
            return Ok(());
        }
    }
    Ok(())
}

/// One request and its answer.
struct Exchange<'a> {
    shared: &'a Shared,
    request: Head,
    action: Action,
    position: usize,
}

impl Exchange<'_> {
    fn make(&mut self, client: &mut Peer, upstream: &mut Option<Peer>) -> io::Result<GoesOn> {
        thread::sleep(self.shared.link().delay);
        if let Action::Answer { status, headers, body, unread } = self.action.clone() {
            return self.answer(client, &status, &headers, &body, unread);
        }
        if let Action::Meanwhile(hook) = &self.action {
            hook();
        }
        if matches!(self.action, Action::IgnoreRange) {
            self.request.remove("range");
        }
        let mut server = match upstream.take() {
            Some(server) => server,
            None => Peer::new(TcpStream::connect(&self.shared.upstream)?)?,
        };
        if !self.pass_request(client, &mut server)? {
            return Ok(false);
        }
        let goes_on = self.pass_response(client, &mut server)?;
        *upstream = Some(server);
        Ok(goes_on)
    }

    fn answer(
        &self,
        client: &mut Peer,
        status: &str,
        headers: &[(String, String)],
        body: &str,
        unread: bool,
    ) -> io::Result<GoesOn> {
        if !unread {
            let (framing, sink) = (self.request.request_framing(), &mut io::sink());
            Passage::default().relay(&mut client.reader, sink, framing, |_| Ok(()))?;
        }
        let mut head = Head::answer(status, headers);
        head.set("Content-Length", body.len());
        let code = head.status();
        self.shared.note(self.position, |seen| seen.status = code);
        thread::sleep(self.shared.link().delay);
        head.write(&mut client.writer)?;
        if self.request.method() != "HEAD" {
            client.writer.write_all(body.as_bytes())?;
        }
        if unread {
            client.close_unread()?;
        }
        Ok(!unread)
    }

    /// Passes the request on; false if it did not pass whole.
    fn pass_request(&self, client: &mut Peer, server: &mut Peer) -> io::Result<bool> {
        let mut passage =
            Passage { bytes_per_second: self.shared.link().bytes_per_second, ..Passage::default() };
        match self.action {
            Action::CutRequest(after) => passage.cut = Some(after),
            Action::StallRequest(after, time) => passage.stall = Some((after, time)),
            Action::FlipRequest(at) => passage.flip = Some(at),
            _ => {}
        }
        let framing = self.request.request_framing();
        // A request without a body is cut before it, too.
        if framing == Framing::Length(0) && (passage.cut.is_some() || passage.stall.is_some()) {
            return passage.relay(&mut client.reader, &mut server.writer, framing, |_| Ok(()));
        }
        self.request.write(&mut server.writer)?;
        passage.relay(&mut client.reader, &mut server.writer, framing, |bytes| {
            self.shared.note(self.position, |seen| seen.sent += bytes);
            self.shared.objection()
        })
    }

    fn pass_response(&self, client: &mut Peer, server: &mut Peer) -> io::Result<GoesOn> {
        let mut response = Head::read(&mut server.reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut framing = response.response_framing(self.request.method());
        if let Some(location) = response.header("location") {
            let location = led_back(location, &self.shared.upstream, &self.shared.address);
            response.set("Location", location);
        }
        let mut passage =
            Passage { bytes_per_second: self.shared.link().bytes_per_second, ..Passage::default() };
        match self.action {
            Action::CutResponse(after) => passage.cut = Some(after),
            Action::StallResponse(after, time) => passage.stall = Some((after, time)),
            Action::FlipResponse(at) => passage.flip = Some(at),
            Action::ShiftRange(by) => shift_range(&mut response, by),
            Action::Truncate(to) => {
                framing = Framing::Length(to);
                response.remove("transfer-encoding");
                response.set("Content-Length", to);
            }
            _ => {}
        }
        let status = response.status();
        self.shared.note(self.position, |seen| seen.status = status);
        thread::sleep(self.shared.link().delay);
        response.write_start(&mut client.writer)?;
        if let Action::SlowHead(time) = self.action {
            thread::sleep(time);
        }
        response.write_rest(&mut client.writer)?;
        let whole = passage.relay(&mut server.reader, &mut client.writer, framing, |bytes| {
            self.shared.note(self.position, |seen| seen.received += bytes);
            self.shared.objection()
        })?;
        // What the registry had to say beyond the truncated body is still on that connection.
        let closes = matches!(self.action, Action::CloseAfter | Action::Truncate(_));
        Ok(whole && !closes && framing != Framing::ToEnd && !response.is_last() && !self.request.is_last())
    }
}

/// The address that leads to the same place by way of the proxy; other servers' addresses stay as they are.
pub(super) fn led_back(location: &str, upstream: &str, proxy: &str) -> String {
    let (scheme, rest) = location.split_once("://").unwrap_or_default();
    match rest.strip_prefix(upstream) {
        Some(path) if path.is_empty() || path.starts_with(['/', '?']) => format!("{scheme}://{proxy}{path}"),
        _ => location.to_owned(),
    }
}

/// `bytes 5-9/10` becomes `bytes 6-9/10`.
fn shift_range(response: &mut Head, by: i64) {
    let parts = response.header("content-range").and_then(|value| {
        let (first, rest) = value.strip_prefix("bytes ")?.split_once('-')?;
        Some((first.parse::<u64>().ok()?, rest.to_owned()))
    });
    if let Some((first, rest)) = parts {
        response.set("Content-Range", format!("bytes {}-{rest}", first.saturating_add_signed(by)));
    }
}

//! The head of an HTTP/1.1 message, and how long its body is (RFC 9112).

use std::io::{self, BufRead, Read, Write};

/// A longer line, or more headers than this, is no message that a registry or its client sends.
const LINE_BYTES: u64 = 64 * 1024;
const MOST_HEADERS: usize = 256;

/// The first line and the headers.
#[derive(Debug, Clone)]
pub(super) struct Head {
    start: String,
    headers: Vec<(String, String)>,
}

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// It has so many bytes.
    Length(u64),
    /// It comes in chunks.
    Chunked,
    /// It ends with the connection.
    ToEnd,
}

impl Head {
    /// The head of an answer.
    pub(super) fn answer(status: &str, headers: &[(String, String)]) -> Self {
        Self { start: format!("HTTP/1.1 {status}"), headers: headers.to_vec() }
    }

    /// Reads a head; `None` when the connection ends before it.
    pub(super) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(start) = line(reader)? else { return Ok(None) };
        let mut headers = Vec::new();
        loop {
            let text = line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if text.is_empty() {
                return Ok(Some(Self { start, headers }));
            }
            let (name, value) = text.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            headers.push((name.to_owned(), value.trim().to_owned()));
            if headers.len() > MOST_HEADERS {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    pub(super) fn method(&self) -> &str {
        self.word(0)
    }

    pub(super) fn target(&self) -> &str {
        self.word(1)
    }

    pub(super) fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or(0)
    }

    fn word(&self, number: usize) -> &str {
        self.start.split(' ').nth(number).unwrap_or_default()
    }

    /// The first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Removes the headers of this name.
    pub(super) fn remove(&mut self, name: &str) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// Gives the header of this name this value, and no other.
    pub(super) fn set(&mut self, name: &str, value: impl ToString) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_string()));
    }

    /// How the body of this request ends.
    pub(super) fn request_framing(&self) -> Framing {
        self.framing().unwrap_or(Framing::Length(0))
    }

    /// How the body of this answer to a request of that method ends.
    pub(super) fn response_framing(&self, method: &str) -> Framing {
        if method == "HEAD" || matches!(self.status(), 204 | 304) {
            return Framing::Length(0);
        }
        self.framing().unwrap_or(Framing::ToEnd)
    }

    fn framing(&self) -> Option<Framing> {
        if self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return Some(Framing::Chunked);
        }
        self.header("content-length")?.parse().ok().map(Framing::Length)
    }

    /// Does the sender close the connection after this message?
    pub(super) fn is_last(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// Writes the first line alone.
    pub(super) fn write_start(&self, writer: &mut impl Write) -> io::Result<()> {
        writer.write_all(format!("{}\r\n", self.start).as_bytes())
    }

    /// Writes everything behind the first line.
    pub(super) fn write_rest(&self, writer: &mut impl Write) -> io::Result<()> {
        let lines: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        writer.write_all(format!("{lines}\r\n").as_bytes())
    }

    pub(super) fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.write_start(&mut bytes)?;
        self.write_rest(&mut bytes)?;
        writer.write_all(&bytes)
    }
}

/// A line without its end; `None` when there is none.
pub(super) fn line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    if reader.take(LINE_BYTES).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    match line.strip_suffix('\n') {
        Some(text) => Ok(Some(text.trim_end_matches('\r').to_owned())),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

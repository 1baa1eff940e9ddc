//! A server that gives every request the same answer: a registry that refuses, is broken, or is something else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A server on a free port of the loopback interface. It lives as long as the process.
pub struct Stub {
    address: String,
}

/// What it answers.
struct Answer {
    status: &'static str,
    headers: Vec<String>,
    body: &'static str,
}

impl Stub {
    /// A server that answers every request with this status line (`401 Unauthorized`), these headers and this body.
    pub fn answering(status: &'static str, headers: &[&str], body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let headers = headers.iter().map(|&header| header.to_owned()).collect();
        let answer = Arc::new(Answer { status, headers, body });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answer.clone();
                // A client that goes away ends only its own conversation.
                thread::spawn(move || drop(converse(stream, &answer)));
            }
        });
        Self { address }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The reference of what might be in it.
    pub fn reference(&self, rest: &str) -> String {
        format!("{}/{rest}", self.address)
    }
}

fn converse(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? <= 2 {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let Answer { status, headers, body } = answer;
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
        headers.iter().for_each(|header| head.push_str(&format!("{header}\r\n")));
        let body = if request.starts_with("HEAD ") { "" } else { body };
        write!(stream, "{head}\r\n{body}")?;
    }
}

//! Why a request had no answer, in plain words.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use rustls::CertificateError;

/// A low-level failure: of the network, of name resolution, of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    kind: CauseKind,
    text: String,
}

/// What kind of low-level failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CauseKind {
    /// Nobody listens there.
    Refused,
    /// The name has no address.
    NoSuchHost,
    /// The connection broke.
    Broken,
    /// Nothing happened for too long while connecting.
    ConnectTimeout,
    /// Nothing happened for too long afterwards.
    Timeout,
    /// TLS could not be agreed on, a certificate was not accepted included.
    Tls,
    /// Anything else.
    Other,
}

impl Cause {
    pub(crate) fn new(kind: CauseKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// The registry did not begin its answer in time.
    pub(crate) fn no_headers() -> Self {
        Self::new(CauseKind::Timeout, "net/http: timeout awaiting response headers")
    }

    /// Nothing moved for too long in the middle of a body.
    pub(crate) fn stalled(seconds: u64) -> Self {
        Self::new(CauseKind::Timeout, format!("no byte has moved for {seconds} seconds"))
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> CauseKind {
        self.kind
    }

    /// Is it likely to go away by itself?
    pub fn is_temporary(&self) -> bool {
        !matches!(self.kind, CauseKind::Tls)
    }

    /// Finds the words for an error of the HTTP library, which hides the cause at the end of a long chain.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        let host = error.url().and_then(|url| url.host_str()).unwrap_or_default().to_owned();
        let mut chain = Chain(Some(error));
        let mut last = String::new();
        let mut dns = false;
        while let Some(link) = chain.next_link() {
            if let Some(tls) = link.downcast_ref::<rustls::Error>() {
                return Self::new(CauseKind::Tls, of_tls(tls, &host));
            }
            last = link.to_string();
            dns |= last.starts_with("dns error");
            if let Some(cause) = of_words(&last) {
                return cause;
            }
            if let Some(io) = link.downcast_ref::<io::Error>().filter(|_| !dns)
                && let Some(cause) = of_io(io.kind())
            {
                return cause;
            }
        }
        if dns {
            return of_dns(&host, &last);
        }
        if error.is_timeout() {
            let kind = if error.is_connect() { CauseKind::ConnectTimeout } else { CauseKind::Timeout };
            return Self::new(kind, "i/o timeout");
        }
        Self::new(CauseKind::Other, last)
    }
}

/// Walks an error's causes, into the errors that `io::Error` wraps too.
struct Chain<'a>(Option<&'a (dyn StdError + 'static)>);

impl<'a> Chain<'a> {
    fn next_link(&mut self) -> Option<&'a (dyn StdError + 'static)> {
        let link = self.0?;
        let wrapped = link.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        self.0 = match wrapped {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => link.source(),
        };
        Some(link)
    }
}

fn of_io(kind: io::ErrorKind) -> Option<Cause> {
    let (kind, text) = match kind {
        io::ErrorKind::ConnectionRefused => (CauseKind::Refused, "connection refused"),
        io::ErrorKind::ConnectionReset => (CauseKind::Broken, "connection reset by peer"),
        io::ErrorKind::ConnectionAborted => (CauseKind::Broken, "connection aborted"),
        io::ErrorKind::BrokenPipe => (CauseKind::Broken, "broken pipe"),
        io::ErrorKind::UnexpectedEof => (CauseKind::Broken, "unexpected EOF"),
        io::ErrorKind::NetworkUnreachable => (CauseKind::Other, "network is unreachable"),
        io::ErrorKind::HostUnreachable => (CauseKind::Other, "no route to host"),
        _ => return None,
    };
    Some(Cause::new(kind, text))
}

/// The HTTP library's own words where it has no types for them.
fn of_words(text: &str) -> Option<Cause> {
    let text = match text {
        "connection closed before message completed" => "EOF",
        "end of file before message length reached" | "unexpected EOF during chunk size line" => {
            "unexpected EOF"
        }
        _ => return None,
    };
    Some(Cause::new(CauseKind::Broken, text))
}

fn of_dns(host: &str, text: &str) -> Cause {
    if text.contains("Temporary failure") {
        return Cause::new(CauseKind::Other, format!("lookup {host}: temporary failure in name resolution"));
    }
    Cause::new(CauseKind::NoSuchHost, format!("lookup {host}: no such host"))
}

fn of_tls(error: &rustls::Error, host: &str) -> String {
    match error {
        rustls::Error::InvalidCertificate(certificate) => of_certificate(certificate, host),
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            "http: server gave HTTP response to HTTPS client (hint: Use --registry-insecure for a registry that only \
             speaks plain http)"
                .to_owned()
        }
        other => format!("tls: {other}"),
    }
}

fn of_certificate(error: &CertificateError, host: &str) -> String {
    const CA: &str = "(hint: Use --registry-ca-cert-path with the certificate of the authority that signed it, or \
                      --registry-verify-certs=false to accept any)";
    const ANY: &str = "(hint: Use --registry-verify-certs=false to accept it all the same)";
    match error {
        CertificateError::UnknownIssuer => {
            format!("tls: the certificate of {host} is signed by an unknown authority {CA}")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("tls: the certificate of {host} has expired {ANY}")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("tls: the certificate of {host} is not valid yet {ANY}")
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            format!("tls: the certificate is valid for {}, not for {host} {ANY}", presented.join(", "))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("tls: the certificate is not valid for {host} {ANY}")
        }
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            format!(
                "tls: the certificate of {host} is that of an authority, and not one that is trusted {CA}"
            )
        }
        other => format!("tls: the certificate of {host} cannot be accepted: {other} {ANY}"),
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Cause {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_authority_is_named_with_the_flag_that_helps() {
        let text = of_tls(&rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer), "reg.example");
        assert!(text.starts_with("tls: the certificate of reg.example is signed by an unknown authority"));
        assert!(text.contains("--registry-ca-cert-path"));
    }

    #[test]
    fn only_tls_failures_are_final() {
        assert!(of_io(io::ErrorKind::ConnectionReset).unwrap().is_temporary());
        assert!(!Cause::new(CauseKind::Tls, "x").is_temporary());
    }
}

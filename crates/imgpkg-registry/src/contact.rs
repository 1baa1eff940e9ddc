//! First contact with a registry: over https or plain http, and with which kind of credentials (section 10.1).

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use imgpkg_oci::Registry;
use url::Url;

use crate::auth::Challenge;
use crate::error::Error;
use crate::http::{Head, Response, Transport};
use crate::origin;
use crate::single_flight::SingleFlight;

/// How long https is tried alone, where plain http is allowed as well.
const HEAD_START: Duration = Duration::from_millis(300);

const MOST_REDIRECTS: usize = 10;

/// What first contact has found out.
#[derive(Debug)]
pub(crate) struct Contact {
    /// `https://host/` or `http://host/`.
    pub(crate) base: Url,
    /// What the registry wants to see; `None` where it lets anybody in.
    pub(crate) challenge: Option<Challenge>,
}

/// A registry that may not have been contacted yet.
pub(crate) struct Door {
    registry: Registry,
    insecure: bool,
    transport: Arc<Transport>,
    contact: SingleFlight<Arc<Contact>>,
}

impl Door {
    pub(crate) fn new(registry: Registry, insecure: bool, transport: Arc<Transport>) -> Self {
        Self { registry, insecure, transport, contact: SingleFlight::default() }
    }

    /// Contacts the registry, once for everybody.
    ///
    /// # Errors
    /// When it does not answer as a registry.
    pub(crate) async fn contact(&self) -> Result<Arc<Contact>, Error> {
        self.contact.get(|_| true, self.knock()).await
    }

    async fn knock(&self) -> Result<Arc<Contact>, Error> {
        let mut patient = self.transport.retry.attempts();
        let mut brief = self.transport.retry.brief().attempts();
        loop {
            let error = match self.knock_once().await {
                Ok(contact) => return Ok(Arc::new(contact)),
                Err(error) => error,
            };
            // A registry that answers is worth waiting for; a name that nobody answers to may be a typing error.
            let paused = if error.status().is_some() {
                patient.pause(error).await
            } else if error.is_abrupt() {
                brief.pause(error).await
            } else {
                Err(error)
            };
            paused.map_err(|source| Error::Contact { source: Box::new(source) })?;
        }
    }

    async fn knock_once(&self) -> Result<Contact, Error> {
        let host = self.registry.as_str();
        let secure = self.ping("https");
        if !(self.insecure || is_local(host)) {
            return secure.await;
        }
        tokio::pin!(secure);
        let first = tokio::time::timeout(HEAD_START, &mut secure).await;
        match first {
            Ok(Ok(contact)) => Ok(contact),
            Ok(Err(https)) => self.ping("http").await.map_err(|http| both(https, http)),
            Err(_) => {
                let plain = self.ping("http");
                tokio::pin!(plain);
                tokio::select! {
                    result = &mut secure => match result {
                        Ok(contact) => Ok(contact),
                        Err(https) => plain.await.map_err(|http| both(https, http)),
                    },
                    result = &mut plain => match result {
                        Ok(contact) => Ok(contact),
                        Err(http) => secure.await.map_err(|https| both(https, http)),
                    },
                }
            }
        }
    }

    /// Asks for `/v2/`, without credentials.
    async fn ping(&self, scheme: &str) -> Result<Contact, Error> {
        let text = format!("{scheme}://{}/v2/", self.registry);
        let mut url = Url::parse(&text)
            .map_err(|error| Error::Setup { problem: format!("{text} is not a URL: {error}") })?;
        for _ in 0..=MOST_REDIRECTS {
            let head = Head::new(Method::GET, url.clone());
            let response = self.transport.exchange_at_once(&head, None, bytes::Bytes::new()).await?;
            if let Some(next) = redirect(&response) {
                if origin::is_downgrade(&url, &next) {
                    return Err(head.senseless("the redirect would give up TLS"));
                }
                url = next;
                response.discard().await;
                continue;
            }
            let challenge = Challenge::of(response.headers());
            match response.status() {
                // What is open to everybody has no challenge to answer.
                status if status.is_success() => {}
                StatusCode::UNAUTHORIZED => {}
                StatusCode::FORBIDDEN if challenge.is_some() => {}
                _ => return Err(response.into_error(|refusal| refusal).await),
            }
            let challenge = challenge.filter(|_| !response.status().is_success());
            response.discard().await;
            return Ok(self.found(scheme, &url, challenge));
        }
        Err(Head::new(Method::GET, url).senseless("too many redirects"))
    }

    /// The registry is the host that was asked for, whatever it redirected to; but where it insisted on https, https it
    /// is.
    fn found(&self, scheme: &str, answered: &Url, challenge: Option<Challenge>) -> Contact {
        let mut base = answered.clone();
        if let Ok(asked) = Url::parse(&format!("{scheme}://{}/", self.registry)) {
            let same = answered.host_str() == asked.host_str() && answered.port() == asked.port();
            let upgraded = same && answered.scheme() == "https";
            if !upgraded {
                base = asked;
            }
        }
        base.set_path("/");
        base.set_query(None);
        Contact { base, challenge }
    }
}

/// Where an answer sends the client on to.
pub(crate) fn redirect(response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    origin::resolve(&response.url, response.text(http::header::LOCATION)?)
}

fn both(https: Error, http: Error) -> Error {
    Error::BothSchemes { https: Box::new(https), http: Box::new(http) }
}

/// May plain http be tried with this host without being asked to?
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let private = name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_private());
    private
        || host.starts_with("localhost:")
        || name.ends_with(".local")
        || name.ends_with(".localhost")
        || host.contains("127.0.0.1")
        || host.contains("::1")
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn plain_http_is_for_this_machine_and_private_networks() {
        for host in [
            "localhost:5000",
            "127.0.0.1:5000",
            "[::1]:5000",
            "registry.local",
            "a.localhost:80",
            "10.1.2.3",
            "192.168.0.1:5000",
            "172.16.0.1",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in
            ["localhost", "registry.example:5000", "172.32.0.1", "8.8.8.8:80", "local", "index.docker.io"]
        {
            assert!(!is_local(host), "{host}");
        }
    }
}

//! What credentials belong to: scheme, host and port.

use url::Url;

/// Scheme, host and port of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Origin {
    /// The origin of a URL.
    pub(crate) fn of(url: &Url) -> Self {
        Self {
            scheme: url.scheme().to_owned(),
            host: url.host_str().unwrap_or_default().to_ascii_lowercase(),
            port: url.port_or_known_default().unwrap_or(0),
        }
    }

    /// Is it reached over TLS?
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }
}

/// The host of a URL as people write it: with its port where that is not the usual one.
pub(crate) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Where a `Location` or a `Link` leads. A registry behind a proxy that ends TLS often names itself with `http://`;
/// where the host is the one that was asked over https, https it stays.
pub(crate) fn resolve(asked: &Url, target: &str) -> Option<Url> {
    let mut url = asked.join(target).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return None;
    }
    let same_host = url.host_str() == asked.host_str();
    let same_port = url.port() == asked.port() || matches!(url.port(), None | Some(80));
    if asked.scheme() == "https" && url.scheme() == "http" && same_host && same_port {
        let port = asked.port();
        url.set_scheme("https").ok()?;
        url.set_port(port).ok()?;
    }
    url.set_fragment(None);
    Some(url)
}

/// Would going from one to the other give up TLS?
pub(crate) fn is_downgrade(from: &Url, to: &Url) -> bool {
    from.scheme() == "https" && to.scheme() != "https"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_default_port_is_part_of_the_origin() {
        assert_eq!(Origin::of(&url("https://h/a")), Origin::of(&url("https://H:443/b")));
        assert_ne!(Origin::of(&url("https://h/")), Origin::of(&url("http://h/")));
        assert_ne!(Origin::of(&url("https://h/")), Origin::of(&url("https://h:5000/")));
    }

    #[test]
    fn locations_may_be_relative_and_keep_their_query() {
        let asked = url("https://h:5000/v2/a/blobs/uploads/");
        let resolved = |target| resolve(&asked, target).map(String::from);
        assert_eq!(resolved("abc?x=1").unwrap(), "https://h:5000/v2/a/blobs/uploads/abc?x=1");
        assert_eq!(resolved("?x=1").unwrap(), "https://h:5000/v2/a/blobs/uploads/?x=1");
        assert_eq!(resolved("/up/1").unwrap(), "https://h:5000/up/1");
        assert_eq!(resolved("https://other/up").unwrap(), "https://other/up");
        assert_eq!(resolved("ftp://other/up"), None);
        assert_eq!(resolved("file:///etc/passwd"), None);
    }

    #[test]
    fn a_registry_that_calls_itself_http_behind_tls_stays_on_tls() {
        let asked = url("https://h:5000/v2/");
        assert_eq!(resolve(&asked, "http://h:5000/up").unwrap().as_str(), "https://h:5000/up");
        assert_eq!(resolve(&asked, "http://h/up").unwrap().as_str(), "https://h:5000/up");
        assert_eq!(resolve(&asked, "http://other/up").unwrap().as_str(), "http://other/up");
        assert!(is_downgrade(&asked, &url("http://other/up")));
    }
}

//! What `--debug` shows: every request and every answer, without secrets (section 10.5 of the reference's behaviour).

use std::fmt::Write as _;
use std::sync::Arc;

use http::HeaderMap;
use url::Url;

use crate::redact;

/// Told about one event; the text may have several lines and holds no secret.
pub type Trace = Arc<dyn Fn(&str) + Send + Sync>;

/// Headers whose values are secrets.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-identity-token",
    "x-amz-security-token",
];

/// One line of an event and the headers below it.
pub(crate) fn event(line: &str, headers: &HeaderMap) -> String {
    let mut text = line.to_owned();
    for (name, value) in headers {
        let shown = match name.as_str() {
            name if SECRET_HEADERS.contains(&name) => "<redacted>".to_owned(),
            "location" | "link" => location(value.to_str().unwrap_or_default()),
            _ => value.to_str().unwrap_or("<binary>").to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{name}: {shown}");
    }
    text
}

/// A signed URL is a secret in its query.
fn location(value: &str) -> String {
    let (open, inner, rest) = match value.strip_prefix('<').and_then(|value| value.split_once('>')) {
        Some((inner, rest)) => ("<", inner, rest),
        None => ("", value, ""),
    };
    let shown = match Url::parse(inner) {
        Ok(url) => redact::url(&url),
        Err(_) => match inner.split_once('?') {
            Some((path, query)) => format!("{path}?{}", redact::query(query)),
            None => inner.to_owned(),
        },
    };
    let close = if open.is_empty() { "" } else { ">" };
    format!("{open}{shown}{close}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_blanked() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Basic aGk=".parse().unwrap());
        headers.insert("location", "https://cdn/x?sig=abc&digest=d".parse().unwrap());
        headers.insert("accept", "x/y".parse().unwrap());
        let text = event("--> GET http://h/", &headers);
        assert_eq!(
            text,
            "--> GET http://h/\nauthorization: <redacted>\nlocation: https://cdn/x?digest=d&sig=REDACTED\naccept: x/y"
        );
        assert_eq!(location("/v2/x?_state=abc"), "/v2/x?_state=REDACTED");
        assert_eq!(location("</v2/x?n=1&token=q>; rel=\"next\""), "</v2/x?n=1&token=REDACTED>; rel=\"next\"");
    }
}

//! What a registry answers when it does not do what was asked: the error documents of the distribution specification
//! ("Error Codes"), printed as the reference tool prints them (section 10.4).

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use imgpkg_oci::ErrorKind;
use serde::Deserialize;
use serde_json::Value;

/// An answer with an unexpected status code.
#[derive(Debug, Clone)]
pub struct Refusal {
    status: StatusCode,
    codes: Vec<String>,
    text: String,
    hint: Option<String>,
    retry_after: Option<Duration>,
    /// The credentials have been renewed since, so the same request may now be answered.
    renewed: bool,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    errors: Vec<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    detail: Value,
}

impl Refusal {
    /// Reads an answer; `body` is the beginning of its body, `None` after a HEAD request, whose answers have none.
    pub(crate) fn new(status: StatusCode, body: Option<&[u8]>) -> Self {
        let mut codes = Vec::new();
        let text = match body {
            None => format!(
                "unexpected status code {} (HEAD responses have no body, use GET for details)",
                status_text(status)
            ),
            Some(body) => match serde_json::from_slice::<Document>(body) {
                Ok(document) if !document.errors.is_empty() => {
                    let texts: Vec<_> = document.errors.iter().map(diagnostic_text).collect();
                    codes = document.errors.into_iter().map(|error| error.code).collect();
                    match texts.as_slice() {
                        [one] => one.clone(),
                        several => format!("multiple errors returned: {}", several.join("; ")),
                    }
                }
                _ => plain_text(status, body),
            },
        };
        Self { status, codes, text, hint: None, retry_after: None, renewed: false }
    }

    pub(crate) fn with_hint(mut self, hint: String) -> Self {
        self.hint = Some(hint);
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    pub(crate) fn with_renewed(mut self) -> Self {
        self.renewed = true;
        self
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The error codes of the answer's document, as in `MANIFEST_UNKNOWN`.
    pub fn codes(&self) -> &[String] {
        &self.codes
    }

    /// How long the registry wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What the answer means to who asked.
    pub fn kind(&self) -> ErrorKind {
        let unknown =
            |code: &String| matches!(code.as_str(), "NAME_UNKNOWN" | "MANIFEST_UNKNOWN" | "BLOB_UNKNOWN");
        if self.codes.iter().any(|code| code == "MANIFEST_BLOB_UNKNOWN") {
            return ErrorKind::MissingContent;
        }
        match self.status.as_u16() {
            401 | 403 => ErrorKind::Denied,
            413 | 507 => ErrorKind::Full,
            404 => ErrorKind::NotFound,
            _ if self.codes.iter().any(unknown) => ErrorKind::NotFound,
            _ if self.codes.iter().any(|code| code == "DIGEST_INVALID") => ErrorKind::Corrupt,
            _ => ErrorKind::Other,
        }
    }

    /// Is it worth asking again?
    pub fn is_temporary(&self) -> bool {
        let passing = |code: &String| {
            matches!(code.as_str(), "BLOB_UPLOAD_INVALID" | "TOOMANYREQUESTS" | "UNAVAILABLE")
        };
        self.renewed
            || matches!(self.status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
            || (!self.codes.is_empty() && self.codes.iter().all(passing))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

fn plain_text(status: StatusCode, body: &[u8]) -> String {
    let mut text = format!("unexpected status code {}", status_text(status));
    let body = String::from_utf8_lossy(body);
    if !body.is_empty() {
        text.push_str(": ");
        // A body goes to a terminal: no escape sequences.
        text.extend(body.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')));
    }
    text
}

fn diagnostic_text(error: &Diagnostic) -> String {
    let text = match &error.detail {
        Value::Null => format!("{}: {}", error.code, error.message),
        detail => format!("{}: {}; {}", error.code, error.message, go_value(detail)),
    };
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Go's names of the status codes, which the reference prints; three of them are not those of newer specifications.
fn status_text(status: StatusCode) -> String {
    let name = match status.as_u16() {
        413 => "Request Entity Too Large",
        416 => "Requested Range Not Satisfiable",
        _ => status.canonical_reason().unwrap_or_default(),
    };
    format!("{} {name}", status.as_u16())
}

/// A JSON value as Go's `%v` prints it: `map[k:v k2:v2]` with sorted keys, `[a b]`, numbers and texts bare.
fn go_value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(go_value).collect::<Vec<_>>().join(" "))
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            let shown: Vec<_> =
                fields.into_iter().map(|(name, value)| format!("{name}:{}", go_value(value))).collect();
            format!("map[{}]", shown.join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(status: u16, body: Option<&str>) -> String {
        Refusal::new(StatusCode::from_u16(status).unwrap(), body.map(str::as_bytes)).to_string()
    }

    #[test]
    fn one_error_is_its_code_its_message_and_its_detail() {
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"latest"}}]}"#;
        assert_eq!(text(404, Some(body)), "MANIFEST_UNKNOWN: manifest unknown; map[Tag:latest]");
        let body = r#"{"errors":[{"code":"X","message":"m","detail":{"b":[1,"z",null],"a":true}}]}"#;
        assert_eq!(text(400, Some(body)), "X: m; map[a:true b:[1 z <nil>]]");
        assert_eq!(text(400, Some(r#"{"errors":[{"code":"X","message":"m"}]}"#)), "X: m");
    }

    #[test]
    fn several_errors_are_all_listed() {
        let body = r#"{"errors":[{"code":"A","message":"a"},{"code":"B","message":"b"}]}"#;
        assert_eq!(text(400, Some(body)), "multiple errors returned: A: a; B: b");
    }

    #[test]
    fn without_an_error_document_the_status_and_the_body_are_shown() {
        assert_eq!(text(500, Some("oh no")), "unexpected status code 500 Internal Server Error: oh no");
        assert_eq!(text(500, Some("")), "unexpected status code 500 Internal Server Error");
        assert_eq!(text(502, Some("{}")), "unexpected status code 502 Bad Gateway: {}");
        assert_eq!(
            text(413, Some("a\u{1b}[31m")),
            "unexpected status code 413 Request Entity Too Large: a[31m"
        );
        assert_eq!(
            text(404, None),
            "unexpected status code 404 Not Found (HEAD responses have no body, use GET for details)"
        );
    }

    #[test]
    fn kinds_follow_status_and_code() {
        let kind = |status: u16, body: &str| {
            Refusal::new(StatusCode::from_u16(status).unwrap(), Some(body.as_bytes())).kind()
        };
        assert_eq!(kind(404, ""), ErrorKind::NotFound);
        assert_eq!(kind(400, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#), ErrorKind::NotFound);
        assert_eq!(kind(403, ""), ErrorKind::Denied);
        assert_eq!(kind(507, ""), ErrorKind::Full);
        assert_eq!(kind(400, r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#), ErrorKind::Corrupt);
        assert_eq!(kind(404, r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#), ErrorKind::MissingContent);
        assert_eq!(kind(400, ""), ErrorKind::Other);
    }
}

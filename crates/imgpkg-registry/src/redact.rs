//! URLs as they may be shown: queries can carry signatures and tokens (section 10.4 of the reference's behaviour).

use url::{Url, form_urlencoded};

/// The parameters that are known to be harmless.
const SHOWN: &[&str] = &["scope", "service", "mount", "from", "digest", "n", "last"];

/// The URL without user information, its unknown query parameters replaced.
pub(crate) fn url(url: &Url) -> String {
    let mut shown = url.clone();
    // These fail only for URLs that cannot have user information in the first place.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    if let Some(before) = url.query() {
        shown.set_query(Some(&query(before)));
    }
    shown.into()
}

/// A query, ordered by name, in which the values of unknown parameters are replaced.
pub(crate) fn query(query: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        out.append_pair(&name, if SHOWN.contains(&&*name) { &value } else { "REDACTED" });
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_parameters_are_shown() {
        let url = Url::parse("https://u:p@h/v2/?n=1000&X-Sig=abc&last=a/b").unwrap();
        assert_eq!(super::url(&url), "https://h/v2/?X-Sig=REDACTED&last=a%2Fb&n=1000");
        assert_eq!(super::url(&Url::parse("http://h:5000/v2/").unwrap()), "http://h:5000/v2/");
    }
}

//! What a registry wants to see: the `WWW-Authenticate` header (RFC 9110, section 11.6.1).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// One of the two ways to prove who we are that registries use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User name and password with every request.
    Basic,
    /// A token from the realm.
    Bearer {
        /// The URL to get it from.
        realm: String,
        /// The name that the token service knows the registry by.
        service: Option<String>,
        /// What the token must be good for.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The first challenge among the headers that can be answered.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(parse).find_map(|(scheme, parameters)| Self::from_parts(&scheme, &parameters))
    }

    fn from_parts(scheme: &str, parameters: &[(String, String)]) -> Option<Self> {
        let named = |name: &str| {
            let found = parameters.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        match scheme.to_ascii_lowercase().as_str() {
            "basic" => Some(Self::Basic),
            "bearer" => Some(Self::Bearer {
                realm: named("realm")?,
                service: named("service"),
                scope: named("scope"),
            }),
            _ => None,
        }
    }
}

type Parts = (String, Vec<(String, String)>);

/// Splits a header into challenges. A word that `=` does not follow begins a new one.
fn parse(header: &str) -> Vec<Parts> {
    let mut all: Vec<Parts> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            // Nothing left, or something that is no challenge.
            return all;
        }
        let after_blank = after.trim_start_matches([' ', '\t']);
        match after_blank.strip_prefix('=') {
            Some(value) => {
                let (value, next) = value_of(value.trim_start_matches([' ', '\t']));
                if let Some((_, parameters)) = all.last_mut() {
                    parameters.push((word.to_owned(), value));
                }
                rest = next;
            }
            None => {
                all.push((word.to_owned(), Vec::new()));
                rest = after_blank;
            }
        }
    }
}

/// A value, quoted or not, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        Challenge::of(&headers)
    }

    #[test]
    fn a_bearer_challenge_has_realm_service_and_scope() {
        let header = r#"Bearer realm="https://auth.example/token",service="reg, one" ,  scope="repository:a/b:pull,push""#;
        let Some(Challenge::Bearer { realm, service, scope }) = of(&[header]) else { panic!("no challenge") };
        assert_eq!(realm, "https://auth.example/token");
        assert_eq!(service.as_deref(), Some("reg, one"));
        assert_eq!(scope.as_deref(), Some("repository:a/b:pull,push"));
    }

    #[test]
    fn the_first_challenge_that_can_be_answered_is_taken() {
        assert_eq!(of(&["Negotiate", r#"basic realm="x""#]), Some(Challenge::Basic));
        assert_eq!(of(&[r#"Digest realm="d", nonce="n", Basic realm="x""#]), Some(Challenge::Basic));
        let both = of(&[r#"Bearer realm=https://a/t, Basic realm="x""#]);
        assert!(matches!(both, Some(Challenge::Bearer { realm, .. }) if realm == "https://a/t"));
        assert_eq!(of(&["Basic"]), Some(Challenge::Basic));
    }

    #[test]
    fn nonsense_is_no_challenge() {
        for header in
            ["", ",,,", "=", "Bearer", r#"Bearer realm="#, r#"Bearer service="x""#, "Bearer realm=\"\\"]
        {
            assert_eq!(of(&[header]), None, "{header}");
        }
    }
}

//! What proves who we are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use crate::Secret;

/// A proof of who we are, of one of the kinds that registries know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// None.
    Anonymous,
    /// User name and password.
    Basic { username: String, password: Secret },
    /// A token that the realm exchanges for access tokens (Docker's "identity token").
    Identity { token: Secret },
    /// An access token as it is.
    Registry { token: Secret },
}

/// A credential, and where it was found, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) credential: Credential,
    pub(crate) place: String,
}

impl Credential {
    /// The credential that these parts make; the stronger kinds win, as in the reference.
    pub(crate) fn from_parts(
        username: &str,
        password: Secret,
        identity_token: Secret,
        registry_token: Secret,
    ) -> Self {
        if !registry_token.is_empty() {
            Self::Registry { token: registry_token }
        } else if !identity_token.is_empty() {
            Self::Identity { token: identity_token }
        } else if !username.is_empty() {
            Self::Basic { username: username.to_owned(), password }
        } else {
            Self::Anonymous
        }
    }

    /// The header that shows user name and password, where there are both.
    pub(crate) fn basic_header(&self) -> Option<HeaderValue> {
        match self {
            Self::Basic { username, password } if !password.is_empty() => {
                let pair = format!("{username}:{}", password.expose());
                sensitive(&format!("Basic {}", STANDARD.encode(pair)))
            }
            _ => None,
        }
    }
}

/// The header that shows a token.
pub(crate) fn bearer_header(token: &Secret) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {}", token.expose()))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_without_password_sends_nothing() {
        let of = |username: &str, password: &str| {
            Credential::from_parts(username, password.into(), Secret::default(), Secret::default())
        };
        assert_eq!(of("u", "").basic_header(), None);
        assert_eq!(of("", "p"), Credential::Anonymous);
        assert_eq!(of("u", "p").basic_header().unwrap(), "Basic dTpw");
    }

    #[test]
    fn nothing_of_a_credential_is_printed() {
        let credential = Credential::Basic { username: "u".to_owned(), password: "hunter2".into() };
        let shown = format!("{credential:?} {:?}", credential.basic_header());
        assert!(!shown.contains("hunter2") && !shown.contains("Basic dTp"), "{shown}");
    }
}

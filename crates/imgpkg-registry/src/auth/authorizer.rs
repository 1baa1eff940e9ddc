//! The header that a request to one repository needs.
//!
//! Credentials belong to the scheme, host and port that the registry answered under. A request that goes anywhere else
//! gets no header, whoever sent it there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use imgpkg_oci::Repository;
use tokio::sync::OnceCell;
use url::Url;

use super::challenge::Challenge;
use super::credential::{Credential, Found, bearer_header};
use super::keychain::Keychain;
use super::token::{Token, TokenRequest};
use crate::Secret;
use crate::contact::Contact;
use crate::error::Error;
use crate::http::{Head, Transport};
use crate::origin::Origin;
use crate::single_flight::SingleFlight;

/// What a request wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing that needs to be allowed: somebody else's server.
    Nobody,
    /// Read.
    Pull,
    /// Read and write.
    Push,
    /// Write, and read from another repository of the same registry.
    Mount {
        /// The path of the other repository.
        from: String,
    },
}

/// Who we are to one repository.
pub(crate) struct Authorizer {
    repository: Repository,
    keychain: Arc<Keychain>,
    transport: Arc<Transport>,
    found: OnceCell<Found>,
    tokens: Mutex<HashMap<Vec<String>, Arc<SingleFlight<Token>>>>,
    learned: Mutex<Learned>,
}

/// What the registry said in the middle of it all.
#[derive(Default)]
struct Learned {
    challenge: Option<Challenge>,
    scopes: Vec<String>,
    refresh_token: Option<Secret>,
}

impl Authorizer {
    pub(crate) fn new(repository: Repository, keychain: Arc<Keychain>, transport: Arc<Transport>) -> Self {
        Self {
            repository,
            keychain,
            transport,
            found: OnceCell::new(),
            tokens: Mutex::default(),
            learned: Mutex::default(),
        }
    }

    /// The header for a request to `url`.
    ///
    /// # Errors
    /// When credentials cannot be read, or the realm gives no token.
    pub(crate) async fn header(
        &self,
        contact: &Contact,
        url: &Url,
        access: &Access,
    ) -> Result<Option<HeaderValue>, Error> {
        if *access == Access::Nobody || Origin::of(url) != Origin::of(&contact.base) {
            return Ok(None);
        }
        let challenge = self.learned().challenge.clone().or_else(|| contact.challenge.clone());
        match challenge {
            None => Ok(None),
            Some(Challenge::Basic) => match &self.found().await?.credential {
                Credential::Registry { token } => Ok(bearer_header(token)),
                credential => Ok(credential.basic_header()),
            },
            Some(Challenge::Bearer { realm, service, .. }) => {
                if let Credential::Registry { token } = &self.found().await?.credential {
                    return Ok(bearer_header(token));
                }
                let token = self.token(contact, &realm, service.as_deref(), access).await?;
                Ok(bearer_header(&token.secret))
            }
        }
    }

    /// Takes note that a request with this header was refused with this challenge. Is it worth repeating it once?
    pub(crate) async fn refused(
        &self,
        used: Option<&HeaderValue>,
        challenge: Challenge,
        access: &Access,
    ) -> bool {
        if *access == Access::Nobody {
            return false;
        }
        let is_basic = challenge == Challenge::Basic;
        let credential = match self.found().await {
            Ok(found) => &found.credential,
            Err(_) => return false,
        };
        let is_registry_token = matches!(credential, Credential::Registry { .. });
        let has_header = is_registry_token || credential.basic_header().is_some();
        {
            let mut learned = self.learned();
            if let Challenge::Bearer { scope: Some(scope), .. } = &challenge {
                for scope in scope.split(' ').filter(|scope| !scope.is_empty()).rev() {
                    if !self.own_scopes(access).iter().any(|own| own == scope) {
                        learned.scopes.retain(|known| known != scope);
                        learned.scopes.insert(0, scope.to_owned());
                    }
                }
            }
            learned.challenge = Some(challenge);
        }
        if is_basic || is_registry_token {
            // The same header would be refused again; but perhaps none was sent.
            return used.is_none() && has_header;
        }
        if let Some(used) = used {
            let flights: Vec<_> = self.tokens().values().cloned().collect();
            for flight in flights {
                flight.drop_if(|token| bearer_header(&token.secret).as_ref() == Some(used)).await;
            }
        }
        true
    }

    /// Which credentials are used, for who has just been told that they do not suffice.
    pub(crate) fn describe(&self) -> String {
        let registry = self.repository.registry();
        match self.found.get() {
            Some(Found { credential: Credential::Anonymous, place })
                if place.starts_with("--") || place == "$IMGPKG_ANON" =>
            {
                format!("asked {registry} without credentials because of {place}")
            }
            Some(Found { credential: Credential::Anonymous, place }) if place.starts_with('$') => {
                format!("asked {registry} without credentials, because {place} matches and gives none")
            }
            Some(Found { credential: Credential::Anonymous, .. }) => format!(
                "no credentials were found for {registry}, use --registry-username and --registry-password, or log in \
                 with docker or podman"
            ),
            Some(Found { place, .. }) => format!("the credentials for {registry} came from {place}"),
            None => format!("{registry} did not ask for credentials"),
        }
    }

    async fn found(&self) -> Result<&Found, Error> {
        self.found.get_or_try_init(async || self.keychain.find(&self.repository).await).await
    }

    async fn token(
        &self,
        contact: &Contact,
        realm: &str,
        service: Option<&str>,
        access: &Access,
    ) -> Result<Token, Error> {
        let own = self.own_scopes(access);
        let scopes = self.with_learned(own);
        // Who may push may pull.
        if *access == Access::Pull {
            let wider = self.with_learned(self.own_scopes(&Access::Push));
            let known = self.tokens().get(&wider).cloned();
            if let Some(token) = known.and_then(|flight| flight.peek()).filter(Token::is_fresh) {
                return Ok(token);
            }
        }
        let flight = Arc::clone(self.tokens().entry(scopes.clone()).or_default());
        let fetch = self.fetch(contact, realm, service, &scopes);
        flight.get(Token::is_fresh, fetch).await
    }

    async fn fetch(
        &self,
        contact: &Contact,
        realm: &str,
        service: Option<&str>,
        scopes: &[String],
    ) -> Result<Token, Error> {
        let asked = Head::new(http::Method::GET, contact.base.clone());
        let realm = contact
            .base
            .join(realm)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| asked.senseless(format!("the token realm is not a URL: {realm}")))?;
        if Origin::of(&contact.base).is_secure() && !Origin::of(&realm).is_secure() {
            return Err(asked.senseless(format!(
                "the token realm {} is plain http, where credentials could be read by anybody",
                crate::redact::url(&realm)
            )));
        }
        let refreshed = self.learned().refresh_token.clone();
        let found = self.found().await?;
        let credential = match refreshed {
            Some(token) => Credential::Identity { token },
            None => found.credential.clone(),
        };
        let request = TokenRequest { realm, service, scopes, credential: &credential };
        let result = request.send(&self.transport).await;
        let (token, refresh) = result.map_err(|error| {
            let source = Box::new(self.explained(error));
            Error::Contact { source }
        })?;
        if refresh.is_some() && matches!(credential, Credential::Identity { .. }) {
            self.learned().refresh_token = refresh;
        }
        Ok(token)
    }

    fn explained(&self, error: Error) -> Error {
        match error {
            Error::Status { method, url, source } if matches!(source.status().as_u16(), 401 | 403) => {
                Error::Status { method, url, source: Box::new(source.with_hint(self.describe())) }
            }
            error => error,
        }
    }

    fn own_scopes(&self, access: &Access) -> Vec<String> {
        let path = self.repository.path();
        match access {
            Access::Nobody => Vec::new(),
            Access::Pull => vec![format!("repository:{path}:pull")],
            Access::Push => vec![format!("repository:{path}:push,pull")],
            Access::Mount { from } => {
                vec![format!("repository:{path}:push,pull"), format!("repository:{from}:pull")]
            }
        }
    }

    fn with_learned(&self, own: Vec<String>) -> Vec<String> {
        let mut scopes = self.learned().scopes.clone();
        scopes.retain(|scope| !own.contains(scope));
        scopes.extend(own);
        scopes
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<Vec<String>, Arc<SingleFlight<Token>>>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

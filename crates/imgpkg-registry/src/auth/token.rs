//! Access tokens: asking a realm for one (the distribution project's token authentication, and its OAuth2 variant for
//! identity tokens).

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::credential::Credential;
use crate::error::Error;
use crate::http::{Head, Response, Transport};
use crate::{Secret, contact, origin};

/// The largest answer of a token service that is read.
const MOST_BYTES: u64 = 64 * 1024;

/// What a token is good for where the service does not say.
const DEFAULT_LIFE: u64 = 60;

const CLIENT_ID: &str = "imgpkg";

const MOST_REDIRECTS: usize = 10;

/// An access token, as long as it is good for.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) secret: Secret,
    renew_at: Instant,
}

impl Token {
    /// Will it be good for a while?
    pub(crate) fn is_fresh(&self) -> bool {
        Instant::now() < self.renew_at
    }
}

/// What is asked of a realm.
pub(crate) struct TokenRequest<'a> {
    pub(crate) realm: Url,
    pub(crate) service: Option<&'a str>,
    pub(crate) scopes: &'a [String],
    pub(crate) credential: &'a Credential,
}

/// What a realm answers.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: Secret,
    #[serde(default)]
    access_token: Secret,
    #[serde(default)]
    expires_in: Option<f64>,
    #[serde(default)]
    refresh_token: Secret,
}

impl TokenRequest<'_> {
    /// Gets a token, and a new identity token where the realm hands one out.
    ///
    /// # Errors
    /// When the realm refuses, or its answer holds no token.
    pub(crate) async fn send(&self, transport: &Transport) -> Result<(Token, Option<Secret>), Error> {
        let mut attempts = transport.retry.attempts();
        loop {
            match self.send_once(transport).await {
                Ok(token) => return Ok(token),
                Err(error) => attempts.pause(error).await?,
            }
        }
    }

    async fn send_once(&self, transport: &Transport) -> Result<(Token, Option<Secret>), Error> {
        let asked_at = Instant::now();
        let mut response = match self.credential {
            Credential::Identity { token } => {
                let response = self.post(transport, token).await?;
                match response.status() {
                    StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => self.get(transport).await?,
                    _ => response,
                }
            }
            _ => self.get(transport).await?,
        };
        if !response.status().is_success() {
            return Err(response.into_error(|refusal| refusal).await);
        }
        let body = response.document(MOST_BYTES).await?;
        let answer: Option<Answer> = serde_json::from_slice(&body).ok();
        let keeps_a_secret = answer.as_ref().is_some_and(|answer| !answer.refresh_token.is_empty());
        let Some(answer) = answer.filter(|a| !(a.access_token.is_empty() && a.token.is_empty())) else {
            let body = String::from_utf8_lossy(&body);
            let shown: String = body.chars().filter(|c| !c.is_control()).take(1024).collect();
            let shown = if keeps_a_secret { "[redacted]" } else { &shown };
            return Err(response.head().senseless(format!("no token in bearer response:\n{shown}")));
        };
        let life = answer.expires_in.unwrap_or(0.0).clamp(0.0, 1e9) as u64;
        let life = if life == 0 { DEFAULT_LIFE } else { life };
        // Renewed when a tenth of its life is left, so that a request that is under way does not lose it.
        let renew_at = asked_at + Duration::from_secs(life).mul_f64(0.9);
        let secret = if answer.access_token.is_empty() { answer.token } else { answer.access_token };
        let refresh = Some(answer.refresh_token).filter(|token| !token.is_empty());
        Ok((Token { secret, renew_at }, refresh))
    }

    async fn get(&self, transport: &Transport) -> Result<Response, Error> {
        let mut url = self.realm.clone();
        {
            let mut query = url.query_pairs_mut();
            for scope in self.scopes {
                query.append_pair("scope", scope);
            }
            if let Some(service) = self.service {
                query.append_pair("service", service);
            }
        }
        let home = origin::Origin::of(&url);
        let header = self.credential.basic_header();
        for _ in 0..=MOST_REDIRECTS {
            let head = Head::new(Method::GET, url.clone());
            let shown = header.as_ref().filter(|_| origin::Origin::of(&url) == home);
            let response = transport.exchange_at_once(&head, shown, Bytes::new()).await?;
            match contact::redirect(&response) {
                Some(next) if origin::is_downgrade(&url, &next) => {
                    return Err(head.senseless("the redirect would give up TLS"));
                }
                Some(next) => url = next,
                None => return Ok(response),
            }
        }
        Err(Head::new(Method::GET, url).senseless("too many redirects"))
    }

    async fn post(&self, transport: &Transport, token: &Secret) -> Result<Response, Error> {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let head = Head::new(Method::POST, self.realm.clone()).header(CONTENT_TYPE, kind);
        transport.exchange_at_once(&head, None, self.form(token).into()).await
    }
    fn form(&self, token: &Secret) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", token.expose())
            .append_pair("client_id", CLIENT_ID)
            .append_pair("scope", &self.scopes.join(" "));
        if let Some(service) = self.service {
            form.append_pair("service", service);
        }
        form.finish()
    }
}

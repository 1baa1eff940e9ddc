//! Where credentials come from, in order (section 11.1 of the reference's behaviour): `IMGPKG_REGISTRY_*`, then what
//! the user said, then Docker's configuration, then none at all.

use std::collections::HashMap;
use std::time::Duration;

use imgpkg_oci::Repository;
use tokio::sync::{Mutex, OnceCell};

use super::credential::{Credential, Found};
use super::docker_config::{self, DockerConfig};
use super::env::Entries;
use super::helper;
use crate::{ClientOptions, Environment, Error, Login, Secret};

/// How often a helper is asked.
const HELPER_ATTEMPTS: u32 = 5;

/// All sources of credentials.
pub(crate) struct Keychain {
    environment: Environment,
    login: Option<Found>,
    entries: OnceCell<Entries>,
    docker: OnceCell<Option<DockerConfig>>,
    /// What helpers have said, by helper and server. Held while one is asked, so that there is one at a time.
    answers: Mutex<HashMap<(String, String), Option<Credential>>>,
    helper_pause: Duration,
}

impl Keychain {
    pub(crate) fn new(options: &ClientOptions) -> Self {
        Self {
            environment: options.environment.clone(),
            login: login(&options.login, &options.environment),
            entries: OnceCell::new(),
            docker: OnceCell::new(),
            answers: Mutex::default(),
            helper_pause: options.retry_pause * 2,
        }
    }

    /// The credential for a repository.
    ///
    /// # Errors
    /// When a source that comes before one with an answer cannot be read.
    pub(crate) async fn find(&self, repository: &Repository) -> Result<Found, Error> {
        let entries = self.entries.get_or_try_init(async || Entries::read(&self.environment)).await?;
        if let Some(found) = entries.find(repository) {
            return Ok(found);
        }
        if let Some(found) = &self.login {
            return Ok(found.clone());
        }
        let docker = self.docker.get_or_try_init(async || DockerConfig::read(&self.environment)).await?;
        if let Some(config) = docker
            && let Some(found) = self.in_docker_config(config, repository).await?
        {
            return Ok(found);
        }
        Ok(Found { credential: Credential::Anonymous, place: "no credentials".to_owned() })
    }

    async fn in_docker_config(
        &self,
        config: &DockerConfig,
        repository: &Repository,
    ) -> Result<Option<Found>, Error> {
        for key in docker_config::keys(repository) {
            if key.is_end
                && let Some(name) = config.helper(&key.text)
                && let Some(credential) = self.ask_helper(name, &key.text).await?
            {
                return Ok(Some(Found { credential, place: format!("docker-credential-{name}") }));
            }
            if let Some(credential) = config.entry(&key)? {
                return Ok(Some(Found { credential, place: config.path.display().to_string() }));
            }
        }
        Ok(None)
    }

    async fn ask_helper(&self, name: &str, server: &str) -> Result<Option<Credential>, Error> {
        let mut answers = self.answers.lock().await;
        let asked = (name.to_owned(), server.to_owned());
        if let Some(answer) = answers.get(&asked) {
            return Ok(answer.clone());
        }
        let mut problem = String::new();
        for attempt in 0..HELPER_ATTEMPTS {
            // A program that is not there will not be there in two seconds.
            if attempt > 0 && !problem.contains("executable file not found") {
                tokio::time::sleep(self.helper_pause).await;
            }
            let (name, server) = asked.clone();
            let environment = self.environment.clone();
            let task = tokio::task::spawn_blocking(move || helper::ask(&name, &server, &environment));
            match task.await {
                Ok(Ok(answer)) => {
                    answers.insert(asked, answer.clone());
                    return Ok(answer);
                }
                Ok(Err(error)) if error.last => return Err(Error::Credentials { problem: error.problem }),
                Ok(Err(error)) => problem = error.problem,
                Err(error) => problem = error.to_string(),
            }
        }
        Err(Error::Credentials { problem: format!("Retried {HELPER_ATTEMPTS} times: {problem}") })
    }
}

/// What the user said, on the command line or else in the environment.
fn login(flags: &Login, environment: &Environment) -> Option<Found> {
    let given = |flag: Option<&str>, name: &str| {
        flag.filter(|flag| !flag.is_empty()).or_else(|| environment.get(name)).unwrap_or_default().to_owned()
    };
    let username = given(flags.username.as_deref(), "IMGPKG_USERNAME");
    let password = Secret::from(given(flags.password.as_ref().map(Secret::expose), "IMGPKG_PASSWORD"));
    let token = Secret::from(given(flags.token.as_ref().map(Secret::expose), "IMGPKG_TOKEN"));
    let anonymous = flags.anonymous || environment.get("IMGPKG_ANON") == Some("true");
    let is_flag = |flag: Option<&str>| flag.is_some_and(|flag| !flag.is_empty());
    let found = |credential, by_flag: bool, flag: &str, variable: &str| {
        let place = if by_flag { flag } else { variable };
        Some(Found { credential, place: place.to_owned() })
    };
    if !username.is_empty() {
        let by_flag = is_flag(flags.username.as_deref());
        found(Credential::Basic { username, password }, by_flag, "--registry-username", "$IMGPKG_USERNAME")
    } else if !token.is_empty() {
        let by_flag = is_flag(flags.token.as_ref().map(Secret::expose));
        found(Credential::Registry { token }, by_flag, "--registry-token", "$IMGPKG_TOKEN")
    } else if anonymous {
        found(Credential::Anonymous, flags.anonymous, "--registry-anon", "$IMGPKG_ANON")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn find(options: ClientOptions) -> Found {
        Keychain::new(&options).find(&Repository::parse("h.io/a/b").unwrap()).await.unwrap()
    }

    fn options(environment: Environment, login: Login) -> ClientOptions {
        let retry_pause = Duration::from_millis(1);
        ClientOptions { environment, login, retry_pause, ..ClientOptions::default() }
    }

    #[tokio::test]
    async fn the_environments_entries_come_before_the_flags() {
        let login = Login { username: Some("flag".to_owned()), ..Login::default() };
        let environment = Environment::default().with("IMGPKG_REGISTRY_HOSTNAME", "h.io");
        assert_eq!(find(options(environment, login.clone())).await.credential, Credential::Anonymous);
        assert_eq!(find(options(Environment::default(), login)).await.place, "--registry-username");
    }

    #[tokio::test]
    async fn variables_stand_in_for_flags_that_are_not_given() {
        let environment = Environment::default().with("IMGPKG_USERNAME", "env").with("IMGPKG_PASSWORD", "pw");
        let login = Login { username: Some("flag".to_owned()), ..Login::default() };
        let found = find(options(environment, login)).await;
        let expected = Credential::Basic { username: "flag".to_owned(), password: "pw".into() };
        assert_eq!(found.credential, expected);
        let anonymous =
            find(options(Environment::default().with("IMGPKG_ANON", "yes"), Login::default())).await;
        assert_eq!(anonymous.place, "no credentials");
    }

    #[tokio::test]
    async fn a_missing_helper_is_reported_as_the_reference_does() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), r#"{"credsStore":"missing"}"#).unwrap();
        let environment =
            Environment::default().with("DOCKER_CONFIG", dir.path().to_str().unwrap()).with("PATH", "/nope");
        let keychain = Keychain::new(&options(environment, Login::default()));
        let error = keychain.find(&Repository::parse("h.io/a/b").unwrap()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Unable retrieve credentials for registry: Retried 5 times: error getting credentials - err: exec: \
             \"docker-credential-missing\": executable file not found in $PATH, out: ``"
        );
    }
}

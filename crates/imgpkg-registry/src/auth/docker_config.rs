//! Docker's `config.json` and Podman's `auth.json` (section 11.4 of the reference's behaviour).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use imgpkg_oci::Repository;
use serde::Deserialize;

use super::credential::Credential;
use crate::{Environment, Error, Secret};

/// The key of Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// The largest configuration that is read.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A configuration file that has been read.
#[derive(Debug)]
pub(crate) struct DockerConfig {
    pub(crate) path: PathBuf,
    content: Content,
}

#[derive(Debug, Default, Deserialize)]
struct Content {
    #[serde(default)]
    auths: Option<BTreeMap<String, Option<Entry>>>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
    #[serde(default, rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: Secret,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Secret,
    #[serde(default)]
    identitytoken: Secret,
    #[serde(default)]
    registrytoken: Secret,
}

/// What is looked up for a repository, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) text: String,
    /// The repository itself and its registry may be asked of helpers; what is between only stands in files.
    pub(crate) is_end: bool,
}

/// The keys of a repository: itself, the paths above it, its registry.
pub(crate) fn keys(repository: &Repository) -> Vec<Key> {
    let registry = repository.registry();
    let mut path = repository.path();
    let mut keys = vec![Key { text: format!("{registry}/{path}"), is_end: true }];
    while let Some((parent, _)) = path.rsplit_once('/') {
        keys.push(Key { text: format!("{registry}/{parent}"), is_end: false });
        path = parent;
    }
    let last = if registry.is_docker_hub() { HUB_KEY } else { registry.as_str() };
    keys.push(Key { text: last.to_owned(), is_end: true });
    keys
}

impl DockerConfig {
    /// Reads the configuration that counts, if there is one.
    ///
    /// # Errors
    /// When it cannot be read or is not what it should be.
    pub(crate) fn read(environment: &Environment) -> Result<Option<Self>, Error> {
        let Some(path) = locate(environment) else { return Ok(None) };
        let failed = |problem: String| Error::Credentials { problem };
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.len() > MOST_BYTES => {
                return Err(failed(format!("{} is larger than {MOST_BYTES} bytes", path.display())));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            _ => {}
        }
        let bytes = std::fs::read(&path)
            .map_err(|error| failed(format!("loading config file: {}: {error}", path.display())))?;
        // Only line and column of what is wrong: the file is full of secrets.
        let content: Content = serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            failed(format!(
                "loading config file: {}: invalid at line {line}, column {column}",
                path.display()
            ))
        })?;
        Ok(Some(Self { path, content }))
    }

    /// The helper that keeps what this key stands for.
    pub(crate) fn helper(&self, key: &str) -> Option<&str> {
        let own = self.content.helpers.as_ref().and_then(|helpers| {
            helpers.get(key).or_else(|| helpers.get(host_of(key)).filter(|_| key == HUB_KEY))
        });
        own.or(self.content.store.as_ref()).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// What stands in the file for this key: exactly, or, for a registry, under any spelling of its address.
    ///
    /// # Errors
    /// When the entry cannot be decoded.
    pub(crate) fn entry(&self, key: &Key) -> Result<Option<Credential>, Error> {
        let Some(auths) = &self.content.auths else { return Ok(None) };
        let exact = auths.get(&key.text);
        let spelled = || {
            let host = host_of(&key.text);
            let wanted = if key.text == HUB_KEY { host } else { &key.text };
            let same = |name: &str| names_registry(name) && host_of(name) == wanted;
            auths.iter().find(|(name, _)| key.is_end && same(name)).map(|(_, entry)| entry)
        };
        let Some(entry) = exact.or_else(spelled).cloned().flatten() else { return Ok(None) };
        let credential = entry.credential().ok_or_else(|| Error::Credentials {
            problem: format!("{}: the entry for {} cannot be decoded", self.path.display(), key.text),
        })?;
        Ok(Some(credential).filter(|credential| *credential != Credential::Anonymous))
    }
}

impl Entry {
    /// `auth` is `user:password` in Base64 and replaces the two fields.
    fn credential(self) -> Option<Credential> {
        let mut username = self.username.unwrap_or_default();
        let mut password = self.password;
        if !self.auth.is_empty() {
            let decoded = String::from_utf8(ANY_PADDING.decode(self.auth.expose()).ok()?).ok()?;
            let (user, secret) = decoded.split_once(':')?;
            username = user.to_owned();
            password = secret.trim_end_matches('\0').into();
        }
        Some(Credential::from_parts(&username, password, self.identitytoken, self.registrytoken))
    }
}

/// Which file counts.
fn locate(environment: &Environment) -> Option<PathBuf> {
    let home = environment.get("HOME").map(|home| Path::new(home).join(".docker"));
    let named = environment.get("DOCKER_CONFIG").map(PathBuf::from);
    let exists = |dir: &Option<PathBuf>| dir.as_ref().is_some_and(|dir| dir.join("config.json").is_file());
    if exists(&home) || exists(&named) {
        return named.or(home).map(|dir| dir.join("config.json"));
    }
    if let Some(file) = environment.get("REGISTRY_AUTH_FILE") {
        return Some(file.into());
    }
    let run = environment.get("XDG_RUNTIME_DIR")?;
    Some(Path::new(run).join("containers/auth.json")).filter(|path| path.is_file())
}

/// Is this the address of a whole registry, in one of the ways it has been written over time, and not of a path in it?
fn names_registry(key: &str) -> bool {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let path = bare.split_once('/').map_or("", |(_, path)| path).trim_end_matches('/');
    matches!(path, "" | "v1" | "v2")
}

/// The host of a key: without scheme and path.
fn host_of(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    bare.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(json: &str, repository: &str) -> Option<Credential> {
        let config = DockerConfig { path: PathBuf::from("c"), content: serde_json::from_str(json).unwrap() };
        let repository = Repository::parse(repository).unwrap();
        keys(&repository).iter().find_map(|key| config.entry(key).unwrap())
    }

    fn basic(username: &str, password: &str) -> Option<Credential> {
        Some(Credential::Basic { username: username.to_owned(), password: password.into() })
    }

    #[test]
    fn the_longest_path_wins_and_spellings_of_the_host_are_understood() {
        let json = r#"{"auths": {
            "https://h.io:5000/v2/": {"auth": "dTpwOnE="},
            "h.io:5000/team": {"username": "t", "password": "x"},
            "h.io:5000/team/app": {"registrytoken": "tok"}
        }}"#;
        assert_eq!(lookup(json, "h.io:5000/other/app"), basic("u", "p:q"));
        assert_eq!(lookup(json, "h.io:5000/team/more"), basic("t", "x"));
        assert_eq!(lookup(json, "h.io:5000/team/app"), Some(Credential::Registry { token: "tok".into() }));
        assert_eq!(lookup(json, "h.io/team/app"), None);
    }

    #[test]
    fn docker_hub_has_its_own_key() {
        let json = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "dTpw"}, "x.io": {}}, "credHelpers": null}"#;
        assert_eq!(lookup(json, "ubuntu"), basic("u", "p"));
        assert_eq!(lookup(json, "x.io/app"), None);
        assert_eq!(lookup(r#"{"auths": null}"#, "x.io/app"), None);
    }

    #[test]
    fn helpers_are_chosen_by_host_and_then_by_default() {
        let json =
            r#"{"credsStore": "desktop", "credHelpers": {"gcr.io": "gcloud", "index.docker.io": "hub"}}"#;
        let config = DockerConfig { path: PathBuf::new(), content: serde_json::from_str(json).unwrap() };
        assert_eq!(config.helper("gcr.io"), Some("gcloud"));
        assert_eq!(config.helper("gcr.io/project/app"), Some("desktop"));
        assert_eq!(config.helper(HUB_KEY), Some("hub"));
    }

    #[test]
    fn the_file_is_found_as_the_reference_finds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let text = |name: &str| path(name).to_str().unwrap().to_owned();
        std::fs::create_dir_all(path("home/.docker")).unwrap();
        std::fs::create_dir_all(path("run/containers")).unwrap();
        std::fs::write(path("run/containers/auth.json"), "{}").unwrap();
        let environment =
            Environment::default().with("HOME", text("home")).with("XDG_RUNTIME_DIR", text("run"));
        assert_eq!(locate(&environment), Some(path("run/containers/auth.json")));
        std::fs::write(path("home/.docker/config.json"), "{").unwrap();
        assert_eq!(locate(&environment), Some(path("home/.docker/config.json")));
        let error = DockerConfig::read(&environment).unwrap_err().to_string();
        assert!(error.ends_with("config.json: invalid at line 1, column 1"), "{error}");
        let moved = environment.with("DOCKER_CONFIG", text("elsewhere"));
        assert_eq!(locate(&moved), Some(path("elsewhere/config.json")));
        assert!(DockerConfig::read(&moved).unwrap().is_none());
    }
}

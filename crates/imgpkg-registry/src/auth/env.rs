//! Credentials from `IMGPKG_REGISTRY_*` (section 11.2 of the reference's behaviour): entries for hosts, with paths and
//! wildcards.

use std::collections::BTreeMap;

use imgpkg_oci::Repository;

use super::credential::{Credential, Found};
use crate::{Environment, Error, Secret};

const PREFIX: &str = "IMGPKG_REGISTRY_";

/// Configuration of something else that has the same prefix.
const NOT_OURS: &str = "IMGPKG_REGISTRY_AZURE_CR_CONFIG";

/// What variables of the same suffix say together.
#[derive(Debug, Clone, Default)]
struct Entry {
    /// Host with port, and path, as in `gcr.io/project`.
    location: String,
    variable: String,
    username: String,
    password: Secret,
    identity_token: Secret,
    registry_token: Secret,
}

/// The entries, the more specific ones first.
#[derive(Debug, Default)]
pub(crate) struct Entries(Vec<Entry>);

impl Entries {
    /// Reads the entries.
    ///
    /// # Errors
    /// When there is a variable of this prefix that means nothing, or a host that is none.
    pub(crate) fn read(environment: &Environment) -> Result<Self, Error> {
        let mut entries: BTreeMap<&str, Entry> = BTreeMap::new();
        for (name, value) in environment.iter() {
            let Some(rest) = name.strip_prefix(PREFIX).filter(|_| name != NOT_OURS) else { continue };
            let known = ["HOSTNAME", "USERNAME", "PASSWORD", "IDENTITY_TOKEN", "REGISTRY_TOKEN"];
            let found = known.into_iter().find_map(|field| {
                let suffix = rest.strip_prefix(field)?;
                (suffix.is_empty() || suffix.starts_with('_')).then_some((field, suffix))
            });
            let Some((field, suffix)) = found else {
                return Err(Error::Credentials { problem: format!("Unknown env variable '{name}'") });
            };
            let entry = entries.entry(suffix).or_default();
            match field {
                "HOSTNAME" => {
                    entry.location = location(value)?;
                    entry.variable = name.to_owned();
                }
                "USERNAME" => entry.username = value.to_owned(),
                "PASSWORD" => entry.password = value.into(),
                "IDENTITY_TOKEN" => entry.identity_token = value.into(),
                _ => entry.registry_token = value.into(),
            }
        }
        let mut entries: Vec<_> = entries.into_values().filter(|entry| !entry.location.is_empty()).collect();
        entries.sort_by(|a, b| b.location.cmp(&a.location));
        Ok(Self(entries))
    }

    /// The first entry for a repository.
    pub(crate) fn find(&self, repository: &Repository) -> Option<Found> {
        let entry = self.0.iter().find(|entry| matches(&entry.location, repository))?;
        let Entry { username, password, identity_token, registry_token, .. } = entry.clone();
        Some(Found {
            credential: Credential::from_parts(&username, password, identity_token, registry_token),
            place: format!("${}", entry.variable),
        })
    }
}

/// Host and path of what was given as a host name.
fn location(given: &str) -> Result<String, Error> {
    let bare = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://")).unwrap_or(given);
    let (host, path) = match bare.split_once('/') {
        Some((host, path)) => (host, format!("/{path}")),
        None => (bare, String::new()),
    };
    check(bare, host)?;
    let path = match path.strip_prefix("/v1/").or_else(|| path.strip_prefix("/v2/")) {
        Some("") => String::new(),
        Some(rest) => format!("/{rest}"),
        None if path == "/" => String::new(),
        None => path,
    };
    Ok(format!("{host}{path}"))
}

/// Refuses what could not stand between `https://` and a path, wildcards apart.
fn check(bare: &str, host: &str) -> Result<(), Error> {
    let is_escape = |at: usize| {
        let digits = bare.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let bad_escape = bare.match_indices('%').map(|(at, _)| at).find(|at| !is_escape(*at));
    let (_, port) = split_port(host);
    let problem = if let Some(at) = bad_escape {
        let shown: String = bare.get(at..).unwrap_or_default().chars().take(3).collect();
        format!("invalid URL escape \"{shown}\"")
    } else if host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        "invalid character in host name".to_owned()
    } else if !port.bytes().all(|b| b.is_ascii_digit() || b == b'*') {
        format!("invalid port \":{port}\" after host")
    } else {
        return Ok(());
    };
    Err(Error::Credentials {
        problem: format!(
            "Parsing registry hostname: parse \"https://{bare}\": {problem} (e.g. gcr.io, index.docker.io)"
        ),
    })
}

/// Ports equal, as many labels, each matching as a glob, and the path a prefix of the repository's.
fn matches(location: &str, repository: &Repository) -> bool {
    let (host, path) = location.split_once('/').unwrap_or((location, ""));
    let (pattern, pattern_port) = split_port(host);
    let (name, port) = split_port(repository.registry().as_str());
    let patterns: Vec<_> = pattern.split('.').collect();
    let labels: Vec<_> = name.split('.').collect();
    pattern_port == port
        && patterns.len() == labels.len()
        && patterns.iter().zip(&labels).all(|(pattern, label)| pattern == label || glob(pattern, label))
        && repository.path().starts_with(path)
}

fn split_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    }
}

/// A shell glob within one label: `*`, `?`, `[a-z]`, `[^a]`.
fn glob(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    let Some(first) = rest.next() else { return text.is_empty() };
    let rest = rest.as_str();
    let mut characters = text.chars();
    match first {
        '*' => {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| text.get(at..).is_some_and(|tail| glob(rest, tail)))
        }
        '[' if rest.contains(']') => {
            let (class, after) = rest.split_once(']').unwrap_or_default();
            characters.next().is_some_and(|c| in_class(class, c)) && glob(after, characters.as_str())
        }
        '?' => characters.next().is_some() && glob(rest, characters.as_str()),
        literal => characters.next() == Some(literal) && glob(rest, characters.as_str()),
    }
}

fn in_class(class: &str, wanted: char) -> bool {
    let (negated, class) = match class.strip_prefix('^') {
        Some(class) => (true, class),
        None => (false, class),
    };
    let class: Vec<_> = class.chars().collect();
    let mut at = 0;
    let mut found = false;
    while let Some(low) = class.get(at) {
        match (class.get(at + 1), class.get(at + 2)) {
            (Some('-'), Some(high)) => {
                found |= (*low..=*high).contains(&wanted);
                at += 3;
            }
            _ => {
                found |= *low == wanted;
                at += 1;
            }
        }
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)], repository: &str) -> Option<Found> {
        let environment = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Entries::read(&environment).unwrap().find(&Repository::parse(repository).unwrap())
    }

    fn is_for(hostname: &str, repository: &str) -> bool {
        found(&[("IMGPKG_REGISTRY_HOSTNAME", hostname), ("IMGPKG_REGISTRY_USERNAME", "u")], repository)
            .is_some()
    }

    #[test]
    fn labels_are_globs_and_ports_must_be_equal() {
        assert!(is_for("*.*.docker.io", "bar.foo.docker.io/a/b"));
        assert!(!is_for("*.1:5020", "127.0.0.1:5020/a/b"));
        assert!(!is_for("127.0.0.1", "127.0.0.1:5020/a/b"));
        assert!(is_for("https://127.0.0.1:5020", "127.0.0.1:5020/a/b"));
        assert!(is_for("reg-[0-9]?.example.com", "reg-1a.example.com/x/y"));
        assert!(!is_for("docker.io", "ubuntu"));
        assert!(is_for("index.docker.io/v1/", "ubuntu"));
        assert!(is_for("[::1]:5000", "[::1]:5000/a/b"));
    }

    #[test]
    fn paths_are_prefixes_of_text() {
        assert!(is_for("h.io/spec/sr", "h.io/spec/src/app1"));
        assert!(!is_for("h.io/spec/sx", "h.io/spec/src/app1"));
        assert!(is_for("h.io/v2/spec", "h.io/spec/src"));
    }

    #[test]
    fn the_more_specific_entry_wins_even_without_a_secret() {
        let variables = [
            ("IMGPKG_REGISTRY_HOSTNAME", "*.io"),
            ("IMGPKG_REGISTRY_USERNAME", "wide"),
            ("IMGPKG_REGISTRY_PASSWORD", "p"),
            ("IMGPKG_REGISTRY_HOSTNAME_1", "gcr.io/project"),
            ("IMGPKG_REGISTRY_HOSTNAME_two", "gcr.io"),
            ("IMGPKG_REGISTRY_REGISTRY_TOKEN_two", "t"),
        ];
        assert_eq!(found(&variables, "gcr.io/project/app").unwrap().credential, Credential::Anonymous);
        let token = found(&variables, "gcr.io/other").unwrap();
        assert_eq!(token.credential, Credential::Registry { token: "t".into() });
        assert_eq!(token.place, "$IMGPKG_REGISTRY_HOSTNAME_two");
        let wide = found(&variables, "quay.io/app").unwrap().credential;
        assert_eq!(wide, Credential::Basic { username: "wide".to_owned(), password: "p".into() });
    }

    #[test]
    fn unknown_variables_and_bad_hosts_are_errors() {
        let read = |name: &str, value: &str| Entries::read(&Environment::default().with(name, value));
        assert_eq!(
            read("IMGPKG_REGISTRY_FOO", "x").unwrap_err().to_string(),
            "Unable retrieve credentials for registry: Unknown env variable 'IMGPKG_REGISTRY_FOO'"
        );
        assert!(read("IMGPKG_REGISTRY_AZURE_CR_CONFIG", "x").is_ok());
        assert_eq!(
            read("IMGPKG_REGISTRY_HOSTNAME", "%zz").unwrap_err().to_string(),
            "Unable retrieve credentials for registry: Parsing registry hostname: parse \"https://%zz\": invalid URL \
             escape \"%zz\" (e.g. gcr.io, index.docker.io)"
        );
    }
}

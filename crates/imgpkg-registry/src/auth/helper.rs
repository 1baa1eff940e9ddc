//! Docker's credential helpers: programs named `docker-credential-NAME` that are asked for what they keep.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::credential::Credential;
use crate::{Environment, Secret};

/// Long enough for a person to unlock a keychain.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How often it is looked whether the helper is done.
const GLANCE: Duration = Duration::from_millis(10);

/// How often a helper that is just being written is tried again.
const BUSY_TRIES: u32 = 10;

/// Helpers say this for what they do not have.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The name under which an identity token is kept.
const TOKEN_USER: &str = "<token>";

/// Texts that asking again will not change.
const FINAL: &[&str] = &["no credentials server URL", "no credentials username"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: Secret,
}

/// Why a helper did not answer.
#[derive(Debug, Clone)]
pub(crate) struct HelperError {
    pub(crate) problem: String,
    /// Would it be of no use to ask again?
    pub(crate) last: bool,
}

/// Asks the helper `name` for a server; `None` if it has nothing for it.
///
/// # Errors
/// When it cannot be run, fails, takes too long, or answers with something else.
pub(crate) fn ask(
    name: &str,
    server: &str,
    environment: &Environment,
) -> Result<Option<Credential>, HelperError> {
    let program = format!("docker-credential-{name}");
    let failed = |reason: String, output: &str| HelperError {
        last: FINAL.iter().any(|text| output.contains(text)),
        problem: format!("error getting credentials - err: {reason}, out: `{}`", output.trim()),
    };
    // A name with a slash would be a path, and the file that names it may not be ours.
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(failed(format!("exec: \"{program}\": executable file not found in $PATH"), ""));
    }
    let mut command = Command::new(&program);
    command.arg("get").env_clear().envs(environment.iter());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = started(&mut command).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            failed(format!("exec: \"{program}\": executable file not found in $PATH"), "")
        }
        _ => failed(format!("exec: \"{program}\": {error}"), ""),
    })?;
    let (output, status) = converse(child, server).map_err(|reason| failed(reason, ""))?;
    let output = String::from_utf8_lossy(&output);
    if status != Some(0) {
        if output.contains(NOT_FOUND) {
            return Ok(None);
        }
        let status = status.map_or_else(|| "signal".to_owned(), |code| code.to_string());
        return Err(failed(format!("exit status {status}"), &output));
    }
    // The answer is a secret, and so is whatever stands where an answer should.
    let answer: Answer = serde_json::from_str(&output)
        .map_err(|_| failed(format!("the answer of {program} is not the JSON that it should be"), ""))?;
    Ok(Some(match answer.username.as_str() {
        TOKEN_USER => Credential::Identity { token: answer.secret },
        username => Credential::from_parts(username, answer.secret, Secret::default(), Secret::default()),
    }))
}

/// Starts a program. One that is being replaced at this moment, by an update of it, is busy for an instant.
fn started(command: &mut Command) -> std::io::Result<Child> {
    for _ in 0..BUSY_TRIES {
        match command.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(50));
            }
            result => return result,
        }
    }
    command.spawn()
}

/// Tells the helper the server and reads what it says, for a limited time.
fn converse(mut child: Child, server: &str) -> Result<(Vec<u8>, Option<i32>), String> {
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input says why, or fails.
        let _ = stdin.write_all(server.as_bytes());
    }
    let stdout = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut output = Vec::new();
        if let Some(stdout) = stdout {
            // What was read before an error is still the answer.
            let _ = stdout.take(1024 * 1024).read_to_end(&mut output);
        }
        output
    });
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((reader.join().unwrap_or_default(), status.code())),
            Ok(None) if started.elapsed() < TIME_LIMIT => std::thread::sleep(GLANCE),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {} seconds", TIME_LIMIT.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn with_script(script: &str) -> Result<Option<Credential>, HelperError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("docker-credential-test");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", dir.path().display());
        ask("test", "reg.example", &Environment::default().with("PATH", path))
    }

    #[test]
    fn a_helper_gets_the_server_and_answers_with_a_user() {
        let answer =
            with_script(r#"read -r s; printf '{"ServerURL":"x","Username":"%s","Secret":"pw"}' "$s""#);
        let expected = Credential::Basic { username: "reg.example".to_owned(), password: "pw".into() };
        assert_eq!(answer.unwrap(), Some(expected));
    }

    #[test]
    fn the_user_token_means_an_identity_token() {
        let answer = with_script(r#"cat >/dev/null; echo '{"Username":"<token>","Secret":"t"}'"#);
        assert_eq!(answer.unwrap(), Some(Credential::Identity { token: "t".into() }));
    }

    #[test]
    fn what_a_helper_does_not_have_is_no_error() {
        let answer = with_script("cat >/dev/null; echo 'credentials not found in native keychain'; exit 1");
        assert_eq!(answer.unwrap(), None);
    }

    #[test]
    fn failures_show_what_the_helper_said() {
        let error = with_script("cat >/dev/null; echo 'the keychain is locked'; exit 3").unwrap_err();
        assert_eq!(
            error.problem,
            "error getting credentials - err: exit status 3, out: `the keychain is locked`"
        );
        let error = ask("missing", "h", &Environment::default().with("PATH", "/nope")).unwrap_err();
        assert_eq!(
            error.problem,
            "error getting credentials - err: exec: \"docker-credential-missing\": executable file not found in $PATH, \
             out: ``"
        );
    }
}

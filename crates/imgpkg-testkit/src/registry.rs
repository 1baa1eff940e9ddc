//! Registries that live as long as a test.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http::{Response, request};
use crate::tool::Tool;

/// A registry on a free port of the loopback interface, over a directory of its own. Dropping it ends it.
pub struct Registry {
    child: Child,
    address: String,
    directory: TempDir,
}

impl Registry {
    /// The embedded registry, run by the `imgpkg` under test.
    pub fn embedded(imgpkg: &Tool) -> Self {
        Self::embedded_with(imgpkg, &[])
    }

    /// The embedded registry with further arguments.
    pub fn embedded_with(imgpkg: &Tool, arguments: &[&str]) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let storage = directory.path().join("registry");
        Self::serve(imgpkg, directory, &storage, arguments)
    }

    fn serve(imgpkg: &Tool, directory: TempDir, storage: &Path, arguments: &[&str]) -> Self {
        let mut all =
            vec!["serve", "--listen", "127.0.0.1:0", "--dir", storage.to_str().expect("a UTF-8 path")];
        all.extend(arguments);
        let log = directory.path().join("stderr");
        let mut child = imgpkg
            .command(&all)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).expect("a log file"))
            .spawn()
            .expect("the embedded registry starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a piped stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a first line");
        let Some(address) = line.trim_end().strip_prefix("Listening on ").map(str::to_owned) else {
            // It has ended, or will without anybody to listen to.
            let _ = child.wait();
            panic!(
                "the embedded registry did not start: {}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
        };
        Self { child, address, directory }
    }

    /// Debian's `docker-registry`, where it is installed; `None`, with a line that says so, where it is not.
    pub fn docker(test: &str) -> Option<Self> {
        if peer_is_missing(test, "docker-registry") {
            return None;
        }
        let directory = TempDir::new().expect("a temporary directory");
        let address = format!("127.0.0.1:{}", free_port());
        let config = directory.path().join("config.yml");
        let storage = directory.path().join("registry");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: \"{address}\"}}\n",
            storage.display()
        );
        std::fs::write(&config, text).expect("a configuration file");
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry starts");
        let registry = Self { child, address, directory };
        registry.wait_until_it_answers();
        Some(registry)
    }

    fn wait_until_it_answers(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(&self.address).is_err() {
            assert!(Instant::now() < deadline, "nothing listens on {}", self.address);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The reference of what is in it: `127.0.0.1:PORT/<rest>`.
    pub fn reference(&self, rest: &str) -> String {
        format!("{}/{rest}", self.address)
    }

    /// Its process, for looking at its memory.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// A directory that lives as long as the registry.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Sends it a request.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        request(&self.address, method, path, headers, body)
    }

    /// The tags of a repository, as the registry lists them.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let response = self.request("GET", &format!("/v2/{repository}/tags/list"), &[], b"");
        let list: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let tags = list["tags"].as_array().cloned().unwrap_or_default();
        let mut tags: Vec<_> = tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
        tags.sort();
        tags
    }

    /// A manifest's bytes; the tag or digest must be there.
    #[track_caller]
    pub fn manifest(&self, repository: &str, target: &str) -> Vec<u8> {
        let accept = "application/vnd.docker.distribution.manifest.v2+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json, \
                      application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";
        let path = format!("/v2/{repository}/manifests/{target}");
        let response = self.request("GET", &path, &[("Accept", accept)], b"");
        assert_eq!(response.status, 200, "GET {path}: {}", String::from_utf8_lossy(&response.body));
        response.body
    }

    /// Is there something under this tag or digest?
    pub fn has_manifest(&self, repository: &str, target: &str) -> bool {
        let accept = "application/vnd.docker.distribution.manifest.v2+json, */*";
        let path = format!("/v2/{repository}/manifests/{target}");
        self.request("HEAD", &path, &[("Accept", accept)], b"").status == 200
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is this program not installed? Then the test is skipped, which is said; where peers are required, it fails instead.
pub fn peer_is_missing(test: &str, program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    if found {
        return false;
    }
    let required = std::env::var("IMGPKG_TEST_REQUIRE_PEERS").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "{test} needs {program}, which is not installed, and IMGPKG_TEST_REQUIRE_PEERS=1 is set"
    );
    println!("skipped: {test} (needs {program})");
    true
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

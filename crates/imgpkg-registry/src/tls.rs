//! Whom to trust: the platform's certificates and those that the user names.

mod verifier;

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::{ClientOptions, Error};

/// How the certificate of a registry is judged.
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
}

impl Trust {
    /// Reads the certificates that the options and the platform name.
    ///
    /// # Errors
    /// When a file of the options cannot be read or holds no certificate.
    pub(crate) fn load(options: &ClientOptions) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let named = named_certificates(options)?;
        let verifier: Arc<dyn ServerCertVerifier> = if options.verify_certs {
            let mut roots = RootCertStore::empty();
            let platform = platform_certificates(options);
            roots.add_parsable_certificates(platform.iter().cloned());
            roots.add_parsable_certificates(named.iter().cloned());
            let pinned = named.into_iter().chain(platform).collect();
            Arc::new(verifier::Trusting::new(roots, pinned, &provider)?)
        } else {
            Arc::new(verifier::Careless::new(&provider))
        };
        Ok(Self { provider, verifier })
    }

    /// The configuration of a client that speaks HTTP/1.1, or both versions.
    ///
    /// # Errors
    /// When the cryptography lacks what TLS needs.
    pub(crate) fn config(&self, h2: bool) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Setup { problem: error.to_string() })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.verifier))
            .with_no_client_auth();
        let versions: &[&[u8]] = if h2 { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
        config.alpn_protocols = versions.iter().map(|version| version.to_vec()).collect();
        Ok(config)
    }
}

/// The platform's own certificates; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
fn platform_certificates(options: &ClientOptions) -> Vec<CertificateDer<'static>> {
    let path = |name| options.environment.get(name).map(Path::new);
    let found = match (path("SSL_CERT_FILE"), path("SSL_CERT_DIR")) {
        (None, None) => rustls_native_certs::load_native_certs(),
        (file, dir) => rustls_native_certs::load_certs_from_paths(file, dir),
    };
    // Files that cannot be read are passed over, as everywhere else where the platform's certificates are used.
    found.certs
}

fn named_certificates(options: &ClientOptions) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut all = Vec::new();
    for path in &options.ca_cert_paths {
        let pem = std::fs::read(path).map_err(|error| Error::CertificateFile {
            path: path.clone(),
            problem: unreadable(path, &error),
        })?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let usable = certificates.ok().filter(|certificates| {
            let (added, _) = RootCertStore::empty().add_parsable_certificates(certificates.iter().cloned());
            added > 0
        });
        all.extend(usable.ok_or_else(|| Error::Certificates { path: path.clone() })?);
    }
    Ok(all)
}

/// `open FILE: no such file or directory`, in the reference's words.
fn unreadable(path: &Path, error: &std::io::Error) -> String {
    let verb = if error.kind() == std::io::ErrorKind::IsADirectory { "read" } else { "open" };
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    format!("{verb} {}: {}", path.display(), text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(path: &Path) -> Result<Trust, Error> {
        let ca_cert_paths = vec![path.to_owned()];
        Trust::load(&ClientOptions { ca_cert_paths, ..ClientOptions::default() })
    }

    #[test]
    fn a_certificate_file_that_is_not_there_is_named() {
        let error = load(Path::new("/nope/ca.pem")).err().unwrap();
        assert_eq!(
            error.to_string(),
            "Creating registry HTTP transport: Reading CA certificates from '/nope/ca.pem': \
             open /nope/ca.pem: no such file or directory"
        );
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        std::fs::write(&path, "hello").unwrap();
        let error = load(&path).err().unwrap();
        let path = path.display();
        assert_eq!(
            error.to_string(),
            format!("Creating registry HTTP transport: Adding CA certificates from '{path}': failed")
        );
    }
}

//! Checks of a server's certificate.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme};

/// Accepts what the roots have signed, and a registry's own certificate where exactly that one is configured. The
/// latter is what `openssl req -x509` makes: it calls itself an authority, for which the library refuses it as a
/// server's certificate.
#[derive(Debug)]
pub(crate) struct Trusting {
    /// `None` where there is no root at all; then nothing but a configured certificate can be accepted.
    roots: Option<Arc<WebPkiServerVerifier>>,
    pinned: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trusting {
    pub(crate) fn new(
        roots: RootCertStore,
        pinned: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, crate::Error> {
        let roots = if roots.is_empty() {
            None
        } else {
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            Some(built.build().map_err(|error| crate::Error::Setup { problem: error.to_string() })?)
        };
        Ok(Self { roots, pinned, algorithms: provider.signature_verification_algorithms })
    }

    /// The library looks at the dates before it looks at who may sign what, so this refusal also says that the
    /// certificate is neither too old nor too new (a test holds it to that).
    fn is_authority_as_server(error: &TlsError) -> bool {
        matches!(error, TlsError::InvalidCertificate(CertificateError::Other(other))
            if format!("{other:?}").contains("CaUsedAsEndEntity"))
    }
}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(roots) = &self.roots else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        match roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(error) if Self::is_authority_as_server(&error) && self.pinned.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Accepts any certificate, because the user said so. The handshake must still be signed with its key.
#[derive(Debug)]
pub(crate) struct Careless {
    algorithms: WebPkiSupportedAlgorithms,
}

impl Careless {
    pub(crate) fn new(provider: &Arc<CryptoProvider>) -> Self {
        Self { algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Careless {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::crypto::ring;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    const SELF_SIGNED: &str = include_str!("testdata/self-signed.pem");
    const AUTHORITY: &str = include_str!("testdata/authority.pem");
    const LEAF: &str = include_str!("testdata/leaf.pem");

    const YEAR: u64 = 365 * 24 * 3600;
    /// When the certificates had just been made, in seconds since 1970.
    const MADE: u64 = 1_795_305_600;

    fn certificate(pem: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }

    fn verify(roots: &[&str], shown: &str, name: &str, at: u64) -> Result<(), TlsError> {
        let pinned: Vec<_> = roots.iter().map(|pem| certificate(pem)).collect();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(pinned.iter().cloned());
        let verifier = Trusting::new(store, pinned, &Arc::new(ring::default_provider())).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(at));
        verifier.verify_server_cert(&certificate(shown), &[], &name, &[], now).map(drop)
    }

    #[test]
    fn a_configured_certificate_is_accepted_though_it_calls_itself_an_authority() {
        for name in ["registry.test", "127.0.0.1"] {
            verify(&[AUTHORITY, SELF_SIGNED], SELF_SIGNED, name, MADE + YEAR).unwrap();
        }
    }

    #[test]
    fn a_configured_certificate_still_needs_the_right_name() {
        let error = verify(&[SELF_SIGNED], SELF_SIGNED, "other.test", MADE + YEAR).unwrap_err();
        assert!(matches!(
            error,
            TlsError::InvalidCertificate(CertificateError::NotValidForNameContext { .. })
        ));
    }

    #[test]
    fn a_configured_certificate_still_needs_the_right_time() {
        let error = verify(&[SELF_SIGNED], SELF_SIGNED, "registry.test", MADE + 101 * YEAR).unwrap_err();
        assert!(matches!(error, TlsError::InvalidCertificate(CertificateError::ExpiredContext { .. })));
        let error = verify(&[SELF_SIGNED], SELF_SIGNED, "registry.test", MADE - YEAR).unwrap_err();
        assert!(matches!(error, TlsError::InvalidCertificate(CertificateError::NotValidYetContext { .. })));
    }

    #[test]
    fn a_certificate_that_is_not_configured_is_refused() {
        verify(&[AUTHORITY], SELF_SIGNED, "registry.test", MADE + YEAR).unwrap_err();
        verify(&[], SELF_SIGNED, "registry.test", MADE + YEAR).unwrap_err();
    }

    #[test]
    fn what_a_configured_authority_has_signed_is_accepted() {
        verify(&[AUTHORITY], LEAF, "registry.test", MADE + YEAR).unwrap();
        verify(&[SELF_SIGNED], LEAF, "registry.test", MADE + YEAR).unwrap_err();
        verify(&[AUTHORITY], LEAF, "other.test", MADE + YEAR).unwrap_err();
    }
}

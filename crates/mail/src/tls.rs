//! Certificate authorities: the system's, and those of the operator's file, for both TLS libraries of the house
//! (`imap` brings native-tls, `mail-send` brings rustls).

use crate::SetupError;
use native_tls::{Certificate, Protocol, TlsConnector};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{path::Path, sync::Arc};

/// For IMAP.
pub(crate) fn native(ca_file: Option<&Path>) -> Result<TlsConnector, SetupError> {
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    if let Some(path) = ca_file {
        let none = || SetupError::NoCertificate { path: path.to_owned() };
        let certificates = Certificate::stack_from_pem(&read(path)?).map_err(|_| none())?;
        if certificates.is_empty() {
            return Err(none());
        }
        for certificate in certificates {
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| SetupError::Tls(error.to_string()))
}

/// For SMTP.
pub(crate) fn rustls(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, SetupError> {
    let mut roots = RootCertStore::empty();
    // A machine without system roots can still serve an operator with their own authority.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let none = || SetupError::NoCertificate { path: path.to_owned() };
        let pem = read(path)?;
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| none())?;
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(none());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn read(path: &Path) -> Result<Vec<u8>, SetupError> {
    std::fs::read(path).map_err(|source| SetupError::CaFile { path: path.to_owned(), source })
}

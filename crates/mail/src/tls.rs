//! Certificate authorities: the system's, and those of the operator's file, for both TLS libraries of the house
//! (`imap` brings native-tls, submission uses rustls).

use crate::options::SetupError;
use native_tls::{Certificate, Protocol, TlsConnector};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

/// For IMAP. The system's authorities take some megabytes, so they are read at the first handshake.
pub(crate) struct ImapTls {
    extra: Vec<Certificate>,
    connector: OnceLock<Option<TlsConnector>>,
}

impl ImapTls {
    /// Reads the operator's file.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, SetupError> {
        let mut extra = Vec::new();
        if let Some(path) = ca_file {
            let none = || SetupError::NoCertificate { path: path.to_owned() };
            extra = Certificate::stack_from_pem(&read(path)?).map_err(|_| none())?;
            if extra.is_empty() {
                return Err(none());
            }
        }
        Ok(Self { extra, connector: OnceLock::new() })
    }

    /// The one connector; `None` if the TLS library cannot be set up. Blocks the first time.
    pub(crate) fn connector(&self) -> Option<&TlsConnector> {
        let build = || {
            let mut builder = TlsConnector::builder();
            builder.min_protocol_version(Some(Protocol::Tlsv12));
            for certificate in &self.extra {
                builder.add_root_certificate(certificate.clone());
            }
            builder.build().ok()
        };
        self.connector.get_or_init(build).as_ref()
    }
}

/// For SMTP. The system's authorities take some megabytes, so they are read when the first message is sent.
pub(crate) struct SmtpTls {
    extra: Vec<CertificateDer<'static>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl SmtpTls {
    /// Reads the operator's file.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, SetupError> {
        let mut extra = Vec::new();
        if let Some(path) = ca_file {
            let none = || SetupError::NoCertificate { path: path.to_owned() };
            extra =
                CertificateDer::pem_slice_iter(&read(path)?).collect::<Result<_, _>>().map_err(|_| none())?;
            if RootCertStore::empty().add_parsable_certificates(extra.clone()).0 == 0 {
                return Err(none());
            }
        }
        Ok(Self { extra, config: OnceLock::new() })
    }

    /// The one configuration.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let build = || {
            let mut roots = RootCertStore::empty();
            // A machine without system roots can still serve an operator with their own authority.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots.add_parsable_certificates(self.extra.iter().cloned());
            let config =
                ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                    .with_safe_default_protocol_versions()
                    .expect("ring has the suites of the default versions")
                    .with_root_certificates(roots)
                    .with_no_client_auth();
            Arc::new(config)
        };
        Arc::clone(self.config.get_or_init(build))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, SetupError> {
    std::fs::read(path).map_err(|source| SetupError::CaFile { path: path.to_owned(), source })
}

//! The certificate authorities that web servers are judged by: the system's, and those of the operator's file.

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// They take some megabytes, so they are read when the first document is fetched.
#[derive(Debug)]
pub(crate) struct Authorities {
    ca_file: Option<PathBuf>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Authorities {
    pub(crate) fn new(ca_file: Option<PathBuf>) -> Self {
        Self { ca_file, config: OnceLock::new() }
    }

    /// The one configuration: TLS 1.2 or newer, HTTP/1.1. Blocks the first time.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let build = || {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots.add_parsable_certificates(self.ca_file.as_deref().map(extra).unwrap_or_default());
            let mut config =
                ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                    .with_safe_default_protocol_versions()
                    .expect("ring has the suites of the default versions")
                    .with_root_certificates(roots)
                    .with_no_client_auth();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Arc::new(config)
        };
        Arc::clone(self.config.get_or_init(build))
    }
}

/// The operator's own, which start-up has read before. A file that is gone since then vouches for nobody.
fn extra(path: &Path) -> Vec<CertificateDer<'static>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    read.unwrap_or_else(|error| {
        tracing::error!(%error, path = %path.display(), "the file of certificate authorities cannot be read");
        Vec::new()
    })
}

//! A certificate authority of our own, and a certificate for loopback.

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{fs, path::Path, process::Command, sync::Arc};

fn openssl(directory: &Path, arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).current_dir(directory).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Makes the same files, and what a server that speaks TLS by itself needs of them.
pub(crate) fn server_config(directory: &Path) -> Arc<ServerConfig> {
    certificates(directory);
    let file = |name: &str| directory.join("tls").join(name);
    let chain = CertificateDer::pem_file_iter(file("server.pem")).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// Makes `tls/{ca,server}.{pem,key}`.
pub(super) fn certificates(directory: &Path) {
    let directory = directory.join("tls");
    fs::create_dir(&directory).unwrap();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let with = |more: &[&'static str]| [&["req"], &key[..], more].concat();
    openssl(
        &directory,
        &with(&["-x509", "-days", "2", "-subj", "/CN=imapmcp tests", "-keyout", "ca.key", "-out", "ca.pem"]),
    );
    openssl(&directory, &with(&["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"]));
    fs::write(directory.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    openssl(
        &directory,
        &[
            "x509",
            "-req",
            "-in",
            "server.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "names",
            "-out",
            "server.pem",
        ],
    );
}

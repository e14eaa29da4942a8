//! A certificate authority of our own, and a certificate for loopback.

use std::{fs, path::Path, process::Command};

fn openssl(directory: &Path, arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).current_dir(directory).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Makes `tls/{ca,server}.{pem,key}`.
pub(crate) fn certificates(directory: &Path) {
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

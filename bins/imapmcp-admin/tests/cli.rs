//! The real program on scratch directories.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

struct Outcome {
    code: i32,
    out: String,
    err: String,
}

impl Outcome {
    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap()
    }

    /// Exit code and the error's code.
    #[track_caller]
    fn error(&self) -> (i32, String) {
        let error: Value =
            serde_json::from_str(&self.err).unwrap_or_else(|_| panic!("no JSON: {}", self.err));
        assert!(!error["error"]["message"].as_str().unwrap().is_empty());
        (self.code, error["error"]["code"].as_str().unwrap().to_owned())
    }
}

/// An installation in a scratch directory.
struct Admin {
    directory: tempfile::TempDir,
    env: Vec<(&'static str, String)>,
}

impl Admin {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    fn migrated() -> Self {
        let admin = Self::new();
        admin.run("migrate").json();
        admin
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn run(&self, line: &str) -> Outcome {
        self.say(line, "")
    }

    fn say(&self, line: &str, input: &str) -> Outcome {
        self.plain(&format!("{line} --json"), input)
    }

    fn plain(&self, line: &str, input: &str) -> Outcome {
        let mut child = Command::new(env!("CARGO_BIN_EXE_imapmcp-admin"))
            .args(line.split(' ').filter(|word| !word.is_empty()))
            .current_dir(self.path())
            .env_clear()
            .env("IMAPMCP_DATA_DIR", "data")
            .envs(self.env.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that fails before it reads closes the pipe.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        Outcome {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn with_user(self, email: &str) -> Self {
        self.say(&format!("user add {email} --password-file -"), "correct horse battery\n").json();
        self
    }

    fn with_demo(self) -> Self {
        let admin = self.with_user("marie@example.com");
        admin
            .run("account add --user marie@example.com --email marie@example.com --label Demo --imap demo:")
            .json();
        admin
    }
}

#[test]
fn help_says_what_there_is() {
    let admin = Admin::new();
    let mut text = String::new();
    for command in [
        "",
        "migrate",
        "doctor",
        "user",
        "user add",
        "user invite",
        "user reset",
        "user disable",
        "user enable",
        "user remove",
        "user list",
        "account",
        "account add",
        "account list",
        "account set",
        "account test",
        "account remove",
        "token",
        "token issue",
        "token list",
        "token revoke",
        "keys",
        "keys list",
    ] {
        let help = admin.plain(&format!("{command} --help"), "");
        assert_eq!(help.code, 0);
        text.extend(["$ imapmcp-admin ", command, " --help\n", &help.out, "\n"]);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn nothing_works_before_migrate_and_nothing_is_made() {
    let admin = Admin::new();
    for line in
        ["migrate --status", "user list", "user add a@b.c --password-file -", "token list", "keys list"]
    {
        assert_eq!(
            admin.say(line, "correct horse battery\n").error(),
            (78, "not_migrated".to_owned()),
            "{line}"
        );
    }
    assert_eq!(fs::read_dir(admin.path()).unwrap().count(), 0);

    let first = admin.run("migrate").json();
    assert_eq!(first["applied"][0], "0001_initial");
    assert_eq!(admin.run("migrate").json()["applied"].as_array().unwrap().len(), 0);
    assert_eq!(admin.run("migrate --status").json()["migrations"][0]["applied"], true);
    let mode = fs::metadata(admin.path().join("data")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(admin.run("user list").json()["users"].as_array().unwrap().len(), 0);
}

#[test]
fn a_script_makes_user_account_and_token() {
    let admin = Admin::migrated();
    let user = admin.say("user add bench@example.com --password-file -", "correct horse battery\n").json();
    assert!(user["id"].as_str().unwrap().starts_with("usr_"));
    let account = admin.say(
        "account add --user bench@example.com --email u@example.com --label Work --imap imaps://u@127.0.0.1:18393 \
         --smtp smtp+starttls://u%40x@127.0.0.1:18325 --password-file -",
        "secret\n",
    );
    let account = account.json();
    assert_eq!(account["imap"], "imaps://127.0.0.1:18393");
    assert_eq!((&account["imap_username"], &account["smtp_username"]), (&"u".into(), &"u@x".into()));
    assert_eq!(account["is_default"], true);
    assert!(!admin.run("account list").out.contains("secret"));

    let token = admin.run("token issue --user bench@example.com --name bench").json();
    let secret = token["token"].as_str().unwrap();
    assert_eq!(secret.len(), 4 + 43);
    assert_eq!(token["scope"], "mail.read mail.organize mail.draft mail.send");
    assert_eq!((&token["accounts"], &token["expires_at"]), (&Value::Null, &Value::Null));
    let listed = admin.run("token list --user bench@example.com");
    assert!(!listed.out.contains(secret));
    assert_eq!(listed.json()["tokens"][0]["name"], "bench");

    let key = admin.run("keys list").json();
    assert_eq!((&key["keys"][0]["state"], &key["keys"][0]["in_ring"]), (&"active".into(), &true.into()));
    let database = fs::read(admin.path().join("data/imapmcp.db")).unwrap();
    for hidden in [secret, "correct horse battery"] {
        assert!(!String::from_utf8_lossy(&database).contains(hidden));
    }
}

#[test]
fn what_exists_is_a_conflict_and_what_does_not_is_not_found() {
    let admin = Admin::migrated().with_demo();
    for (line, code, word) in [
        ("user add Marie@Example.com --password-file -", 73, "conflict"),
        (
            "account add --user marie@example.com --email marie@example.com --label Demo --imap demo:",
            73,
            "conflict",
        ),
        ("account add --user nobody@example.com --email a@b.c --imap demo:", 66, "not_found"),
        ("account remove --user marie@example.com Nothing", 66, "not_found"),
        ("token issue --user nobody@example.com", 66, "not_found"),
        ("token issue --user marie@example.com --account Nothing", 66, "not_found"),
        ("token revoke tok_unknown", 66, "not_found"),
        ("token revoke nonsense", 66, "not_found"),
    ] {
        assert_eq!(admin.say(line, "correct horse battery\n").error(), (code, word.to_owned()), "{line}");
    }
}

#[test]
fn wrong_arguments_are_told_before_anything_is_written() {
    let admin = Admin::migrated().with_user("marie@example.com");
    let add = "account add --user marie@example.com --email marie@example.com";
    for (line, input) in [
        ("user add marie --password-file -".to_owned(), "correct horse battery\n"),
        ("user add short@example.com --password-file -".to_owned(), "short\n"),
        ("user add two@example.com --password-file -".to_owned(), "one line\nand another\n"),
        ("user add ask@example.com".to_owned(), ""),
        (format!("{add} --imap imaps://h"), "secret\n"),
        (format!("{add} --imap smtps://h --smtp smtps://h --password-file -"), "secret\n"),
        (format!("{add} --imap imaps://u:password@h --smtp smtps://h --password-file -"), "secret\n"),
        (format!("{add} --imap imaps://h --smtp smtps://h --password-file -"), "\n"),
        (format!("{add} --imap demo: --smtp smtps://h"), ""),
        ("token issue --user marie@example.com --scope mail.reed".to_owned(), ""),
        ("token issue --user marie@example.com --expires soon".to_owned(), ""),
        ("token issue".to_owned(), ""),
        ("frobnicate".to_owned(), ""),
    ] {
        let outcome = admin.say(&line, input);
        assert!(matches!(outcome.code, 64 | 66), "{line}: {}", outcome.err);
        outcome.error();
    }
    assert_eq!(admin.run("user list").json()["users"].as_array().unwrap().len(), 1);
    assert_eq!(admin.run("account list").json()["accounts"].as_array().unwrap().len(), 0);

    let insecure = format!("{add} --imap imap+insecure://h --smtp smtps://h --password-file -");
    assert_eq!(admin.say(&insecure, "secret\n").error(), (78, "config".to_owned()));
    let admin = admin.with("IMAPMCP_ALLOW_INSECURE", "1");
    assert_eq!(admin.say(&insecure, "secret\n").json()["imap"], "imap+insecure://h:143");
}

#[test]
fn an_account_is_tested_against_its_servers() {
    let admin = Admin::migrated().with_demo();
    let works = admin.run("account test --user marie@example.com Demo").json();
    assert_eq!((&works["works"], &works["imap"]["ok"]), (&true.into(), &true.into()));
    admin
        .say(
            "account add --user marie@example.com --email marie@example.com --label Gone --imap imaps://127.0.0.1 \
             --smtp smtps://127.0.0.1 --password-file -",
            "secret\n",
        )
        .json();
    let blocked = admin.run("account test --user marie@example.com Gone");
    let answer: Value = serde_json::from_str(&blocked.out).unwrap();
    assert_eq!((blocked.code, &answer["imap"]["error"]["code"]), (69, &"blocked".into()));

    let removed = admin.run("account remove --user marie@example.com Gone").json();
    assert!(removed["removed"].as_str().unwrap().starts_with("acc_"));
    assert_eq!(
        admin.run("account list --user marie@example.com").json()["accounts"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_token_covers_what_was_asked_for_until_it_is_revoked() {
    let admin = Admin::migrated().with_demo();
    let line =
        "token issue --user marie@example.com --scope mail.read --account Demo --expires 30d --name reader";
    let token = admin.run(line).json();
    assert_eq!((&token["scope"], &token["name"]), (&"mail.read".into(), &"reader".into()));
    assert!(token["accounts"][0].as_str().unwrap().starts_with("acc_"));
    assert!(token["expires_at"].as_str().unwrap().ends_with('Z'));
    let id = token["id"].as_str().unwrap();
    admin.run(&format!("token revoke {id}")).json();
    assert_eq!(admin.run(&format!("token revoke {id}")).error(), (66, "not_found".to_owned()));
    assert_eq!(admin.run("token list").json()["tokens"].as_array().unwrap().len(), 0);
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let admin = Admin::new();
    let check = |outcome: &Outcome, name: &str| {
        let report: Value = serde_json::from_str(&outcome.out).unwrap();
        let checks = report["checks"].as_array().unwrap().clone();
        assert_eq!(report["ok"], outcome.code == 0);
        let found =
            checks.into_iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}"));
        found["status"].as_str().unwrap().to_owned()
    };
    let empty = admin.run("doctor");
    assert_eq!((empty.code, check(&empty, "database").as_str()), (78, "fail"));
    assert_eq!(fs::read_dir(admin.path()).unwrap().count(), 0, "it changes nothing");

    admin.run("migrate").json();
    admin.say("user add marie@example.com --admin --password-file -", "correct horse battery\n").json();
    let healthy = admin.run("doctor");
    assert_eq!(healthy.code, 0, "{}", healthy.out);
    assert_eq!((check(&healthy, "key ring").as_str(), check(&healthy, "people").as_str()), ("ok", "ok"));

    let keys = admin.path().join("data/keys");
    fs::rename(&keys, admin.path().join("elsewhere")).unwrap();
    let lost = admin.run("doctor");
    assert_eq!((lost.code, check(&lost, "key ring").as_str()), (78, "fail"));
    let refused = admin.say("user add b@example.com --password-file -", "correct horse battery\n");
    assert_eq!(refused.error(), (78, "config".to_owned()));
    assert!(!keys.exists(), "no new key is made over old data");

    let admin = admin.with("IMAPMCP_LISTN", "127.0.0.1:80");
    let typo = admin.run("doctor");
    assert_eq!((typo.code, check(&typo, "settings").as_str()), (78, "fail"));
    assert!(typo.out.contains("IMAPMCP_LISTEN"));
    assert_eq!(admin.run("user list").error(), (78, "config".to_owned()));
}

#[test]
fn people_get_text() {
    let admin = Admin::migrated().with_demo();
    let list = admin.plain("account list", "");
    assert!(list.out.contains("USER") && list.out.contains("demo:"), "{}", list.out);
    let refused = admin.plain("user add marie@example.com", "");
    assert_eq!(
        (refused.code, refused.err.as_str()),
        (73, "imapmcp-admin: there is a user marie@example.com already\n")
    );
    let usage = admin.plain("user", "");
    assert_eq!(usage.code, 64);
    let down = admin.plain("user list --database-url postgres://nobody:hunter2@127.0.0.1:1/none", "");
    assert_eq!(down.code, 75);
    assert!(!down.err.contains("hunter2"), "{}", down.err);
}

#[test]
fn an_account_gets_further_addresses() {
    let admin = Admin::migrated().with_user("marie@example.com");
    let add = "account add --user marie@example.com --email marie@example.com --label Home --imap demo: --alias team@example.com";
    assert_eq!(admin.run(add).json()["aliases"], serde_json::json!(["team@example.com"]));
    let set = "account set --user marie@example.com Home";
    let two = admin
        .run(&format!("{set} --alias m@example.net --alias M@example.net --alias marie@example.com"))
        .json();
    assert_eq!(two["aliases"], serde_json::json!(["m@example.net"]), "each once, and not the account's own");
    assert_eq!(admin.run(&format!("{set} --no-alias")).json()["aliases"], serde_json::json!([]));
    assert_eq!(admin.run(&format!("{set} --alias nobody")).code, 64);
    assert_eq!(admin.run(set).code, 64);
}

#[test]
fn an_operator_may_bound_the_accounts_of_a_user() {
    let admin = Admin::migrated().with("IMAPMCP_ACCOUNTS_PER_USER", "2").with_demo();
    let add = |label: &str| {
        admin.run(&format!(
            "account add --user marie@example.com --email marie@example.com --label {label} --imap demo:"
        ))
    };
    add("Second").json();
    assert_eq!(add("Third").error(), (64, "invalid_argument".to_owned()));
    assert_eq!(admin.run("account list").json()["accounts"].as_array().unwrap().len(), 2);
    admin.run("account remove --user marie@example.com Demo").json();
    add("Third").json();
}

#[test]
fn commands_at_the_same_time_do_not_meet() {
    let admin = Admin::new();
    std::thread::scope(|scope| {
        let run = |line: &'static str| scope.spawn(|| admin.run(line));
        for racer in [run("migrate"), run("migrate"), run("migrate"), run("migrate")] {
            assert_eq!(racer.join().unwrap().code, 0);
        }
    });
    admin.say("user add marie@example.com --password-file -", "correct horse battery\n").json();
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..32).map(|_| scope.spawn(|| admin.run("user list"))).collect();
        for racer in racers {
            let outcome = racer.join().unwrap();
            assert_eq!(outcome.code, 0, "{}", outcome.err);
        }
    });
    let left: Vec<_> =
        fs::read_dir(admin.path().join("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().starts_with('.')), "{left:?}");
}

/// A user who is not root.
const NOBODY: u32 = 65_534;

/// Whose the files of a process are: they are root's when nobody else may look into it (proc(5)).
fn owner(process: &Child) -> u32 {
    fs::metadata(format!("/proc/{}/environ", process.id())).unwrap().uid()
}

#[test]
fn nobody_else_looks_into_a_process_that_holds_keys() {
    let admin = Admin::migrated();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    // root may look everywhere: the test needs a process of somebody else
    let as_nobody = |command: &mut Command| {
        if is_root {
            command.uid(NOBODY);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    if is_root {
        let given = Command::new("chown").args(["-R", &NOBODY.to_string()]).arg(admin.path()).status();
        assert!(given.unwrap().success());
    }
    let plain = as_nobody(Command::new("cat").current_dir("/"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_imapmcp-admin"));
    program.args(["user", "add", "a@example.com", "--password-file", "-"]);
    let mut private = as_nobody(program.current_dir(admin.path()).env("IMAPMCP_DATA_DIR", "data"));
    let started = Instant::now();
    while owner(&private) != 0 {
        assert!(
            started.elapsed().as_secs() < 10 && private.try_wait().unwrap().is_none(),
            "it can be looked into"
        );
        std::thread::yield_now();
    }
    assert_ne!(owner(&plain), 0, "the test can tell");
    let reads = |process: &Child| {
        let mut look = Command::new("cat");
        as_nobody(look.arg(format!("/proc/{}/environ", process.id())).current_dir("/"))
            .wait()
            .unwrap()
            .success()
    };
    assert!(reads(&plain) && !reads(&private));
    for mut process in [plain, private] {
        let _ = process.kill();
        process.wait().unwrap();
    }
}

#[test]
fn people_are_invited_reset_disabled_and_removed() {
    let admin = Admin::migrated().with_user("marie@example.com");
    assert_eq!(admin.run("user invite paul@example.com").error(), (78, "config".to_owned()));
    let admin = admin.with("IMAPMCP_SIGN_UP", "invite");
    let invited = admin.run("user invite paul@example.com").json();
    assert!(invited["link"].as_str().unwrap().starts_with("http://localhost:3000/welcome?token="));
    assert_eq!(admin.run("user invite Marie@example.com").error(), (73, "conflict".to_owned()));
    let reset = admin.run("user reset MARIE@example.com").json();
    assert_eq!(reset["email"], "marie@example.com");
    assert_ne!(reset["link"], invited["link"]);
    assert_eq!(admin.run("user disable marie@example.com").json()["done"], "disabled");
    assert_eq!(admin.run("user list").json()["users"][0]["disabled"], true);
    assert_eq!(admin.run("user enable marie@example.com").json()["done"], "enabled");
    assert_eq!(admin.run("user remove marie@example.com").json()["done"], "removed");
    for act in ["reset", "disable", "enable", "remove"] {
        assert_eq!(admin.run(&format!("user {act} marie@example.com")).error(), (66, "not_found".to_owned()));
    }
    admin.say("user add boss@example.com --admin --password-file -", "correct horse battery\n").json();
    for act in ["disable", "remove"] {
        assert_eq!(admin.run(&format!("user {act} boss@example.com")).error(), (73, "conflict".to_owned()));
    }
}

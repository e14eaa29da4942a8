//! What it takes to hold a server up and to measure what others notice of it.

use crate::world::World;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// How many seconds a siege lasts, if that was asked for.
const ASKED_FOR: &str = "IMAPMCP_TEST_SIEGE";

/// How long a siege lasts: 20 seconds in a run of all tests.
pub(crate) fn lasts() -> Duration {
    Duration::from_secs(std::env::var(ASKED_FOR).map_or(20, |seconds| seconds.parse().unwrap()))
}

/// What 99 of 100 calls stay below, of a person who does nothing wrong: `asked_for` milliseconds where a siege was asked
/// for, more in a run of all tests, whose programs are not optimised.
pub(crate) fn slowest_allowed(asked_for: u64, in_a_run: u64) -> Duration {
    let asked = std::env::var_os(ASKED_FOR).is_some();
    Duration::from_millis(if asked { asked_for } else { in_a_run })
}

/// A person of their own, with one account; their token.
pub(crate) fn tenant(world: &World, name: &str, imap: &str, smtp: &str) -> String {
    let email = format!("{name}@example.com");
    world.admin(&["user", "add", &email, "--password-file", "-"], "correct horse battery\n");
    let mut arguments =
        vec!["account", "add", "--user", &email, "--email", &email, "--label", name, "--imap", imap];
    if !smtp.is_empty() {
        arguments.extend(["--smtp", smtp, "--password-file", "-"]);
    }
    world.admin(&arguments, "x\n");
    let issued = world.admin(&["token", "issue", "--user", &email, "--name", "e2e"], "");
    issued["token"].as_str().unwrap().to_owned()
}

/// Resident memory of the server in MiB: now, and at its highest.
pub(crate) fn resident(world: &World) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.pid())).unwrap();
    let figure = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    (figure("VmRSS:"), figure("VmHWM:"))
}

/// Ends the siege with the test, however that ends.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The figure that 99 of 100 are below.
pub(crate) fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

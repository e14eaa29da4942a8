//! A private PostgreSQL on a Unix socket in a scratch directory.

use crate::servers::account;
use std::{
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};
use tempfile::TempDir;

/// The server's parent. It lives exactly as long as its standard input: when the test process ends, in whatever
/// way, the pipe closes, the server stops and the directory goes.
const SUPERVISOR: &str = r#"
set -u
dir=$1
trap '' HUP INT TERM
processes() {
    read -r parent < "$dir/data/postmaster.pid"
    kill "$1" "$parent" && kill "$1" $(cat "/proc/$parent/task/$parent/children")
}
finish() { processes -CONT; pg_ctl -D "$dir/data" -m immediate -w stop; rm -rf "$dir"; }
start() { pg_ctl -D "$dir/data" -l "$dir/log" -w -t 60 start; }
cd "$dir"
{
    initdb -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync &&
    cat >> "$dir/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 16MB
max_connections = 200
CONF
    start
} >/dev/null 2>&1 || { echo "failed"; rm -rf "$dir"; exit 1; }
echo "ready $dir"
while read -r verb argument; do
    case $verb in
        createdb) createdb -h "$dir" -U postgres "$argument" ;;
        shut) pg_ctl -D "$dir/data" -m fast -w stop ;;
        stop) pg_ctl -D "$dir/data" -m immediate -w stop ;;
        start) start ;;
        freeze) processes -STOP ;;
        thaw) processes -CONT ;;
        run) psql -h "$dir" -U postgres -q -v ON_ERROR_STOP=1 -d "$argument" -f "$dir/run.sql" ;;
    esac >/dev/null 2>&1
    echo "done $?"
done
finish >/dev/null 2>&1
"#;

/// A running server; stops when dropped.
#[derive(Debug)]
pub struct Postgres {
    supervisor: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    directory: String,
}

impl Postgres {
    /// Makes a cluster and starts it (about two seconds). `None`, after [`skip`](crate::skip), where PostgreSQL is
    /// not installed.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            crate::skip("PostgreSQL is not installed");
            return None;
        };
        let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
        let scratch = TempDir::with_prefix("imapmcp-pg.").unwrap();
        let mut command = if is_root() {
            // initdb refuses to run as root.
            let (user, group) = account("postgres");
            std::os::unix::fs::chown(scratch.path(), Some(user), Some(group)).unwrap();
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh", "-c", SUPERVISOR]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", SUPERVISOR]);
            command
        };
        let mut supervisor = command
            .arg("sh")
            .arg(scratch.path())
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own: the signal that ends the tests must not end the cleaning up.
            .process_group(0)
            .spawn()
            .unwrap();
        let commands = supervisor.stdin.take();
        let mut answers = BufReader::new(supervisor.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let directory = line.trim_end().strip_prefix("ready ").expect("PostgreSQL starts").to_owned();
        // from here on the supervisor removes it
        let _ = scratch.keep();
        Some(Self { supervisor, commands, answers, directory })
    }

    /// Makes an empty database (lower-case letters and underscores) and returns its URL.
    pub fn database(&mut self, name: &str) -> String {
        assert_eq!(self.say(&format!("createdb {name}")), "done 0");
        format!("postgres://postgres@/{name}?host={}", self.directory)
    }

    /// Pulls the plug; databases stay, without what was committed in the last moments.
    pub fn stop(&mut self) {
        assert_eq!(self.say("stop"), "done 0");
    }

    /// Stops in an orderly way: clients are cut off, and what they committed stays.
    pub fn shut_down(&mut self) {
        assert_eq!(self.say("shut"), "done 0");
    }

    /// Starts again after [`stop`](Self::stop) or [`shut_down`](Self::shut_down).
    pub fn restart(&mut self) {
        assert_eq!(self.say("start"), "done 0");
    }

    /// Stops all its processes where they stand (SIGSTOP): connections stay, and nobody answers.
    pub fn freeze(&mut self) {
        assert_eq!(self.say("freeze"), "done 0");
    }

    /// Lets them go on after [`freeze`](Self::freeze).
    pub fn thaw(&mut self) {
        assert_eq!(self.say("thaw"), "done 0");
    }

    /// Runs statements in a database, such as what `pg_dump` wrote.
    pub fn run(&mut self, database: &str, sql: &str) {
        std::fs::write(self.directory().join("run.sql"), sql).unwrap();
        assert_eq!(self.say(&format!("run {database}")), "done 0");
    }

    /// The scratch directory; it is gone when the server is dropped.
    pub fn directory(&self) -> &std::path::Path {
        std::path::Path::new(&self.directory)
    }

    fn say(&mut self, command: &str) -> String {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.commands.take());
        drop(self.supervisor.wait());
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

/// The directory of the newest installed version.
fn programs() -> Option<String> {
    let mut found: Vec<(u32, String)> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let directory = entry.ok()?.path().join("bin");
            let version = directory.parent()?.file_name()?.to_str()?.parse().ok()?;
            directory.join("initdb").exists().then(|| (version, directory.to_string_lossy().into_owned()))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, directory)| directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_goes_with_its_owner() {
        let Some(mut postgres) = Postgres::start() else { return };
        assert!(postgres.database("one").contains("/one?host="));
        let directory = postgres.directory().to_owned();
        assert!(directory.join("data/postmaster.pid").exists());
        drop(postgres);
        assert!(!directory.exists());
    }
}

//! A server of one's own: scratch data directory, free port, the real programs.

use imapmcp_bootstrap::{Services, Settings};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};
use tempfile::TempDir;

/// The person who signs in.
pub(crate) const EMAIL: &str = "owner@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The programs that were built with the tests, or those of the directory `IMAPMCP_TEST_PROGRAMS`.
fn program_path(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_imapmcp-server"));
    std::env::var_os("IMAPMCP_TEST_PROGRAMS")
        .map_or_else(|| built.with_file_name(name), |directory| PathBuf::from(directory).join(name))
}

pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) url: String,
    environment: BTreeMap<String, String>,
    server: Option<Child>,
}

impl World {
    /// A migrated database with one user; the server is not started.
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        let world = Self::empty(settings);
        world.admin(&["migrate"], "");
        world.admin(&["user", "add", EMAIL, "--password-file", "-"], &format!("{PASSWORD}\n"));
        world
    }

    /// Nothing but settings, as before a first start.
    pub(crate) fn empty(settings: &[(&str, &str)]) -> Self {
        let directory = TempDir::with_prefix("imapmcp-e2e.").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let mut environment = BTreeMap::from([
            ("IMAPMCP_DATA_DIR".to_owned(), directory.path().join("data").display().to_string()),
            ("IMAPMCP_LISTEN".to_owned(), format!("127.0.0.1:{port}")),
            ("IMAPMCP_PUBLIC_URL".to_owned(), url.clone()),
            ("IMAPMCP_LOG".to_owned(), "trace".to_owned()),
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
        ]);
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self { directory, url, environment, server: None }
    }

    /// The services of the same data directory, in this process.
    pub(crate) async fn services(&self) -> Services {
        let settings = Settings::load(None, self.environment.clone(), []).unwrap();
        let database = imapmcp_bootstrap::open_database(&settings).await.unwrap();
        Services::open(settings, database).await.unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.path().join("server.log")
    }

    fn program(&self, path: &Path) -> Command {
        assert!(path.exists(), "{} is missing: build the whole workspace first", path.display());
        let mut command = Command::new(path);
        command.env_clear().envs(&self.environment).current_dir(self.directory.path());
        command
    }

    pub(crate) fn server_program(&self) -> Command {
        self.program(&program_path("imapmcp-server"))
    }

    /// Runs imapmcp-admin, whatever comes of it.
    pub(crate) fn try_admin(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut command = self.program(&program_path("imapmcp-admin"));
        command
            .args(arguments)
            .arg("--json")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // it may not want to read
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs imapmcp-admin; its answer.
    pub(crate) fn admin(&self, arguments: &[&str], stdin: &str) -> Value {
        let output = self.try_admin(arguments, stdin);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "imapmcp-admin {arguments:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    pub(crate) fn add_demo_account(&self) {
        self.admin(
            &[
                "account",
                "add",
                "--user",
                EMAIL,
                "--email",
                "demo@example.com",
                "--label",
                "Demo",
                "--imap",
                "demo:",
            ],
            "",
        );
    }

    pub(crate) fn add_account(
        &self,
        label: &str,
        email: &str,
        imap: &str,
        smtp: &str,
        password: &str,
    ) -> String {
        let arguments = [
            "account",
            "add",
            "--user",
            EMAIL,
            "--email",
            email,
            "--label",
            label,
            "--imap",
            imap,
            "--smtp",
            smtp,
            "--password-file",
            "-",
        ];
        self.admin(&arguments, &format!("{password}\n"))["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn token(&self, more: &[&str]) -> String {
        let mut arguments = vec!["token", "issue", "--user", EMAIL, "--name", "e2e"];
        arguments.extend(more);
        self.admin(&arguments, "")["token"].as_str().unwrap().to_owned()
    }

    /// Starts the server and waits until it says that it is ready; what it said until then. Its log goes to a file.
    pub(crate) fn start(&mut self) -> Vec<String> {
        self.start_as(self.server_program())
    }

    /// The same with so many descriptors, soft and hard.
    pub(crate) fn start_with_descriptors(&mut self, descriptors: u32) -> Vec<String> {
        let mut shell = self.program(Path::new("/bin/sh"));
        let script = format!("ulimit -n {descriptors} && exec \"$0\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_imapmcp-server")]);
        self.start_as(shell)
    }

    fn start_as(&mut self, mut program: Command) -> Vec<String> {
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let mut server = program.stdout(Stdio::piped()).stderr(log).stdin(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        self.server = Some(server);
        let mut said = Vec::new();
        for line in lines.map_while(Result::ok) {
            said.push(line);
            if said.last().is_some_and(|line| line.starts_with("imapmcp is ready")) {
                return said;
            }
        }
        panic!("the server did not start: {}", std::fs::read_to_string(self.log()).unwrap());
    }

    /// Ends the server at once.
    pub(crate) fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Sends the server a signal (`-KILL`, `-TERM`) while others talk to it; [`reap`](Self::reap) it afterwards.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.server.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits for the end of a server that got a signal; its exit code.
    pub(crate) fn reap(&mut self) -> Option<i32> {
        self.server.take().unwrap().wait().unwrap().code()
    }

    /// Ends the server in good order; its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let mut server = self.server.take().unwrap();
        let done = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
        assert!(done.success());
        server.wait().unwrap().code()
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.server.as_ref().unwrap().id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.server.as_mut().is_some_and(|server| server.try_wait().unwrap().is_none())
    }

    /// One HTTP request; status, headers as text, body.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String, String) {
        let agent =
            ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().new_agent();
        let mut request = agent.post(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.send(body).unwrap();
        let headers = format!("{:?}", response.headers());
        let body = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        (response.status().as_u16(), headers, body)
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let agent =
            ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().new_agent();
        let mut response = agent.get(format!("{}{path}", self.url)).call().unwrap();
        let body = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), body)
    }

    /// A JSON-RPC request of the 2025 era.
    pub(crate) fn rpc(&self, token: &str, method: &str, params: &Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let authorization = format!("Bearer {token}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
        ];
        let (status, _, body) = self.post("/mcp", &headers, body.as_bytes());
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{status}, {error}: {body}"))
    }

    /// A tool call whose answer may never come: its structured result, if it came.
    pub(crate) fn try_call(&self, token: &str, tool: &str, arguments: &Value) -> Option<Value> {
        self.try_send(token, &Self::tool_call(tool, arguments))
    }

    /// The request of a tool call, ready to be sent often.
    pub(crate) fn tool_call(tool: &str, arguments: &Value) -> String {
        let params = json!({ "name": tool, "arguments": arguments });
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string()
    }

    /// As [`Self::try_call`], of a request that is ready.
    pub(crate) fn try_send(&self, token: &str, body: &str) -> Option<Value> {
        let request = ureq::post(format!("{}/mcp", self.url))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream");
        let answer = request.send(body.as_bytes()).ok()?.body_mut().read_to_string().ok()?;
        let answer: Value = serde_json::from_str(&answer).ok()?;
        answer["result"].get("structuredContent").cloned()
    }

    /// A tool call: its structured result, or the code of its error.
    pub(crate) fn call(&self, token: &str, tool: &str, arguments: &Value) -> Result<Value, String> {
        let answer = self.rpc(token, "tools/call", &json!({ "name": tool, "arguments": arguments }));
        let result = &answer["result"];
        if result["isError"] == true {
            let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
            return Err(text["error"]["code"].as_str().unwrap().to_owned());
        }
        assert!(result["structuredContent"].is_object(), "{answer}");
        Ok(result["structuredContent"].clone())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Base64 (RFC 4648 §4).
pub(crate) fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(octets.len() / 3 * 4 + 4);
    for three in octets.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            encoded.push(if place > three.len() { '=' } else { char::from(letter) });
        }
    }
    encoded
}

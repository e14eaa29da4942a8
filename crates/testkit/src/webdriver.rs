//! A headless Chromium, driven by the WebDriver protocol (W3C) through chromedriver.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

const CHROMIUM: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";
/// How long an element is looked for before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(20);
/// The protocol's name of an element's identifier.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with an empty profile; it ends with this value.
pub struct Browser {
    driver: Child,
    agent: ureq::Agent,
    /// Commands go below this URL.
    session: String,
    /// Removed with this value.
    profile: TempDir,
}

impl Browser {
    /// `None`, after a skip, where Chromium is not installed.
    pub fn start() -> Option<Self> {
        if let Some(missing) = [CHROMIUM, DRIVER].into_iter().find(|path| !Path::new(path).exists()) {
            crate::skip(&format!("{missing} is not installed (packages chromium, chromium-driver)"));
            return None;
        }
        let profile = TempDir::with_prefix("imapmcp-browser.").unwrap();
        let mut driver = Command::new(DRIVER)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            Some(line.split_once("started successfully on port ")?.1.trim_end_matches('.').to_owned())
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .new_agent();
        // from here on the driver ends when this is dropped
        let mut browser =
            Self { driver, agent, session: format!("http://127.0.0.1:{}", port.unwrap()), profile };
        let profile = format!("--user-data-dir={}", browser.profile.path().display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-proxy-server",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,900",
            &profile,
        ];
        let capabilities = json!({ "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": CHROMIUM, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "implicit": PATIENCE.as_millis() },
        } });
        let new = browser.post("/session", &json!({ "capabilities": capabilities }));
        browser.session = format!("{}/session/{}", browser.session, new["sessionId"].as_str().unwrap());
        Some(browser)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.try_post(path, body).unwrap_or_else(|problem| panic!("{path} {body}: {problem}"))
    }

    fn try_post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("{}{path}", self.session);
        Self::value(self.agent.post(url).send_json(body).unwrap())
    }

    fn get(&self, path: &str) -> Value {
        Self::value(self.agent.get(format!("{}{path}", self.session)).call().unwrap()).unwrap()
    }

    fn value(mut response: ureq::http::Response<ureq::Body>) -> Result<Value, String> {
        let mut body: Value = response.body_mut().read_json().unwrap();
        let value = body["value"].take();
        if response.status().is_success() { Ok(value) } else { Err(value["message"].to_string()) }
    }

    /// Opens a page.
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Where the browser is.
    pub fn url(&self) -> String {
        self.get("/url").as_str().unwrap().to_owned()
    }

    /// The element for an XPath expression; waits for it to come.
    fn element(&self, xpath: &str) -> String {
        let found = self.try_post("/element", &json!({ "using": "xpath", "value": xpath }));
        let found = found.unwrap_or_else(|problem| {
            let text = self.script("return document.body.innerText");
            panic!("{problem} at {}: {}", self.url(), text.as_str().unwrap_or_default())
        });
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    /// Waits for an element; its text as a reader sees it.
    pub fn text(&self, xpath: &str) -> String {
        let element = self.element(xpath);
        self.get(&format!("{element}/text")).as_str().unwrap().to_owned()
    }

    /// Waits for the page with this main heading.
    pub fn heading(&self, text: &str) {
        self.element(&format!("//h1[normalize-space()='{text}']"));
    }

    /// Clicks the link or button that says `name`.
    pub fn press(&self, name: &str) {
        let element = self.element(&format!(
            "//main//*[self::a or self::button][starts-with(normalize-space(), '{name}')]"
        ));
        self.post(&format!("{element}/click"), &json!({}));
    }

    /// Clicks an element.
    pub fn click(&self, xpath: &str) {
        let element = self.element(xpath);
        self.post(&format!("{element}/click"), &json!({}));
    }

    /// Types into a field, in the place of what is there.
    pub fn fill(&self, name: &str, text: &str) {
        let element = self.element(&format!("//main//*[self::input or self::textarea][@name='{name}']"));
        self.post(&format!("{element}/clear"), &json!({}));
        self.post(&format!("{element}/value"), &json!({ "text": text }));
    }

    /// Chooses from a list.
    pub fn choose(&self, name: &str, value: &str) {
        self.click(&format!("//select[@name='{name}']/option[@value='{value}']"));
    }

    /// What an asynchronous function's body returns in the page.
    pub fn script(&self, body: &str) -> Value {
        self.post(
            "/execute/sync",
            &json!({ "script": format!("return (async () => {{ {body} }})()"), "args": [] }),
        )
    }

    /// A command of Chromium's own protocol.
    pub fn chromium(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// What the console said since the last call: script errors, refused resources, policy violations.
    pub fn console(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The page as PNG in base64.
    pub fn screenshot(&self) -> String {
        self.get("/screenshot").as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // ends Chromium, which is not our child
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

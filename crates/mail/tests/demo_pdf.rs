//! The demonstration's PDFs are real ones: another program's reader finds in them what their messages say.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures_util::StreamExt;
use imapmcp_core::mail::{Criterion, Locator, MailStore, Mailbox, Page, Part, Summary};
use imapmcp_mail::memory::MemoryMail;
use imapmcp_testkit::{FakeClock, builders::demo_login};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

/// The Python that has pypdf (`scripts/clients`).
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("clients/python/bin/python");
    let has =
        Command::new(&python).args(["-c", "import pypdf"]).output().is_ok_and(|done| done.status.success());
    if !has {
        imapmcp_testkit::skip("pypdf is not installed (scripts/clients)");
    }
    has.then_some(python)
}

/// Lines that a receipt has: the shop, its number, and what the message says after its greeting.
async fn receipt(mailbox: &dyn Mailbox, at: &Locator, message: &Summary) -> Vec<String> {
    let subject = message.envelope.subject.as_deref().unwrap();
    let number = subject.split(['(', ')']).nth(1).unwrap().trim_start_matches("order ");
    let text = mailbox.section(at, "1", 10_000).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let said = text.lines().skip_while(|line| !line.starts_with("1 x")).map(str::to_owned);
    let shop = message.envelope.from[0].name.clone().unwrap();
    [shop, format!("Receipt {number}")].into_iter().chain(said).collect()
}

async fn octets(mailbox: &dyn Mailbox, at: &Locator, part: &Part) -> Vec<u8> {
    let pieces: Vec<_> = mailbox.stream(at, part).await.unwrap().collect().await;
    pieces.into_iter().flat_map(Result::unwrap).collect()
}

#[tokio::test]
async fn another_reader_finds_in_the_demos_pdfs_what_their_messages_say() {
    let Some(python) = python() else { return };
    let mailbox = MemoryMail::new(Arc::new(FakeClock::default())).mailbox(&demo_login("ada"));
    let files = tempfile::TempDir::with_prefix("imapmcp-pdf.").unwrap();
    let mut said = serde_json::Map::new();
    for folder in ["INBOX", "Archive"] {
        let page = Page { limit: 200, after: None };
        let found = mailbox.search(&folder.into(), &Criterion::HasAttachment, &page).await.unwrap();
        for message in &found.messages {
            let pdf = message.parts.iter().find(|part| part.media_type == "application/pdf");
            let Some(pdf) = pdf else { continue };
            let at = Locator { folder: folder.into(), uid_validity: None, uid: message.uid };
            let name = format!("{folder}-{}.pdf", message.uid);
            std::fs::write(files.path().join(&name), octets(&*mailbox, &at, pdf).await).unwrap();
            let is_receipt = pdf.disposition_parameter("filename").unwrap().starts_with("receipt");
            let lines = if is_receipt {
                receipt(&*mailbox, &at, message).await
            } else {
                ["Contract", "Signed by both parties on every page."].map(str::to_owned).to_vec()
            };
            said.insert(name, json!(lines));
        }
    }
    assert!(said.len() > 20, "{}", said.len());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("tests/clients");
    let read = Command::new(python).arg(script.join("read_pdf.py")).arg(files.path()).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&read.stdout).unwrap(), Value::Object(said));
}

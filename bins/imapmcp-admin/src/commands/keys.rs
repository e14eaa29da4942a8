use crate::{
    context,
    failure::Failure,
    report::{Report, table},
};
use clap::Subcommand;
use imapmcp_bootstrap::{Settings, read_key_ring};
use imapmcp_core::store::{KeyRepository as _, KeyState};
use imapmcp_vault::KeyRing;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the keys the database knows, and those of the key ring it does not know
    #[command(after_help = "Example:\n  imapmcp-admin keys list")]
    List,
}

impl Keys {
    pub(crate) async fn run(self, settings: &Settings) -> Result<Report, Failure> {
        let Self::List = self;
        let known = context::database(settings).await?.list_keys().await?;
        let ring = read_key_ring(settings)?;
        let in_ring = |kid: &str| ring.as_ref().is_some_and(|ring| ring.kids().any(|held| held == kid));
        let extra = ring.iter().flat_map(KeyRing::kids).filter(|kid| known.iter().all(|key| key.kid != *kid));

        let (mut rows, mut list) = (Vec::new(), Vec::new());
        for key in &known {
            let state = match key.state {
                KeyState::Active => "active",
                KeyState::DecryptOnly => "decrypt_only",
                KeyState::Retired => "retired",
            };
            let (held, since) = (in_ring(&key.kid), key.created_at.to_rfc3339());
            rows.push(vec![key.kid.clone(), state.to_owned(), yes(held), since.clone()]);
            list.push(json!({ "kid": key.kid, "state": state, "in_ring": held, "created_at": since }));
        }
        for kid in extra {
            rows.push(vec![kid.to_owned(), "unregistered".to_owned(), yes(true), String::new()]);
            list.push(json!({ "kid": kid, "state": "unregistered", "in_ring": true, "created_at": null }));
        }
        let text = table(
            &["KEY", "STATE", "IN RING", "SINCE"],
            &rows,
            "No key yet; the first start of the server makes one.",
        );
        Ok(Report::new(json!({ "keys": list }), text))
    }
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

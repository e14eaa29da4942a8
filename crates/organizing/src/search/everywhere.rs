use super::{Places, Scope, Search, Start, messages};
use crate::{Opened, query::Query};
use imapmcp_core::mail::{MailError, Messages};
use std::sync::Arc;

/// The newest `limit` messages (1..=200) that match a query in any folder of an account, folder by folder: what a change
/// takes. Whoever pages, or wants to know what could not be searched, uses [`Search`].
pub async fn everywhere(
    opened: Opened,
    query: &Query,
    limit: u32,
) -> Result<Vec<(Arc<Opened>, Vec<Messages>)>, MailError> {
    let places = Places::of(vec![opened], &Scope::Everywhere, true).await?.list;
    let starts = vec![Start::Here(None); places.len()];
    let search = Search { places: &places, query, starts: &starts, limit };
    let hits = search.run(&|_, _| ()).await?.newest(limit as usize);
    Ok(messages(&hits, &places))
}

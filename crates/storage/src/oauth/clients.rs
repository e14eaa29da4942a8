//! Clients: those that nobody consented to make room for others and expire.

use super::rows::ClientRow;
use crate::{
    database::{Database, with_conn, with_tx, with_write},
    schema::clients,
    stored_text::Word,
};
use async_trait::async_trait;
use diesel::{
    dsl::{count_star, min},
    prelude::*,
};
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    id::ClientId,
    oauth::{Client, ClientKind},
    store::{ClientBounds, ClientRepository, StoreError},
    time::Timestamp,
};

/// Registered clients that nobody consented to.
macro_rules! unused {
    () => {
        clients::table
            .filter(clients::used_at.is_null())
            .filter(clients::kind.eq(ClientKind::Registered.word()))
    };
}

macro_rules! not_asked_since {
    ($since:expr) => {
        clients::shown_at.is_null().or(clients::shown_at.assume_not_null().lt($since.0))
    };
}

/// The network that most of these clients came from; of several, the one that came first.
macro_rules! largest_network {
    ($clients:expr) => {
        $clients
            .group_by(clients::network)
            .order((count_star().desc(), min(clients::created_at).asc()))
            .select(clients::network)
    };
}

/// Removes the oldest unused client of a network; one that a person may be deciding about only if there is no other.
macro_rules! remove_oldest {
    ($c:expr, $network:expr, $asked_since:expr) => {{
        let oldest = unused!()
            .filter(clients::network.eq($network))
            .order((clients::created_at, clients::id))
            .select(clients::id);
        let idle: Option<String> =
            oldest.filter(not_asked_since!($asked_since)).first($c).await.optional()?;
        let found = match idle {
            Some(id) => Some(id),
            None => oldest.first($c).await.optional()?,
        };
        if let Some(id) = found {
            // a consent given meanwhile keeps it
            diesel::delete(clients::table.find(id)).filter(clients::used_at.is_null()).execute($c).await?;
        }
    }};
}

#[async_trait]
impl ClientRepository for Database {
    async fn put_client(&self, client: &Client) -> Result<(), StoreError> {
        let row = ClientRow::from(client);
        with_write!(self, |c| {
            diesel::insert_into(clients::table)
                .values(row)
                .on_conflict(clients::id)
                .do_update()
                .set((
                    clients::name.eq(diesel::upsert::excluded(clients::name)),
                    clients::redirect_uris.eq(diesel::upsert::excluded(clients::redirect_uris)),
                    clients::created_at.eq(diesel::upsert::excluded(clients::created_at)),
                ))
                .execute(c)
                .await?;
            Ok(())
        })
    }

    async fn find_client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let row: Option<ClientRow> = with_conn!(self, |c| Ok(clients::table
            .find(id.as_str())
            .select(ClientRow::as_select())
            .first(c)
            .await
            .optional()?))?;
        Ok(row.map(Client::try_from).transpose()?)
    }

    async fn register_client(
        &self,
        client: &Client,
        network: &str,
        bounds: &ClientBounds,
    ) -> Result<(), StoreError> {
        let row = ClientRow::from(client);
        with_tx!(self, |c| {
            let own: i64 = unused!().filter(clients::network.eq(network)).count().get_result(c).await?;
            if own >= i64::from(bounds.of_network) {
                remove_oldest!(c, network, bounds.asked_since);
            } else {
                let all: i64 = unused!().count().get_result(c).await?;
                if all >= i64::from(bounds.in_all) {
                    let largest: Option<String> =
                        largest_network!(unused!().filter(not_asked_since!(bounds.asked_since)))
                            .first(c)
                            .await
                            .optional()?;
                    let largest = match largest {
                        Some(network) => Some(network),
                        None => largest_network!(unused!()).first(c).await.optional()?,
                    };
                    if let Some(network) = largest {
                        remove_oldest!(c, &network, bounds.asked_since);
                    }
                }
            }
            diesel::insert_into(clients::table)
                .values((row.clone(), clients::network.eq(network)))
                .execute(c)
                .await?;
            Ok(())
        })
    }

    async fn note_asked(&self, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
        with_write!(self, |c| {
            diesel::update(clients::table.find(client.as_str()))
                .filter(clients::used_at.is_null())
                .set(clients::shown_at.eq(now.0))
                .execute(c)
                .await?;
            Ok(())
        })
    }

    async fn sweep_clients(
        &self,
        made_before: Timestamp,
        asked_since: Timestamp,
    ) -> Result<usize, StoreError> {
        with_write!(self, |c| Ok(diesel::delete(
            unused!().filter(clients::created_at.lt(made_before.0)).filter(not_asked_since!(asked_since))
        )
        .execute(c)
        .await?))
    }
}

//! The one schema of both databases: Text, Binary, Bool, Integer, BigInt and Nullable only.

diesel::table! {
    users (id) {
        id -> Text,
        email -> Text,
        email_key -> Text,
        is_admin -> Bool,
        password_hash -> Nullable<Text>,
        disabled_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    setup_links (id) {
        id -> Text,
        hash -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    sessions (hash) {
        hash -> Binary,
        user_id -> Nullable<Text>,
        csrf -> Text,
        created_at -> BigInt,
        authenticated_at -> Nullable<BigInt>,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        browser -> Nullable<Binary>,
        agent -> Nullable<Text>,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    password_links (hash) {
        hash -> Binary,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        is_admin -> Bool,
        user_id -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    accounts (id) {
        id -> Text,
        user_id -> Text,
        label -> Text,
        email -> Text,
        from_name -> Nullable<Text>,
        is_default -> Bool,
        backend -> Text,
        imap_host -> Text,
        imap_port -> Integer,
        imap_security -> Text,
        smtp_host -> Text,
        smtp_port -> Integer,
        smtp_security -> Text,
        imap_username -> Text,
        smtp_username -> Text,
        auth -> Text,
        credential -> Binary,
        credential_version -> Integer,
        created_at -> BigInt,
        send_policy -> Text,
        signature -> Nullable<Text>,
        aliases -> Text,
        reading -> Text,
        sending -> Text,
    }
}

diesel::table! {
    keys (kid) {
        kid -> Text,
        state -> Text,
        check_value -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    clients (id) {
        id -> Text,
        kind -> Text,
        name -> Text,
        redirect_uris -> Text,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
        network -> Text,
        shown_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    decided_requests (hash) {
        hash -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    grants (id) {
        id -> Text,
        user_id -> Text,
        client_id -> Text,
        client_name -> Text,
        permissions -> Text,
        accounts -> Nullable<Text>,
        send_policy -> Text,
        resource -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    codes (hash) {
        hash -> Binary,
        grant_id -> Text,
        client_id -> Text,
        redirect_uri -> Text,
        code_challenge -> Text,
        resource -> Text,
        offline -> Bool,
        expires_at -> BigInt,
        consumed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    tokens (id) {
        id -> Text,
        hash -> Binary,
        kind -> Text,
        grant_id -> Text,
        expires_at -> Nullable<BigInt>,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
        parent_id -> Nullable<Text>,
        consumed_at -> Nullable<BigInt>,
        confirmed_at -> Nullable<BigInt>,
        salt -> Nullable<Binary>,
    }
}

diesel::table! {
    outbox (id) {
        id -> Text,
        user_id -> Text,
        account_id -> Text,
        grant_id -> Text,
        state -> Text,
        message_id -> Text,
        sender -> Text,
        recipients -> Text,
        message -> Binary,
        idempotency -> Nullable<Binary>,
        content -> Binary,
        refusals -> Text,
        saved_to_sent -> Nullable<Bool>,
        created_at -> BigInt,
        updated_at -> BigInt,
        next_attempt_at -> Nullable<BigInt>,
        expires_at -> BigInt,
        not_before -> Nullable<BigInt>,
        hold -> Nullable<Text>,
        attempts -> Integer,
        looks -> Integer,
        worker -> Nullable<Text>,
        lease_until -> Nullable<BigInt>,
        fence -> BigInt,
        at_risk -> Bool,
        departed -> Bool,
        last_error -> Nullable<Text>,
        subject -> Nullable<Binary>,
        by_hand -> Bool,
    }
}

diesel::table! {
    writing_styles (account_id) {
        account_id -> Text,
        user_id -> Text,
        profile -> Nullable<Binary>,
        version -> BigInt,
    }
}

diesel::table! {
    style_drafts (account_id, message_id) {
        account_id -> Text,
        message_id -> Text,
        draft -> Binary,
        written_at -> BigInt,
    }
}

diesel::table! {
    correspondence (account_id) {
        account_id -> Text,
        user_id -> Text,
        secret -> Binary,
        reached -> Text,
        reached_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    correspondents (account_id, address) {
        account_id -> Text,
        address -> Binary,
        message -> Nullable<Binary>,
    }
}

diesel::table! {
    operations (id) {
        id -> Text,
        user_id -> Text,
        account_id -> Text,
        kind -> Text,
        state -> Text,
        detail -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    parcels (id) {
        id -> Text,
        user_id -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    parcel_chunks (parcel_id, position) {
        parcel_id -> Text,
        position -> Integer,
        sealed -> Binary,
    }
}

diesel::table! {
    outbox_parcels (outbox_id, parcel_id) {
        outbox_id -> Text,
        parcel_id -> Text,
    }
}

diesel::table! {
    uploads (id) {
        id -> Text,
        user_id -> Text,
        grant_id -> Text,
        about -> Binary,
        max_octets -> BigInt,
        parcel_id -> Nullable<Text>,
        complete -> Bool,
        expires_at -> BigInt,
    }
}

diesel::joinable!(parcel_chunks -> parcels (parcel_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(grants -> users (user_id));
diesel::joinable!(tokens -> grants (grant_id));
diesel::joinable!(codes -> grants (grant_id));
diesel::allow_tables_to_appear_in_same_query!(outbox, outbox_parcels, parcels, parcel_chunks);
diesel::allow_tables_to_appear_in_same_query!(users, sessions, grants, tokens, codes);
diesel::allow_tables_to_appear_in_same_query!(outbox, grants);
diesel::allow_tables_to_appear_in_same_query!(outbox, users);
diesel::allow_tables_to_appear_in_same_query!(writing_styles, style_drafts);
diesel::allow_tables_to_appear_in_same_query!(correspondence, accounts);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Database, database::with_conn};
    use diesel::{QueryDsl, Table};
    use diesel_async::RunQueryDsl;
    use imapmcp_core::store::StoreError;
    use imapmcp_testkit::postgres::Postgres;

    macro_rules! select_all {
        ($database:expr; $($table:ident),+) => {$(
            let selected: Result<usize, StoreError> = with_conn!($database, |c| {
                Ok($table::table.select($table::table::all_columns()).execute(c).await?)
            });
            assert!(selected.is_ok(), "{}: {selected:?}", stringify!($table));
        )+};
    }

    async fn every_table_is_there(url: &str) {
        let database = Database::open(&url.parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        select_all!(database; users, setup_links, sessions, password_links, accounts, keys, clients, decided_requests, grants, codes, tokens, outbox, operations, parcels, parcel_chunks, outbox_parcels, uploads, writing_styles, style_drafts, correspondence, correspondents);
    }

    #[tokio::test]
    async fn the_schema_is_what_the_migrations_make_on_sqlite() {
        every_table_is_there("sqlite::memory:").await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_schema_is_what_the_migrations_make_on_postgres() {
        let Some(mut server) = Postgres::start() else { return };
        every_table_is_there(&server.database("tables")).await;
    }
}

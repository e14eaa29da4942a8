//! Promises of the repository ports. Each function wants empty tables of its own user names, so that all of them can
//! run on one database, in any order, one after the other.

pub mod access;
pub mod accounts;
pub mod correspondents;
pub mod keys;
pub mod oauth;
pub mod operations;
pub mod outbox;
pub mod parcels;
pub mod people;
pub mod style;
pub mod uploads;
pub mod users;

use imapmcp_core::store::{
    AccountRepository, ClientRepository, ConsentRepository, CorrespondentRepository, ExchangeRepository,
    GrantRepository, KeyRepository, OperationRepository, OutboxRepository, ParcelRepository,
    PeopleRepository, PersonalTokenRepository, StyleRepository, TokenRepository, UploadRepository,
    UserRepository,
};
use std::{future::Future, pin::pin, sync::Arc, task::Poll};

/// Every repository of one database.
#[derive(Clone)]
pub struct Repositories {
    /// People.
    pub users: Arc<dyn UserRepository>,
    /// How people come and go.
    pub people: Arc<dyn PeopleRepository>,
    /// Mail accounts.
    pub accounts: Arc<dyn AccountRepository>,
    /// Keys.
    pub keys: Arc<dyn KeyRepository>,
    /// OAuth clients.
    pub clients: Arc<dyn ClientRepository>,
    /// Decisions about authorization requests.
    pub consents: Arc<dyn ConsentRepository>,
    /// Codes and refresh tokens.
    pub exchanges: Arc<dyn ExchangeRepository>,
    /// Tokens as they are presented.
    pub tokens: Arc<dyn TokenRepository>,
    /// Personal access tokens.
    pub personal_tokens: Arc<dyn PersonalTokenRepository>,
    /// Grants.
    pub grants: Arc<dyn GrantRepository>,
    /// Plans and what can be undone.
    pub operations: Arc<dyn OperationRepository>,
    /// Messages on their way out.
    pub outbox: Arc<dyn OutboxRepository>,
    /// Octets in chunks.
    pub parcels: Arc<dyn ParcelRepository>,
    /// Files on their way in.
    pub uploads: Arc<dyn UploadRepository>,
    /// Writing styles.
    pub style: Arc<dyn StyleRepository>,
    /// Whom accounts have met.
    pub correspondents: Arc<dyn CorrespondentRepository>,
}

impl Repositories {
    /// All ports of something that implements all ports.
    pub fn of<T>(all: T) -> Self
    where
        T: UserRepository
            + PeopleRepository
            + AccountRepository
            + KeyRepository
            + ClientRepository
            + ConsentRepository
            + ExchangeRepository
            + TokenRepository
            + PersonalTokenRepository
            + GrantRepository
            + OperationRepository
            + OutboxRepository
            + ParcelRepository
            + UploadRepository
            + StyleRepository
            + CorrespondentRepository
            + 'static,
    {
        let all = Arc::new(all);
        Self {
            users: all.clone(),
            people: all.clone(),
            accounts: all.clone(),
            keys: all.clone(),
            clients: all.clone(),
            consents: all.clone(),
            exchanges: all.clone(),
            tokens: all.clone(),
            personal_tokens: all.clone(),
            grants: all.clone(),
            operations: all.clone(),
            outbox: all.clone(),
            parcels: all.clone(),
            uploads: all.clone(),
            style: all.clone(),
            correspondents: all,
        }
    }
}

/// Runs the whole contract on an empty database.
pub async fn everything(on: &Repositories) {
    users::the_setup_link_has_one_winner(on).await;
    users::people_are_found_without_case(on).await;
    users::sessions_end(on).await;
    people::an_invitation_has_one_winner(on).await;
    people::a_reset_ends_all_access(on).await;
    people::a_new_password_spares_the_session_it_was_set_in(on).await;
    people::the_last_administrator_stays(on).await;
    people::whoever_is_removed_leaves_nothing(on).await;
    accounts::accounts_belong_to_their_user(on).await;
    accounts::one_account_is_the_default(on).await;
    accounts::a_credential_is_replaced_by_one_edit(on).await;
    accounts::logins_are_noted_side_by_side(on).await;
    keys::one_key_is_active(on).await;
    keys::sealed_values_are_walked_and_an_edit_wins(on).await;
    oauth::clients::clients_nobody_used_expire(on).await;
    oauth::clients::registrations_make_room_for_others(on).await;
    oauth::clients::a_request_is_decided_once(on).await;
    oauth::exchange::a_code_has_one_winner(on).await;
    oauth::exchange::a_second_use_of_a_code_ends_the_grant(on).await;
    oauth::exchange::a_lapsed_code_gives_nothing(on).await;
    oauth::exchange::a_lost_answer_can_be_asked_for_again(on).await;
    oauth::exchange::a_spent_refresh_token_ends_the_grant(on).await;
    oauth::exchange::the_evidence_of_use_outlives_the_access_token(on).await;
    oauth::exchange::concurrent_rotations_give_one_pair(on).await;
    oauth::exchange::a_salt_is_kept_for_a_minute(on).await;
    oauth::exchange::a_refresh_token_spent_long_ago_ends_the_grant(on).await;
    oauth::tokens::a_bearer_is_known_by_a_live_token_for_this_resource(on).await;
    oauth::tokens::use_is_noted_to_the_minute(on).await;
    oauth::tokens::personal_tokens_are_listed_and_ended(on).await;
    oauth::tokens::grants_are_ended_by_their_user_only(on).await;
    oauth::tokens::a_client_revokes_its_own_tokens_only(on).await;
    oauth::tokens::lapsed_rows_are_swept(on).await;
    operations::an_operation_is_moved_on_by_one_winner(on).await;
    outbox::the_same_message_is_recorded_once(on).await;
    outbox::an_entry_belongs_to_one_worker_at_a_time(on).await;
    outbox::what_is_due_is_found_in_order(on).await;
    outbox::what_waits_is_withdrawn_or_taken(on).await;
    outbox::what_is_held_is_released_by_its_owner(on).await;
    outbox::a_step_is_made_due_by_its_owner(on).await;
    outbox::nobody_waits_behind_another_users_backlog(on).await;
    outbox::the_database_has_one_clock(on).await;
    access::what_an_ended_grant_queued_is_withdrawn(on).await;
    access::the_end_of_access_and_a_worker_have_one_winner(on).await;
    access::what_rests_on_lapsed_access_is_withdrawn(on).await;
    access::what_a_person_lets_go_by_hand_leaves(on).await;
    access::a_grant_is_alive_while_its_user_is(on).await;
    correspondents::who_was_met_is_known_until_the_account_goes(on).await;
    correspondents::there_is_room_for_so_many(on).await;
    correspondents::what_races_adds_up(on).await;
    outbox::a_user_lists_the_outbox(on).await;
    outbox::what_leaves_soon_is_listed_by_itself(on).await;
    outbox::many_writers_wait_for_each_other(on).await;
    parcels::chunks_come_back_to_their_user(on).await;
    parcels::a_held_parcel_does_not_lapse(on).await;
    uploads::an_upload_is_found_by_its_own_grant_and_completed_once(on).await;
    uploads::bounds_hold_whoever_races(on).await;
    style::a_style_is_kept_while_it_is_switched_on(on).await;
    style::a_draft_teaches_once(on).await;
    a_dropped_call_leaves_nothing_and_blocks_nobody(on).await;
}

/// The web framework drops a request's future when its client hangs up: at every point of a transaction.
pub async fn a_dropped_call_leaves_nothing_and_blocks_nobody(on: &Repositories) {
    use crate::builders::{self, NOON, RESOURCE};
    use imapmcp_core::{oauth::Exchange, secret::TokenHash};

    let user = builders::user("dropped");
    on.users.add_user(&user).await.unwrap();
    let client = builders::client("dropped");
    on.clients.put_client(&client).await.unwrap();

    for polls in 1..24 {
        let name = format!("dropped-{polls}");
        let grant = builders::grant(&name, &user.id, &client.id);
        let code = builders::code(&name, &grant);
        let (request, lapses) = (TokenHash::of(&name), NOON.plus_seconds(600));

        let decide = on.consents.decide(&request, lapses, Some((&grant, &code)), NOON);
        dropped_after(polls, decide).await;
        let decided = on.exchanges.find_code(&code.hash).await.unwrap().is_some();
        let open = !on.consents.is_decided(&request).await.unwrap();
        // Either may be seen while the abandoned connection still closes, but never one without the other for good.
        if !decided && open {
            on.consents.decide(&request, lapses, Some((&grant, &code)), NOON).await.unwrap();
        }
        assert!(
            on.exchanges.find_code(&code.hash).await.unwrap().is_some(),
            "all or nothing after {polls} polls"
        );

        let issue = builders::issue(&name, NOON);
        dropped_after(polls, on.exchanges.spend_code(&code.hash, &issue, NOON)).await;
        let principal = on.tokens.principal(&issue.access, &[RESOURCE.to_owned()], NOON).await.unwrap();
        match on
            .exchanges
            .spend_code(&code.hash, &builders::issue(&format!("{name}-again"), NOON), NOON)
            .await
            .unwrap()
        {
            Exchange::Issued(_) => assert!(principal.is_none(), "nothing was left behind"),
            // The dropped call got as far as its COMMIT.
            Exchange::Replayed => {}
            Exchange::Invalid | Exchange::Repeated { .. } => panic!("the code vanished after {polls} polls"),
        }
    }
}

/// Polls a future at most so many times, then drops it.
async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Runs `racers` calls at once and collects what they return.
async fn race<F, T>(racers: usize, call: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..racers).map(|number| tokio::spawn(call(number))).collect();
    let mut results = Vec::with_capacity(racers);
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

//! What wants the user's own password within the last five minutes: another mailbox password, and the account's end.

use super::seen::{Next, Seen, act_on};
use crate::{account_diagnosis::mail_error, error::WebError, page::Problem, state::WebState};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Path},
};
use imapmcp_accounts::{AccountError, Diagnosis, NewAccount};
use imapmcp_core::account::Account;

const NOT_CHANGED: &str = "The password was not changed";

/// `POST /accounts/{id}/password` with `csrf`, `password`. Tried before it is saved.
pub(in crate::pages) async fn change_password(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    act_on(&state, &request, &id, &body, async |seen, form| {
        seen.wants_password()?;
        let Seen { signed_in, account, .. } = seen;
        if let Err(wait) = state.may_try(&signed_in.user, &account.backend) {
            return Ok(Next::Wait(wait, NOT_CHANGED));
        }
        let password = form.first("password");
        let tested = state.accounts.test_new(&signed_in.user, with_password(account, password)).await;
        let diagnosis = match tested {
            Ok(diagnosis) => diagnosis,
            Err(AccountError::Invalid(error)) => {
                return Ok(Next::refuse(NOT_CHANGED, format!("The {} {}.", error.field, error.problem)));
            }
            Err(error) => return Err(error.into()),
        };
        state.note_try(&account.backend, [&diagnosis.imap.outcome, &diagnosis.smtp.outcome]);
        if let Err(error) = &diagnosis.imap.outcome {
            let (title, advice) = mail_error(error);
            return Ok(Next::refuse(NOT_CHANGED, format!("{title}. {advice}")));
        }
        match state.accounts.set_password(&signed_in.user, &account.id, &password.into()).await {
            Ok(()) => {
                go_on(&state, seen, &diagnosis).await?;
                Ok(Next::Done("password"))
            }
            Err(AccountError::ChangedMeanwhile) => {
                let text = "The account was changed at the same time. Look at it, then try again.";
                Ok(Next::Refuse(StatusCode::CONFLICT, Problem::new(NOT_CHANGED, text)))
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// Notes that the account works again, and takes up what waited for that.
async fn go_on(state: &WebState, seen: &Seen, diagnosis: &Diagnosis) -> Result<(), WebError> {
    let (user, id) = (&seen.signed_in.user, &seen.account.id);
    let changed = state.accounts.get(user, id).await?;
    state.accounts.note_diagnosis(&changed, diagnosis).await;
    if let Err(error) = state.delivery.resume(user, id).await {
        tracing::warn!(account = %id, %error, "what waits is tried at its own times");
    }
    Ok(())
}

/// The same account with another password, to be tried.
fn with_password(account: &Account, password: &str) -> NewAccount {
    NewAccount {
        label: account.label.clone(),
        email: account.email.to_string(),
        from_name: account.from_name.clone(),
        backend: account.backend.clone(),
        imap_username: account.imap_username.clone(),
        smtp_username: account.smtp_username.clone(),
        auth: account.auth,
        password: password.into(),
        is_default: account.is_default,
    }
}

/// `POST /accounts/{id}/remove` with `csrf`, `confirm=yes`.
pub(in crate::pages) async fn remove(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    act_on(&state, &request, &id, &body, async |seen, form| {
        seen.wants_password()?;
        if form.first("confirm") != "yes" {
            return Ok(Next::refuse("The account was not removed", "Tick the box beside its name first."));
        }
        state.accounts.remove(&seen.signed_in.user, &seen.account.id).await?;
        Ok(Next::Leave("/accounts?notice=removed"))
    })
    .await
}

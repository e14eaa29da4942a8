//! What can be tested and changed about an account while its password stays.

use super::{
    page::policy_word,
    seen::{Next, act_on},
};
use crate::{account_diagnosis::DiagnosisView, account_health::HealthView, error::WebError, state::WebState};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data, Path},
};
use imapmcp_accounts::{AccountError, UNDO_SECONDS};
use imapmcp_core::{
    oauth::SendPolicy,
    sender::{MAX_ALIASES, Sender},
};

/// `POST /accounts/{id}/test` with `csrf`.
pub(in crate::pages) async fn test(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    act_on(&state, &request, &id, &body, async |seen, _| {
        let (user, id) = (&seen.signed_in.user, &seen.account.id);
        if let Err(wait) = state.may_try(user, &seen.account.backend) {
            return Ok(Next::Wait(wait, "Nothing was tested"));
        }
        match state.accounts.test(user, id).await {
            Ok(diagnosis) => {
                let outcomes = [&diagnosis.imap.outcome, &diagnosis.smtp.outcome];
                state.note_try(&seen.account.backend, outcomes);
                seen.page.health = HealthView::new(&state.accounts.get(user, id).await?);
                seen.page.diagnosis = Some(DiagnosisView::new(outcomes[0], outcomes[1]));
                Ok(Next::Show)
            }
            Err(AccountError::CredentialUnreadable(cause)) => {
                let error = &cause as &dyn std::error::Error;
                tracing::error!(error, "a stored credential cannot be opened");
                let text = "Enter it again below. Nothing was sent to the mail server.";
                Ok(Next::refuse("The stored password cannot be opened", text))
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// `POST /accounts/{id}/signature` with `csrf`, `signature` (text or HTML; empty removes it).
pub(in crate::pages) async fn change_signature(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    act_on(&state, &request, &id, &body, async |seen, form| {
        // browsers send line ends as CRLF
        let signature = form.first("signature").replace("\r\n", "\n");
        match state.accounts.set_signature(&seen.signed_in.user, &seen.account.id, &signature).await {
            Ok(()) => Ok(Next::Done("signature")),
            Err(AccountError::Invalid(error)) => {
                seen.page.signature = signature;
                Ok(Next::refuse("The signature was not changed", format!("It {}.", error.problem)))
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// `POST /accounts/{id}/aliases` with `csrf`, `aliases` (one address a line, perhaps with a name; empty removes all).
pub(in crate::pages) async fn change_aliases(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    act_on(&state, &request, &id, &body, async |seen, form| {
        let text = form.first("aliases");
        let problem = match senders(text) {
            Err(line) => {
                format!("“{line}” is not an address such as name@example.org or Name <name@example.org>.")
            }
            Ok(aliases) => {
                match state.accounts.set_aliases(&seen.signed_in.user, &seen.account.id, aliases).await {
                    Ok(()) => return Ok(Next::Done("aliases")),
                    Err(AccountError::Invalid(_)) => format!("There may be at most {MAX_ALIASES}."),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        text.clone_into(&mut seen.page.aliases);
        Ok(Next::refuse("The addresses were not changed", problem))
    })
    .await
}

/// A sender of each line that says something; `Err` is the beginning of the first that is none.
fn senders(text: &str) -> Result<Vec<Sender>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let shown = |line: &str| line.chars().filter(|c| !c.is_control()).take(80).collect();
    lines.map(|line| line.parse().map_err(|_| shown(line))).collect()
}

/// `POST /accounts/{id}/sending` with `csrf`, `policy` (`immediate`, `undo`, `approval`), `seconds`. To let messages leave
/// more easily wants the user's own password within the last five minutes; to be stricter does not.
pub(in crate::pages) async fn change_sending(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    act_on(&state, &request, &id, &body, async |seen, form| {
        let policy = match form.first("policy") {
            "immediate" => SendPolicy::Immediate,
            // what is no number is refused like a number out of bounds
            "undo" => SendPolicy::UndoWindow(form.first("seconds").trim().parse().unwrap_or(0)),
            "approval" => SendPolicy::Approval,
            _ => return Err(WebError::BadRequest("Choose when messages leave.")),
        };
        let account = &seen.account;
        let invalid = matches!(policy, SendPolicy::UndoWindow(seconds) if !UNDO_SECONDS.contains(&seconds));
        if !invalid && policy.loosens(account.send_policy) {
            seen.wants_password()?;
        }
        match state.accounts.set_send_policy(&seen.signed_in.user, &account.id, policy).await {
            Ok(()) => Ok(Next::Done("sending")),
            Err(AccountError::Invalid(_)) => {
                seen.page.policy = policy_word(policy);
                form.first("seconds").clone_into(&mut seen.page.undo_seconds);
                Ok(Next::refuse("Nothing was changed", "Messages can be held for 5 to 300 seconds."))
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// `POST /accounts/{id}/style` with `csrf`, `keep` (`on`, or anything else, which deletes what was kept).
pub(in crate::pages) async fn change_style(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    act_on(&state, &request, &id, &body, async |seen, form| {
        let on = form.first("keep") == "on";
        if !state.styles.keep(&seen.signed_in.user, &seen.account.id, on).await? {
            return Err(WebError::NotFound);
        }
        Ok(Next::Done(if on { "style" } else { "style-off" }))
    })
    .await
}

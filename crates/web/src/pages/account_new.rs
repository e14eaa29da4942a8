//! `/accounts/new`: nothing is saved before a test has passed.

use super::account_form::{Errors, Values, invalid};
use crate::{
    account_diagnosis::DiagnosisView,
    error::WebError,
    page::{Page, Problem, Template, template},
    resource::see_other,
    session::{SignedIn, Submitted, query, safe_next},
    state::WebState,
    visitor::Visitor,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data},
};
use imapmcp_accounts::AccountError;
use imapmcp_core::mail::MailError;
use serde::Serialize;

/// `pages/account-new.html`.
#[derive(Debug, Serialize)]
pub(crate) struct AccountNewPage {
    values: Values,
    errors: Errors,
    diagnosis: Option<DiagnosisView>,
    problem: Option<Problem>,
    allow_insecure: bool,
    /// Where to go on to once it is saved: a consent page that waits, say.
    next: String,
}

impl Page for AccountNewPage {
    const TEMPLATE: Template = template!("pages/account-new.html");

    fn sample() -> Self {
        let fields = ["email", "label", "from_name", "password", "imap_host", "imap_port", "imap_username"];
        Self {
            values: Values::sample(),
            errors: fields.map(|field| (field, "This is wrong.".to_owned())).into(),
            diagnosis: Some(DiagnosisView::new(&Ok(()), &Err(MailError::LoginRefused))),
            problem: Some(Problem::new("Nothing was saved", "Mend what is marked below.")),
            allow_insecure: true,
            next: "/accounts".to_owned(),
        }
    }
}

impl AccountNewPage {
    fn new(state: &WebState, values: Values, next: &str) -> Self {
        Self {
            values,
            errors: Errors::new(),
            diagnosis: None,
            problem: None,
            allow_insecure: state.allow_insecure,
            next: next.to_owned(),
        }
    }

    async fn refuse(
        mut self,
        state: &WebState,
        visitor: &Visitor,
        errors: Errors,
    ) -> Result<HttpResponse, WebError> {
        let text = errors.get("form").cloned().unwrap_or_else(|| "Mend what is marked below.".to_owned());
        self.problem = Some(Problem::new("Nothing was saved", text));
        self.errors = errors;
        state.page(StatusCode::UNPROCESSABLE_ENTITY, visitor, "accounts", &self).await
    }
}

/// `GET /accounts/new?next=…`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let query = query(&request);
    let page = AccountNewPage::new(&state, Values::default(), query.first("next"));
    state.page(StatusCode::OK, &signed_in.visitor, "accounts", &page).await
}

/// `POST /accounts/new` with `csrf`, `email`, `label`, `from_name`, `password`, `imap_host`, `imap_port`,
/// `imap_security` (`tls`, `starttls`, `insecure`), `imap_username`, the same four with `smtp_`, `next`, and `do`:
/// `save` saves when reading works although sending does not; anything else wants both to work.
pub(super) async fn submit(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let SignedIn { visitor, user } = &signed_in;
    let values = Values::submitted(&form);
    let mut page = AccountNewPage::new(&state, values, form.first("next"));

    let new = match page.values.account(form.first("password"), state.allow_insecure) {
        Ok(new) => new,
        Err(errors) => return page.refuse(&state, visitor, errors).await,
    };
    if let Err(wait) = state.may_try(user, &new.backend) {
        page.problem = Some(wait.problem("Nothing was saved"));
        return Ok(wait.mark(state.page(StatusCode::TOO_MANY_REQUESTS, visitor, "accounts", &page).await?));
    }
    let tested = match state.accounts.test_new(user, new.clone()).await {
        Ok(tested) => {
            state.note_try(&new.backend, [&tested.imap.outcome, &tested.smtp.outcome]);
            tested
        }
        Err(AccountError::Invalid(error)) => return page.refuse(&state, visitor, invalid(&error)).await,
        Err(error) => return Err(error.into()),
    };
    let diagnosis = DiagnosisView::new(&tested.imap.outcome, &tested.smtp.outcome);
    let good_enough = diagnosis.all_passed || (diagnosis.usable && form.first("do") == "save");
    if !good_enough {
        page.diagnosis = Some(diagnosis);
        page.problem = Some(Problem::new(
            "Nothing was saved: the test failed",
            "What happened and what to do is below.",
        ));
        return state.page(StatusCode::UNPROCESSABLE_ENTITY, visitor, "accounts", &page).await;
    }
    match state.accounts.add(user, new).await {
        Ok(account) => {
            state.accounts.note_diagnosis(&account, &tested).await;
            let added = format!("/accounts/{}?notice=added", account.id);
            Ok(see_other(if page.next.is_empty() { &added } else { safe_next(&page.next) }))
        }
        Err(AccountError::Invalid(error)) => page.refuse(&state, visitor, invalid(&error)).await,
        Err(AccountError::TooMany(most)) => {
            let text = format!("You have {most} accounts, and this server allows no more. Remove one first.");
            page.refuse(&state, visitor, Errors::from([("form", text)])).await
        }
        Err(AccountError::LabelTaken) => {
            let text = "You have an account with that label. Choose another, such as “Work”.".to_owned();
            page.refuse(&state, visitor, Errors::from([("label", text)])).await
        }
        Err(error) => Err(error.into()),
    }
}

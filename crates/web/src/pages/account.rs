//! `/accounts/{id}`: one account, and what can be done with it.

mod forms;
mod page;
mod password;
mod seen;

pub(super) use forms::{change_aliases, change_sending, change_signature, change_style, test};
pub(crate) use page::AccountPage;
pub(super) use password::{change_password, remove};

use crate::{
    error::WebError,
    session::{SignedIn, query},
    state::WebState,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use seen::Seen;

/// `GET /accounts/{id}`.
pub(super) async fn show(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, WebError> {
    let mut seen = Seen::new(&state, SignedIn::of(&state, &request).await?, &id).await?;
    query(&request).first("notice").clone_into(&mut seen.page.notice);
    seen.show(&state, StatusCode::OK).await
}

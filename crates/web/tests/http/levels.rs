//! Each account has its own level.

use crate::{
    browser::{Browser, form},
    house::{House, REDIRECT, VERIFIER, app, authorize_url},
};
use actix_http::Request;
use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::StatusCode,
};
use imapmcp_core::{
    id::AccountId,
    oauth::{Principal, SendPolicy},
};

/// Consents to both accounts with these levels, and gets the tokens.
async fn allow<S, B>(
    app: &S,
    marie: &mut Browser<'_, S>,
    client: &str,
    levels: &[(&str, &str)],
) -> serde_json::Value
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let started = marie.get(&authorize_url(client, REDIRECT, "mail.read mail.organize mail.send")).await;
    let page = marie.get(started.location()).await;
    for account in ["Personal", "Studio"] {
        assert!(
            page.body.contains(&format!(r#"name="level-acc_marie-{account}" value="send""#)),
            "{account}"
        );
    }
    let (csrf, request) = (page.field("csrf"), page.field("request"));
    let mut fields = vec![("csrf", &*csrf), ("request", &*request), ("decision", "allow")];
    fields.extend(["acc_marie-Personal", "acc_marie-Studio"].map(|account| ("account", account)));
    fields.extend(levels);
    let allowed = marie.post("/oauth/consent", &fields).await;
    assert_eq!(allowed.status, StatusCode::SEE_OTHER, "{}", allowed.body);
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", &allowed.answered("code").unwrap()),
        ("code_verifier", VERIFIER),
    ];
    Browser::new(app).send(form("/oauth/token", &exchange)).await.json()
}

#[actix_web::test]
async fn a_person_allows_more_with_one_account_than_with_another() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let id = house.client("Claude", REDIRECT).await;
    let bearer = async |tokens: &serde_json::Value| -> Principal {
        let authorization = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        house.server.authenticate(Some(&authorization), "/mcp", None).await.unwrap()
    };
    let at = |principal: &Principal, account: &str| {
        let account: AccountId = format!("acc_marie-{account}").parse().unwrap();
        (principal.permissions_at(&account).to_string(), principal.send_policy_at(&account))
    };

    let levels = [("level-acc_marie-Personal", "send"), ("level-acc_marie-Studio", "read")];
    let tokens = allow(&app, &mut marie, &id, &levels).await;
    assert_eq!(tokens["scope"], "mail.read mail.organize mail.draft mail.send", "what any account allows");
    let principal = bearer(&tokens).await;
    let all = "mail.read mail.organize mail.draft mail.send".to_owned();
    assert_eq!(at(&principal, "Personal"), (all.clone(), SendPolicy::UndoWindow(30)));
    assert_eq!(at(&principal, "Studio"), ("mail.read".to_owned(), SendPolicy::Approval));
    assert_eq!(at(&principal, "Other"), (String::new(), SendPolicy::Approval));

    let levels = [("level-acc_marie-Personal", "organise"), ("level-acc_marie-Studio", "approve")];
    let principal = bearer(&allow(&app, &mut marie, &id, &levels).await).await;
    assert_eq!(at(&principal, "Personal"), ("mail.read mail.organize".to_owned(), SendPolicy::Approval));
    assert_eq!(at(&principal, "Studio"), (all, SendPolicy::Approval));

    // what a form leaves out, or makes up, is the least
    let levels = [("level-acc_marie-Personal", "owner")];
    let principal = bearer(&allow(&app, &mut marie, &id, &levels).await).await;
    for account in ["Personal", "Studio"] {
        assert_eq!(at(&principal, account), ("mail.read".to_owned(), SendPolicy::Approval), "{account}");
    }
}

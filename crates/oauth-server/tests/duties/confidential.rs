//! Clients with a secret: told once, presented in the one way that was registered.

use crate::house::{House, REDIRECT, VERIFIER};
use base64::{Engine, engine::general_purpose::STANDARD};
use imapmcp_core::{form::Parameters, store::ClientRepository};
use imapmcp_oauth_server::{OAuthError, TokenResponse, error};

struct Confidential {
    id: String,
    secret: String,
}

impl Confidential {
    async fn new(house: &House, method: &str) -> Self {
        let body = format!(r#"{{"redirect_uris":["{REDIRECT}"],"token_endpoint_auth_method":"{method}"}}"#);
        let client = house.server.register(body.as_bytes(), None, None).await.unwrap();
        assert!(!format!("{client:?}").contains("ims_"), "no log shows it");
        let answer = serde_json::to_value(&client).unwrap();
        assert_eq!(answer["token_endpoint_auth_method"], method);
        assert_eq!(answer["client_secret_expires_at"], 0);
        let secret = answer["client_secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("ims_") && secret.len() == 47, "256 bits");
        Self { id: client.client_id, secret }
    }

    fn basic(&self) -> String {
        basic(&self.id, &self.secret)
    }
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// A code exchange with these parameters beside what it needs.
async fn exchange(
    house: &House,
    code: &str,
    more: &[(&str, &str)],
    authorization: Option<&str>,
) -> Result<TokenResponse, OAuthError> {
    let fixed = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)];
    house.server.token(&form(&[&fixed, more].concat()), authorization).await
}

fn form(pairs: &[(&str, &str)]) -> Parameters {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    Parameters::parse(body.extend_pairs(pairs).finish().as_bytes())
}

#[tokio::test]
async fn the_token_endpoint_asks_for_exactly_the_registered_method() {
    let house = House::new().await;
    let public = house.client(REDIRECT).await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let client = Confidential::new(&house, method).await;
        let other = Confidential::new(&house, method).await;
        let code = house.code(&client.id, &[]).await;
        let (id, secret) = (client.id.as_str(), client.secret.as_str());
        let posted = |secret| [("client_id", id), ("client_secret", secret)];
        let is_basic = method == "client_secret_basic";
        let header = client.basic();

        // nothing, a wrong one, another client's, the digest, a cut one, the other method
        let prefix = &secret[..46];
        let invalid = Err(error::INVALID_CLIENT);
        assert_eq!(exchange(&house, &code, &[("client_id", id)], None).await.map(drop), invalid);
        for wrong in ["x", &other.secret, prefix, "ims_"] {
            assert_eq!(exchange(&house, &code, &posted(wrong), None).await.map(drop), invalid, "{wrong}");
            let header = basic(id, wrong);
            assert_eq!(exchange(&house, &code, &[], Some(&header)).await.map(drop), invalid, "{wrong}");
        }
        if is_basic {
            assert_eq!(exchange(&house, &code, &posted(secret), None).await.map(drop), invalid);
        } else {
            assert_eq!(exchange(&house, &code, &[], Some(&header)).await.map(drop), invalid);
        }
        for broken in ["Basic", "Basic ?", "Basic Y2xp", &format!("Basic {secret}")] {
            assert_eq!(exchange(&house, &code, &[], Some(broken)).await.map(drop), invalid, "{broken}");
        }
        // the header speaks for another client than the body
        let named = [("client_id", public.as_str())];
        assert_eq!(exchange(&house, &code, &named, Some(&header)).await.map(drop), invalid);
        // RFC 6749 §2.3: one method a request
        let both = exchange(&house, &code, &posted(secret), Some(&header)).await;
        assert_eq!(both.map(drop), Err(error::TWO_METHODS));

        // none of that has spent the code
        let tokens = if is_basic {
            exchange(&house, &code, &[("client_id", id)], Some(&header)).await.unwrap()
        } else {
            exchange(&house, &code, &posted(secret), None).await.unwrap()
        };
        let refresh = tokens.refresh_token.unwrap();
        let again = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let with_secret = if is_basic { again.to_vec() } else { [&again[..], &posted(secret)].concat() };
        let bare = form(&[&again[..], &[("client_id", id)]].concat());
        assert_eq!(
            house.server.token(&bare, None).await.map(drop),
            invalid,
            "a stolen refresh token is not enough"
        );
        let header = is_basic.then_some(header.as_str());
        let tokens = house.server.token(&form(&with_secret), header).await.unwrap();

        // RFC 7009 §2.1
        let token = tokens.access_token.as_str();
        let revoke = async |more: &[(&str, &str)], header: Option<&str>| {
            house.server.revoke(&form(&[&[("token", token)][..], more].concat()), header).await
        };
        assert_eq!(revoke(&[("client_id", id)], None).await, Err(error::INVALID_CLIENT));
        assert!(house.lives(token).await);
        let proof = if is_basic { Vec::new() } else { posted(secret).to_vec() };
        assert_eq!(revoke(&proof, header).await, Ok(true));
        assert!(!house.lives(token).await);
    }
}

#[tokio::test]
async fn a_public_client_has_no_secret_and_needs_none() {
    let house = House::new().await;
    for method in ["none", "private_key_jwt", "client_secret_jwt", "tls_client_auth", "made_up"] {
        let body = format!(r#"{{"redirect_uris":["{REDIRECT}"],"token_endpoint_auth_method":"{method}"}}"#);
        let client = house.server.register(body.as_bytes(), None, None).await.unwrap();
        let answer = serde_json::to_value(&client).unwrap();
        assert_eq!(answer["token_endpoint_auth_method"], "none", "{method}");
        assert!(answer.get("client_secret").is_none() && answer.get("client_secret_expires_at").is_none());
    }
    let client = house.client(REDIRECT).await;
    let code = house.code(&client, &[]).await;
    let header = basic(&client, "");
    let tried = exchange(&house, &code, &[], Some(&header)).await;
    assert_eq!(tried.map(drop), Err(error::NO_CLIENT_SECRETS));
    assert!(exchange(&house, &code, &[("client_id", &client)], Some("Bearer x")).await.is_ok());
}

#[tokio::test]
async fn a_secret_is_kept_as_a_digest() {
    let house = House::new().await;
    let client = Confidential::new(&house, "client_secret_post").await;
    let stored = house.database.find_client(&client.id.parse().unwrap()).await.unwrap().unwrap();
    let kept = format!("{stored:?}");
    assert!(!kept.contains(&client.secret) && !kept.contains(&client.secret[4..]));
    assert_eq!(stored.secret.unwrap().hash, imapmcp_core::secret::TokenHash::of(&client.secret));
    let again = Confidential::new(&house, "client_secret_post").await;
    assert_ne!(again.secret, client.secret);
}

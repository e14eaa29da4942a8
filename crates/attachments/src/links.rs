//! Links, and what they lead to.

use bytes::Bytes;
use futures_util::{TryStreamExt, stream::BoxStream};
use imapmcp_accounts::{AccountError, Accounts};
use imapmcp_core::{
    id::{AccountId, GrantId, UserId},
    mail::{Locator, MailError, Mailbox, MessageRef, Part},
    oauth::{Grant, Principal},
    permission::Permission,
    secret::LinkTokens,
    store::{GrantRepository, StoreError},
    time::{Clock, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How long a link lives.
pub const LIFETIME_SECONDS: i64 = 900;

/// What links are made of and checked against.
pub struct AttachmentsDeps {
    /// Seals links; of a purpose of its own.
    pub tokens: Arc<dyn LinkTokens>,
    /// Says whether a grant, and its user, is still alive.
    pub grants: Arc<dyn GrantRepository>,
    /// Accounts and their mailboxes.
    pub accounts: Arc<Accounts>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Our own origin, without a slash at its end.
    pub base_url: String,
}

/// Makes and follows links to attachments.
pub struct Attachments {
    deps: AttachmentsDeps,
}

/// An attachment to link to.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// The account it lies in.
    pub account: &'a AccountId,
    /// Its message.
    pub at: &'a MessageRef,
    /// Its part.
    pub part: &'a Part,
    /// Its name.
    pub filename: &'a str,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Address to GET.
    pub url: String,
    /// It is dead from here on.
    pub expires_at: Timestamp,
}

/// Why a link leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Not made here, lapsed, or its grant or account is gone: one answer for all of them.
    #[error("the link has expired")]
    Expired,
    /// The mail server refused this account's login.
    #[error(transparent)]
    Account(AccountError),
    /// From the mail server.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An attachment that may be fetched.
pub struct Download {
    /// Its name, as the sender wrote it.
    pub filename: String,
    /// Its type, as the sender wrote it.
    pub content_type: String,
    /// Octets, where that is known without reading it.
    pub size: Option<u64>,
    mailbox: Arc<dyn Mailbox>,
    at: Locator,
    part: Part,
}

/// What a link carries.
#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(rename = "u")]
    user: String,
    #[serde(rename = "g")]
    grant: String,
    #[serde(rename = "a")]
    account: String,
    #[serde(rename = "f")]
    folder: String,
    #[serde(rename = "v")]
    uid_validity: u32,
    #[serde(rename = "i")]
    uid: u32,
    #[serde(rename = "s")]
    section: String,
    #[serde(rename = "e")]
    encoding: String,
    #[serde(rename = "o")]
    octets: u64,
    #[serde(rename = "t")]
    media_type: String,
    #[serde(rename = "n")]
    filename: String,
}

impl Attachments {
    /// Ready for use.
    pub const fn new(deps: AttachmentsDeps) -> Self {
        Self { deps }
    }

    /// A link for the bearer of this grant.
    pub fn link(&self, principal: &Principal, file: File<'_>) -> Link {
        let payload = Payload {
            user: principal.user.to_string(),
            grant: principal.grant.to_string(),
            account: file.account.to_string(),
            folder: file.at.folder.clone().into(),
            uid_validity: file.at.uid_validity,
            uid: file.at.uid,
            section: file.part.section.clone(),
            encoding: file.part.encoding.clone(),
            octets: file.part.size,
            media_type: file.part.media_type.chars().take(100).collect(),
            filename: file.filename.chars().take(200).collect(),
        };
        let payload = serde_json::to_vec(&payload).unwrap_or_default();
        let token = self.deps.tokens.seal(&payload, LIFETIME_SECONDS);
        let expires_at = self.deps.clock.now().plus_seconds(LIFETIME_SECONDS);
        Link { url: format!("{}/attachments/{token}", self.deps.base_url), expires_at }
    }

    /// What a link leads to, if it may still be followed.
    pub async fn open(&self, token: &str) -> Result<Download, DownloadError> {
        if token.len() > 16_384 {
            return Err(DownloadError::Expired);
        }
        let payload = self.deps.tokens.open(token).ok_or(DownloadError::Expired)?;
        let payload: Payload = serde_json::from_slice(&payload).map_err(|_| DownloadError::Expired)?;
        let user: UserId = payload.user.parse().map_err(|_| DownloadError::Expired)?;
        let grant: GrantId = payload.grant.parse().map_err(|_| DownloadError::Expired)?;
        let account: AccountId = payload.account.parse().map_err(|_| DownloadError::Expired)?;
        let grant = self.deps.grants.live(&user, &grant, self.deps.clock.now()).await?;
        let may = |live: &Grant| live.permissions_at(&account).allows(Permission::Read);
        if !grant.as_ref().is_some_and(may) {
            return Err(DownloadError::Expired);
        }
        let (_, mailbox) = match self.deps.accounts.mailbox(&user, &account).await {
            Ok(opened) => opened,
            Err(AccountError::NotFound) => return Err(DownloadError::Expired),
            Err(AccountError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(DownloadError::Account(error)),
        };
        let identity = matches!(payload.encoding.as_str(), "7bit" | "8bit" | "binary");
        Ok(Download {
            filename: payload.filename,
            content_type: payload.media_type.clone(),
            size: identity.then_some(payload.octets),
            mailbox,
            at: Locator {
                folder: payload.folder.into(),
                uid_validity: Some(payload.uid_validity),
                uid: payload.uid,
            },
            part: Part {
                section: payload.section,
                media_type: payload.media_type,
                encoding: payload.encoding,
                size: payload.octets,
                ..Part::default()
            },
        })
    }
}

impl Download {
    /// How many octets there are, decoded: reads them all, and keeps none.
    pub async fn count(&self) -> Result<u64, MailError> {
        self.stream()
            .await?
            .try_fold(0, |count, piece| std::future::ready(Ok(count + piece.len() as u64)))
            .await
    }

    /// The octets, decoded, as they come from the mail server.
    pub async fn stream(&self) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError> {
        self.mailbox.stream(&self.at, &self.part).await
    }
}

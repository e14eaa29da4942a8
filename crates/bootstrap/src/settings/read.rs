//! What the texts of settings mean. `Err` is the rest of a sentence that begins with the setting's name.

use super::{Listen, LogFormat};
use imapmcp_core::secret::{SecretString, TokenHash};
use imapmcp_egress::{Policy, PolicyError};
use imapmcp_oauth_server::{Config as OAuthConfig, Registration, SignUp, redirect};
use imapmcp_storage::DatabaseUrl;
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _},
    num::NonZeroU32,
    path::PathBuf,
};

pub(super) fn listen(text: &str) -> Result<Listen, String> {
    if text.starts_with("unix:/") {
        return Ok(Listen::Unix(PathBuf::from(&text["unix:".len()..])));
    }
    let address = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    address
        .map(Listen::Tcp)
        .ok_or_else(|| "must be an address and a port such as 127.0.0.1:3000, or unix:/path".to_owned())
}

pub(super) fn public_url(text: &str) -> Result<OAuthConfig, String> {
    OAuthConfig::new(text).map_err(|error| format!("is wrong: {error}"))
}

#[expect(clippy::unnecessary_wraps, reason = "of the type of its siblings")]
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text))
}

#[expect(clippy::unnecessary_wraps, reason = "of the type of its siblings")]
pub(super) fn perhaps_path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok(given(text).map(PathBuf::from))
}

/// RFC 5321 §4.1.3: a domain, or an address literal.
pub(super) fn ehlo_name(text: &str) -> Result<Option<String>, String> {
    let Some(name) = given(text) else { return Ok(None) };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let right = match literal {
        Some(literal) => match literal.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => literal.parse::<Ipv4Addr>().is_ok(),
        },
        None => name.len() <= 255 && name.split('.').all(label),
    };
    if right {
        Ok(Some(name.to_owned()))
    } else {
        Err("must be a domain name such as mail.example.com, or an address as [192.0.2.1] or [IPv6:2001:db8::1]".to_owned())
    }
}

pub(super) fn database_url(text: &str) -> Result<Option<DatabaseUrl>, String> {
    given(text).map(str::parse).transpose().map_err(|_| {
        "is not a database URL such as sqlite:///var/lib/imapmcp/imapmcp.db or postgres://user@host/name"
            .to_owned()
    })
}

#[expect(clippy::unnecessary_wraps, reason = "of the type of its siblings")]
pub(super) fn secret(text: &str) -> Result<Option<SecretString>, String> {
    Ok(given(text).map(SecretString::from))
}

pub(super) fn sign_up(text: &str) -> Result<SignUp, String> {
    match text {
        "closed" => Ok(SignUp::Closed),
        "invite" => Ok(SignUp::Invite),
        "open" => Ok(SignUp::Open),
        _ => Err("must be closed, invite or open".to_owned()),
    }
}

pub(super) fn egress(text: &str) -> Result<Policy, String> {
    text.parse().map_err(|error: PolicyError| format!("is wrong: {error}"))
}

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text {
        "0" | "false" => Ok(false),
        "1" | "true" => Ok(true),
        _ => Err("must be 0 or 1".to_owned()),
    }
}

pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    items(text)
        .map(|item| {
            let single = || item.parse::<IpAddr>().map(IpNet::from);
            let network = item.parse::<IpNet>().or_else(|_| single());
            network.map_err(|_| format!("holds `{item}`, which is no address or CIDR"))
        })
        .collect()
}

pub(super) fn registration(text: &str) -> Result<Registration, String> {
    match text {
        "open" => Ok(Registration::Open),
        "off" => Ok(Registration::Off),
        other => match other.strip_prefix("token:").filter(|token| token.len() >= 32) {
            Some(token) => Ok(Registration::Token(TokenHash::of(token))),
            None => Err("must be open, off, or token:SECRET of 32 characters or more".to_owned()),
        },
    }
}

/// Items of a list that are given.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

pub(super) fn schemes(text: &str) -> Result<Vec<String>, String> {
    items(text)
        .map(|scheme| {
            let problem = || format!("holds `{scheme}`, which is no private-use scheme such as myeditor");
            redirect::may_be_listed(scheme).then(|| scheme.to_owned()).ok_or_else(problem)
        })
        .collect()
}

pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    items(text)
        .map(|item| {
            let problem = || format!("holds `{item}`, which is no origin such as https://inspector.example");
            redirect::is_origin(item).then(|| item.to_ascii_lowercase()).ok_or_else(problem)
        })
        .collect()
}

pub(super) fn per_minute(text: &str) -> Result<NonZeroU32, String> {
    let number = text.strip_suffix("/min").and_then(|number| number.trim().parse().ok());
    number.ok_or_else(|| "must look like 300/min".to_owned())
}

pub(super) fn bound(text: &str) -> Result<Option<NonZeroU32>, String> {
    text.parse().map(NonZeroU32::new).map_err(|_| "must be a number; 0 is no bound".to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "of the type of its siblings")]
pub(super) fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be text or json".to_owned()),
    }
}

/// A secret as shown.
pub(super) fn hidden(text: &str) -> String {
    if text.is_empty() { String::new() } else { "(set)".to_owned() }
}

/// Who may register, as shown.
pub(super) fn without_token(text: &str) -> String {
    if text.starts_with("token:") { "token:(set)".to_owned() } else { text.to_owned() }
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

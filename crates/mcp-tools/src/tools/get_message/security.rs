//! `security`: where a message comes from, and what in it deceives.

use crate::present;
use imapmcp_core::{
    account::{Account, Backend},
    mail::{Envelope, Message},
};
use imapmcp_mime::{
    authentication,
    header::Fields,
    provenance::{self, ListInfo, Signs},
    view::View,
};
use imapmcp_organizing::Opened;
use serde_json::{Map, Value, json};

/// Entries of lists shown at most.
const MAX_SIGNS: usize = 10;

/// Of a message; `first_from_sender` as far as it is known.
pub(super) fn of(
    opened: &Opened,
    message: &Message,
    fields: &Fields,
    view: Option<&View>,
    first_from_sender: Option<bool>,
) -> Value {
    let envelope = &message.summary.envelope;
    let signs = provenance::signs(envelope, fields);
    let mut security = Map::new();
    if let Some(authentication) = authentication(&opened.account, envelope, fields) {
        security.insert("authentication".to_owned(), authentication);
    }
    put_sender(&mut security, envelope, &signs, first_from_sender == Some(true));
    if let Some(list) = &signs.list {
        security.insert("list".to_owned(), mailing_list(list));
    }
    put_signs(&mut security, [("bulk", signs.bulk), ("auto_submitted", signs.auto_submitted)]);
    let mut lookalikes: Vec<String> = signs.lookalike_sender.into_iter().collect();
    if let Some(view) = view {
        put_text(&mut security, view);
        lookalikes.extend(view.lookalikes.iter().cloned());
    }
    if !lookalikes.is_empty() {
        let hosts = lookalikes.iter().take(MAX_SIGNS).map(|host| json!(present::shorten(host, 100)));
        security.insert("lookalikes".to_owned(), hosts.collect());
    }
    Value::Object(security)
}

/// What the account's own server wrote of SPF, DKIM and DMARC.
fn authentication(account: &Account, envelope: &Envelope, fields: &Fields) -> Option<Value> {
    let domain = envelope.from.first().and_then(|from| from.email.rsplit_once('@')).map(|(_, domain)| domain);
    let host = match &account.backend {
        Backend::Servers { imap, .. } => imap.host.as_str(),
        Backend::Demo => "localhost",
    };
    let verdict = authentication::read(fields, domain, host, &account.email)?;
    let mut shown =
        json!({ "authserv_id": present::shorten(&verdict.authserv_id, 100), "aligned": verdict.aligned });
    if !verdict.trusted {
        shown["forgeable"] = json!(true);
    }
    for (name, result) in [("spf", verdict.spf), ("dkim", verdict.dkim), ("dmarc", verdict.dmarc)] {
        if let Some(result) = result {
            shown[name] = json!(present::shorten(&result, 20));
        }
    }
    Some(shown)
}

fn put_sender(security: &mut Map<String, Value>, envelope: &Envelope, signs: &Signs, first: bool) {
    security.insert("reply_to_differs".to_owned(), json!(signs.reply_to_differs));
    if signs.reply_to_differs {
        security.insert("reply_to".to_owned(), present::addresses(&envelope.reply_to, 5));
    }
    put_signs(security, [("from_name_misleads", signs.from_name_misleads), ("first_from_sender", first)]);
}

/// Signs that are there; the others are not told.
fn put_signs<const N: usize>(security: &mut Map<String, Value>, signs: [(&str, bool); N]) {
    let there = signs.into_iter().filter(|(_, holds)| *holds);
    security.extend(there.map(|(name, _)| (name.to_owned(), json!(true))));
}

fn mailing_list(list: &ListInfo) -> Value {
    let mut shown = Map::new();
    if let Some(id) = &list.id {
        shown.insert("id".to_owned(), json!(present::shorten(id, 200)));
    }
    if let Some(unsubscribe) = &list.unsubscribe {
        shown.insert("unsubscribe".to_owned(), json!(present::shorten(unsubscribe, 500)));
    }
    put_signs(&mut shown, [("one_click", list.one_click)]);
    Value::Object(shown)
}

/// What was found when the text was made readable.
fn put_text(security: &mut Map<String, Value>, view: &View) {
    let counts = [
        ("hidden_text_removed", view.hidden),
        ("tracking_pixels_removed", view.tracking_pixels),
        ("remote_images_not_loaded", view.remote_images),
    ];
    let there = counts.into_iter().filter(|(_, count)| *count > 0);
    security.extend(there.map(|(name, count)| (name.to_owned(), json!(count))));
    if !view.link_mismatches.is_empty() {
        let mismatches = view.link_mismatches.iter().take(MAX_SIGNS).map(|link| {
            json!({ "shown": present::shorten(&link.shown, 100), "real": present::shorten(&link.real, 100) })
        });
        security.insert("link_mismatches".to_owned(), mismatches.collect());
    }
    if let Some(form) = view.other_form {
        security.insert("other_form_differs".to_owned(), json!(form));
    }
    put_signs(security, [("cut", view.cut)]);
}

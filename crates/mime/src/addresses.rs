//! The mailboxes that a field names (RFC 5322 §3.4).

use mailparse::{MailAddr, SingleInfo};

/// Everybody, groups by their members; `None` if that cannot be read.
pub(crate) fn mailboxes(raw: &str) -> Option<Vec<SingleInfo>> {
    let found = mailparse::addrparse(raw).ok()?;
    let members = found.iter().flat_map(|address| match address {
        MailAddr::Single(single) => std::slice::from_ref(single),
        MailAddr::Group(group) => &group.addrs,
    });
    Some(members.cloned().collect())
}

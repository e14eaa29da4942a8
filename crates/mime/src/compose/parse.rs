//! A draft read back, so that it can be changed or sent: whoever wrote it, only what we could have written survives.

use super::{File, NamedAddress};
use crate::{
    attachment, body, header,
    view::{self, Format},
};

/// What a stored draft says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// From, where it names exactly one address.
    pub from: Option<NamedAddress>,
    /// To.
    pub to: Vec<NamedAddress>,
    /// Cc.
    pub cc: Vec<NamedAddress>,
    /// Bcc.
    pub bcc: Vec<NamedAddress>,
    /// Addresses that are none: a draft may hold half a one.
    pub unusable: Vec<String>,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: Option<String>,
    /// HTML, sanitised.
    pub html: Option<String>,
    /// Attachments.
    pub files: Vec<File>,
    /// In-Reply-To.
    pub in_reply_to: Option<String>,
    /// References.
    pub references: Vec<String>,
}

/// Reads a whole message.
pub fn parse(octets: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let whole = view::of_message(octets, Format::Text);
    let fields = &whole.fields;
    parsed.subject = fields.first("subject").map(|subject| header::one_line(&subject)).unwrap_or_default();
    for (name, list) in [("to", &mut parsed.to), ("cc", &mut parsed.cc), ("bcc", &mut parsed.bcc)] {
        let Some(raw) = fields.raw(name) else { continue };
        match mailparse::addrparse(raw) {
            Ok(found) => {
                for single in found.iter().flat_map(singles) {
                    let name = single.display_name.as_deref().map(header::text);
                    match NamedAddress::new(name.as_deref(), &single.addr) {
                        Ok(address) => list.push(address),
                        Err(_) => parsed.unusable.push(super::shorten(&single.addr)),
                    }
                }
            }
            Err(_) => parsed.unusable.push(super::shorten(raw)),
        }
    }
    let authors = fields.raw("from").and_then(|raw| mailparse::addrparse(raw).ok());
    let authors: Vec<_> = authors.iter().flat_map(|list| list.iter()).flat_map(singles).collect();
    if let [author] = authors.as_slice() {
        let name = author.display_name.as_deref().map(header::text);
        parsed.from = NamedAddress::new(name.as_deref(), &author.addr).ok();
    }
    let is_id = |id: &String| super::reply::is_message_id(id);
    parsed.in_reply_to = fields.identifiers("in-reply-to", 1).pop().filter(is_id);
    parsed.references = fields.identifiers("references", 40).into_iter().filter(is_id).collect();
    let mail = mailparse::parse_mail(octets).ok();
    let mut leaves = Vec::new();
    if let Some(mail) = &mail {
        collect(mail, 0, &mut leaves);
    }
    let text = body::TextParts::of(&whole.parts);
    let of_section = |section: &str| {
        let place = whole.parts.iter().position(|part| part.section == section)?;
        leaves.get(place).copied()
    };
    let decoded =
        |part: &imapmcp_core::mail::Part| of_section(&part.section).and_then(|leaf| leaf.get_body().ok());
    parsed.html = text.html.and_then(decoded).map(|html| super::sanitised(&html));
    parsed.text = match text.plain {
        Some(part) => {
            let flowed = part.parameter("format").is_some_and(|format| format.eq_ignore_ascii_case("flowed"));
            decoded(part)
                .map(|text| if flowed { super::flowed::decode(&text) } else { text.replace("\r\n", "\n") })
        }
        None => parsed.html.is_none().then(String::new),
    };
    for file in attachment::list(&whole.parts) {
        let Some(octets) = of_section(&file.section).and_then(|leaf| leaf.get_body_raw().ok()) else {
            continue;
        };
        parsed.files.push(File {
            filename: file.filename,
            content_type: if file.content_type.is_empty() {
                "application/octet-stream".into()
            } else {
                file.content_type
            },
            octets,
            content_id: file.content_id.filter(|_| file.inline),
        });
    }
    parsed
}

fn singles(address: &mailparse::MailAddr) -> Vec<mailparse::SingleInfo> {
    match address {
        mailparse::MailAddr::Single(single) => vec![single.clone()],
        mailparse::MailAddr::Group(group) => group.addrs.clone(),
    }
}

/// Leaves in BODYSTRUCTURE's order.
fn collect<'a>(
    mail: &'a mailparse::ParsedMail<'a>,
    depth: usize,
    leaves: &mut Vec<&'a mailparse::ParsedMail<'a>>,
) {
    if mail.subparts.is_empty() || depth > 32 {
        leaves.push(mail);
        return;
    }
    for part in &mail.subparts {
        collect(part, depth + 1, leaves);
    }
}

use super::*;

fn amended(told: Envelope, header: &str) -> Envelope {
    let mut envelope = told;
    amend(&mut envelope, header.as_bytes());
    envelope
}

fn address(email: &str) -> Address {
    Address { name: None, email: email.to_owned() }
}

fn emails(list: &[Address]) -> Vec<&str> {
    list.iter().map(|one| one.email.as_str()).collect()
}

/// What Dovecot makes of `From: security@bank.example <x@evil.example>`.
fn bank() -> Envelope {
    let bank = vec![address("security@bank.example")];
    Envelope {
        subject: Some("caf".to_owned()),
        from: bank.clone(),
        sender: bank.clone(),
        reply_to: bank,
        to: vec![address("bob@b.example")],
        ..Envelope::default()
    }
}

#[test]
fn the_header_says_who_wrote_and_to_whom() {
    let fields = "From: x@evil.example\r\nSubject: caf=?iso-8859-1?q?=E9?=\r\n\r\n";
    let seen = amended(bank(), fields);
    for list in [&seen.from, &seen.sender, &seen.reply_to] {
        assert_eq!(emails(list), ["x@evil.example"], "a repeated From is repeated again");
    }
    assert_eq!(seen.subject.as_deref(), Some("caf=?iso-8859-1?q?=E9?="));
    assert_eq!(
        emails(&seen.to),
        ["bob@b.example"],
        "of fields that were not asked for the server's word stands"
    );

    let whole = "To: bob@b.example, carl@c.example\r\nReply-To: d@d.example\r\nFrom: a@a.example\r\n\r\n";
    let seen = amended(bank(), whole);
    assert_eq!(emails(&seen.to), ["bob@b.example", "carl@c.example"]);
    assert_eq!((emails(&seen.reply_to), emails(&seen.sender)), (vec!["d@d.example"], vec!["a@a.example"]));
    assert_eq!(seen.subject.as_deref(), Some("caf"));
}

#[test]
fn raw_octets_of_a_subject_are_all_there() {
    let mut told = bank();
    amend(&mut told, b"Subject: raw latin1 caf\xe9 au lait\r\n\r\n");
    assert_eq!(told.subject.as_deref(), Some("raw latin1 caf\u{e9} au lait"));
    amend(&mut told, "Subject: \u{fc}ber alles\r\n\r\n".as_bytes());
    assert_eq!(told.subject.as_deref(), Some("\u{fc}ber alles"));
    amend(&mut told, b"Subject:\r\n\r\n");
    assert_eq!(told.subject.as_deref(), Some(""), "an empty one is empty");
}

use super::*;

#[test]
fn the_quoted_message_below_is_left_out_with_its_attribution() {
    let text = "Yes.\n\nOn Monday, Marie wrote:\n> Really?\n> M.\n";
    assert_eq!(without_trailing_quote(text), Some("Yes."));
    let split = split(text);
    assert_eq!(split.quoted, Some("On Monday, Marie wrote:\n> Really?\n> M."));
}

#[test]
fn quotes_that_are_being_answered_stay() {
    assert_eq!(without_trailing_quote("> Really?\nYes.\n"), None);
    assert_eq!(without_trailing_quote("> only a quote\n"), None);
    let inline = "On 3 May, Marie wrote:\n> Really?\n\nYes.\n\n> And?\n\nNo.";
    assert_eq!(split(inline), Split { newest: inline, signature: None, quoted: None });
}

#[test]
fn attributions_are_known_in_many_languages() {
    for line in [
        "On Mon, 3 May 2026 at 10:00, Marie Curie <m@a.example> wrote:",
        "Am 03.05.2026 um 10:00 schrieb Marie Curie:",
        "Le lun. 3 mai 2026 à 10:00, Marie Curie <m@a.example> a écrit :",
        "El lun, 3 may 2026 a las 10:00, Marie Curie (<m@a.example>) escribió:",
        "Il giorno lun 3 mag 2026 alle ore 10:00 Marie Curie <m@a.example> ha scritto:",
        "Op ma 3 mei 2026 om 10:00 schreef Marie Curie <m@a.example>:",
        "Em seg., 3 de mai. de 2026 às 10:00, Marie Curie <m@a.example> escreveu:",
        "pon., 3 maj 2026 o 10:00 Marie Curie <m@a.example> napisał(a):",
        "пн, 3 мая 2026 г. в 10:00, Marie Curie <m@a.example>:",
        "3 мая 2026 г., Marie Curie пишет:",
        "2026年5月3日(月) 10:00 Marie Curie <m@a.example>:",
        "Marie Curie <m@a.example> 于2026年5月3日周一 10:00写道：",
        "On Mon, 3 May 2026 at 10:00, Marie Curie with a long name\n<marie.curie@a.example> wrote:",
    ] {
        let text = format!("Yes.\n\n{line}\n\n> Really?\n");
        let split = split(&text);
        assert_eq!(
            (split.newest, split.quoted.map(|quoted| quoted.starts_with(line))),
            ("Yes.", Some(true)),
            "{line}"
        );
    }
    let unmarked = "Yes.\n\nOn 3 May 2026, Marie wrote:\n\nReally?";
    assert_eq!(split(unmarked).newest, "Yes.");
}

#[test]
fn header_blocks_and_dividers_begin_earlier_messages() {
    for block in [
        "From: Marie\nSent: Monday\nTo: me\nSubject: x",
        "**Von:** Marie\n**Gesendet:** Montag\n**An:** mir\n**Betreff:** x",
        "________________________________\nDe : Marie\nEnvoyé : lundi\nÀ : moi\nObjet : x",
        "发件人: Marie\n发送时间: 2026\n收件人: me\n主题: x",
        "差出人: Marie\n送信日時: 2026\n宛先: me\n件名: x",
        "От: Marie\nДата: 2026\nКому: me\nТема: x",
        "-----Original Message-----\nFrom: Marie",
        "---------- Forwarded message ---------\nFrom: Marie",
        "-------- Ursprüngliche Nachricht --------",
    ] {
        let text = format!("Yes.\n\n{block}\n\nReally?\n\n> older\n");
        let split = split(&text);
        assert_eq!(split.newest, "Yes.", "{block}");
        assert!(split.quoted.unwrap().starts_with(block.lines().next().unwrap()), "{block}");
    }
    assert_eq!(split("From: here\nwe go on.").quoted, None);
}

#[test]
fn signatures_are_taken_off_above_and_below_a_quote() {
    assert_eq!(split("Yes.\n-- \nMarie\n").signature, Some("-- \nMarie"));
    let above = split("Yes.\n\n-- \nMarie\n\nOn 3 May, P wrote:\n> Really?");
    assert_eq!((above.newest, above.signature), ("Yes.", Some("-- \nMarie")));
    let below = split("Yes.\n\nOn 3 May, P wrote:\n> Really?\n\n-- \nMarie");
    assert_eq!((below.newest, below.signature), ("Yes.", Some("-- \nMarie")));
    assert_eq!(below.quoted, Some("On 3 May, P wrote:\n> Really?"));
    for line in
        ["Sent from my iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPhone", "iPhoneから送信"]
    {
        assert_eq!(split(&format!("Yes.\n\n{line}\n")).signature, Some(line));
    }
    let long = format!("Yes.\n--\n{}", "line\n".repeat(40));
    assert_eq!(split(&long).signature, None);
}

#[test]
fn nothing_is_lost_and_nothing_made_up() {
    for text in ["", "\n", "> a", "--", "-- \nonly a signature", "On 3 May, P wrote:\n> a"] {
        let split = split(text);
        assert!(text.trim().is_empty() || !split.newest.is_empty() || split.signature.is_some(), "{text:?}");
    }
}

#[test]
fn a_forwarded_message_is_read_when_quotes_are_left_out() {
    for mark in [
        "---------- Forwarded message ---------\nFrom: Marie",
        "Begin forwarded message:\n\n> From: Marie\n> Date: Monday",
        "-------- Weitergeleitete Nachricht --------\nVon: Marie",
        "Anfang der weitergeleiteten Nachricht:\n\n> Von: Marie",
        "---------- Message transféré ---------",
        "-------- Пересылаемое сообщение --------",
        "---------- 転送メッセージ ----------",
    ] {
        let text = format!("FYI\n\n{mark}\n\nThe plan is here.\n");
        assert_eq!(stripped(&text, Some("Re: plan")), None, "{mark}");
    }
    let block = "FYI\n\nFrom: Marie\nSent: Monday\nTo: me\nSubject: x\n\nThe plan is here.";
    for subject in ["Fwd: plan", "FW: plan", "WG: Plan", "[list] Fwd: plan", "TR : plan", "转发：x"] {
        assert_eq!(stripped(block, Some(subject)), None, "{subject}");
    }
    for subject in ["Re: plan", "plan", "Forward: march"] {
        assert_eq!(stripped(block, Some(subject)), Some("FYI"), "{subject}");
    }
    let answer = "Yes.\n\nOn 3 May 2026, Marie wrote:\n> ---------- Forwarded message ---------\n> x";
    assert_eq!(stripped(answer, Some("Re: Fwd: plan")), Some("Yes."));
    assert_eq!(stripped(answer, Some("Fwd: plan")), Some("Yes."));
    assert_eq!((newest(block, Some("Fwd: plan")), newest(block, None)), (block, "FYI"));
    assert_eq!(stripped("Yes.", Some("Fwd: plan")), None);
    assert_eq!(stripped("> only a quote", None), None);
}

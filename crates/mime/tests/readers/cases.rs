//! The messages, each with what is right, and why another reader reads something else.

/// One message.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) octets: &'static [u8],
    pub(crate) subject: &'static str,
    /// Names and addresses.
    pub(crate) from: &'static [(&'static str, &'static str)],
    pub(crate) text: &'static str,
    /// Names and octets of attachments.
    pub(crate) files: &'static [(&'static str, &'static [u8])],
    /// Why Python's `email` reads it otherwise; empty if it reads the same.
    pub(crate) python: &'static str,
    /// The same of npm's `mailparser`.
    pub(crate) mailparser: &'static str,
}

const A: &[(&str, &str)] = &[("A", "a@a.example")];
/// Of most cases.
const CASE: Case = Case {
    name: "",
    octets: b"",
    subject: "x",
    from: A,
    text: "hello",
    files: &[],
    python: "",
    mailparser: "",
};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "word-split-character",
        octets: b"From: A <a@a.example>\r\nSubject: =?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=\r\n\r\nhello\r\n",
        subject: "café",
        ..CASE
    },
    Case {
        name: "word-without-padding",
        octets: b"From: A <a@a.example>\r\nSubject: =?utf-8?B?SGVsbG8?=\r\n\r\nhello\r\n",
        subject: "Hello",
        ..CASE
    },
    Case {
        name: "word-with-too-much-padding",
        octets: b"From: A <a@a.example>\r\nSubject: =?UTF-8?B?SGVsbG8==?=\r\n\r\nhello\r\n",
        subject: "Hello",
        ..CASE
    },
    Case {
        name: "word-glued-to-text",
        octets: b"From: A <a@a.example>\r\nSubject: Re:=?utf-8?Q?caf=C3=A9?=. Bye\r\n\r\nhello\r\n",
        subject: "Re:café. Bye",
        ..CASE
    },
    Case {
        name: "words-glued",
        octets: b"From: A <a@a.example>\r\nSubject: =?utf-8?Q?one?==?utf-8?Q?two?=\r\n\r\nhello\r\n",
        subject: "onetwo",
        ..CASE
    },
    Case {
        name: "word-with-language",
        octets: b"From: A <a@a.example>\r\nSubject: =?utf-8*en?Q?caf=C3=A9?=\r\n\r\nhello\r\n",
        subject: "café",
        ..CASE
    },
    Case {
        name: "word-in-cp932",
        octets: b"From: A <a@a.example>\r\nSubject: =?cp932?B?k/qWew==?=\r\n\r\nhello\r\n",
        subject: "日本",
        ..CASE
    },
    Case {
        name: "word-in-iso-2022-jp-ms",
        octets: b"From: A <a@a.example>\r\nSubject: =?ISO-2022-JP-MS?B?GyRCLSEbKEI=?=\r\n\r\nhello\r\n",
        subject: "①",
        python: "does not know the charset",
        ..CASE
    },
    Case {
        name: "word-in-iso-2022-kr",
        octets: b"From: A <a@a.example>\r\nSubject: =?iso-2022-kr?B?GyQpQw4+SDNnDw==?=\r\n\r\nhello\r\n",
        subject: "안녕",
        mailparser: "does not know the charset",
        ..CASE
    },
    Case {
        name: "word-in-unknown-charset",
        octets: b"From: A <a@a.example>\r\nSubject: =?x-no-such?Q?gr=FCn?=\r\n\r\nhello\r\n",
        subject: "grün",
        python: "an unknown charset is not guessed",
        mailparser: "an unknown charset is not guessed",
        ..CASE
    },
    Case {
        name: "word-folded",
        octets: b"From: A <a@a.example>\r\nSubject: =?utf-8?B?5pel5pys?=\r\n =?utf-8?B?6Kqe?=\r\n\r\nhello\r\n",
        subject: "日本語",
        ..CASE
    },
    Case {
        name: "word-with-a-bad-escape",
        octets: b"From: A <a@a.example>\r\nSubject: =?utf-8?Q?100%=_sure_caf=C3=A9?=\r\n\r\nhello\r\n",
        subject: "100%= sure café",
        ..CASE
    },
    Case {
        name: "raw-windows-1252",
        octets: b"From: A <a@a.example>\r\nSubject: \x93Price\x94 5 \x80\r\n\r\nhello\r\n",
        subject: "“Price” 5 €",
        python: "raw octets are UTF-8 or nothing",
        mailparser: "raw octets are UTF-8 or nothing",
        ..CASE
    },
    Case {
        name: "raw-utf-8",
        octets: b"From: A <a@a.example>\r\nSubject: Gr\xC3\xBC\xC3\x9Fe aus K\xC3\xB6ln\r\n\r\nhello\r\n",
        subject: "Grüße aus Köln",
        ..CASE
    },
    Case {
        name: "raw-utf-8-broken",
        octets: b"From: A <a@a.example>\r\nSubject: Gr\xC3\xBC\xC3\x9Fe \xC3 aus K\xC3\xB6ln\r\n\r\nhello\r\n",
        subject: "Grüße \u{fffd} aus Köln",
        ..CASE
    },
    Case {
        name: "raw-windows-1251",
        octets: b"From: A <a@a.example>\r\nSubject: \xD1\xF7\xB8\xF2 \xE7\xE0 \xEC\xE0\xF0\xF2\r\n\r\nhello\r\n",
        subject: "Счёт за март",
        python: "raw octets are UTF-8 or nothing",
        mailparser: "raw octets are UTF-8 or nothing",
        ..CASE
    },
    Case {
        name: "two-subjects",
        octets: b"From: A <a@a.example>\r\nSubject: one\r\nSubject: two\r\n\r\nhello\r\n",
        subject: "one",
        ..CASE
    },
    Case {
        name: "from-address-in-name",
        octets: b"From: security@bank.example <x@evil.example>\r\nSubject: x\r\n\r\nhello\r\n",
        from: &[("security@bank.example", "x@evil.example")],
        python: "reads the first address and stops: what is shown is not who sent it",
        ..CASE
    },
    Case {
        name: "from-comma-in-name",
        octets: b"From: Doe, Ann <ann@a.example>\r\nSubject: x\r\n\r\nhello\r\n",
        from: &[("Doe, Ann", "ann@a.example")],
        python: "a comma parts the name from its address",
        ..CASE
    },
    Case {
        name: "from-semicolons",
        octets: b"From: a@a.example; b@b.example\r\nSubject: x\r\n\r\nhello\r\n",
        from: &[("", "a@a.example"), ("", "b@b.example")],
        python: "reads the first address and stops",
        ..CASE
    },
    Case {
        name: "from-comment",
        octets: b"From: a@a.example (Ann)\r\nSubject: x\r\n\r\nhello\r\n",
        from: &[("Ann", "a@a.example")],
        python: "a comment is no name",
        ..CASE
    },
    Case {
        name: "from-group",
        octets: b"From: Team: a@a.example, B <b@b.example>;\r\nSubject: x\r\n\r\nhello\r\n",
        from: &[("", "a@a.example"), ("B", "b@b.example")],
        mailparser: "a group is one sender without an address",
        ..CASE
    },
    Case {
        name: "from-word-with-comma",
        octets: b"From: =?utf-8?Q?Doe,_J=C3=BCrgen?= <j@a.example>\r\nSubject: x\r\n\r\nhello\r\n",
        from: &[("Doe, Jürgen", "j@a.example")],
        mailparser: "puts a second blank behind the comma",
        ..CASE
    },
    Case {
        name: "from-no-angle-end",
        octets: b"From: Ann <ann@a.example\r\nSubject: x\r\n\r\nhello\r\n",
        from: &[("Ann", "ann@a.example")],
        ..CASE
    },
    Case {
        name: "two-froms",
        octets: b"From: A <a@a.example>\r\nFrom: B <b@b.example>\r\nSubject: x\r\n\r\nhello\r\n",
        from: &[("A", "a@a.example"), ("B", "b@b.example")],
        python: "reads the first field alone",
        mailparser: "reads the first field alone",
        ..CASE
    },
    Case {
        name: "charset-iso-2022-kr",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=iso-2022-kr\r\n\r\n\x1B$)C\x0E>H3gGO<<?d\x0F \x0E?)7/:P\x0F",
        text: "안녕하세요 여러분",
        mailparser: "does not know the charset",
        ..CASE
    },
    Case {
        name: "charset-hz",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=hz-gb-2312\r\n\r\n~{::WV~} ~{VPND~} and words",
        text: "汉字 中文 and words",
        mailparser: "does not know the charset",
        ..CASE
    },
    Case {
        name: "charset-cp437",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=cp437\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\x81ber allen",
        text: "über allen",
        ..CASE
    },
    Case {
        name: "charset-cp850",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=cp850\r\nContent-Transfer-Encoding: 8bit\r\n\r\nStra\xE1e nach \xB5rbol",
        text: "Straße nach Árbol",
        ..CASE
    },
    Case {
        name: "charset-cp858",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=cp858\r\nContent-Transfer-Encoding: 8bit\r\n\r\n100 \xD5 f\x81r dich",
        text: "100 € für dich",
        ..CASE
    },
    Case {
        name: "charset-utf-7",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nGr+APwA3w-e, H+AOQ-user",
        text: "Grüße, Häuser",
        mailparser: "does not know the charset",
        ..CASE
    },
    Case {
        name: "charset-utf-16-without-mark",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\nAEgAZQBsAGwAbwAgAEcAcgD8AN8AZQ==\n",
        text: "Hello Grüße",
        python: "takes the order of its own machine",
        ..CASE
    },
    Case {
        name: "charset-ascii-but-windows-1251",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xC7\xE4\xF0\xE0\xE2\xF1\xF2\xE2\xF3\xE9\xF2\xE5, \xEE\xF2\xEF\xF0\xE0\xE2\xEB\xFF\xFE \xE2\xE0\xEC \xF1\xF7\xB8\xF2",
        text: "Здравствуйте, отправляю вам счёт",
        python: "believes the label",
        mailparser: "believes the label",
        ..CASE
    },
    Case {
        name: "charset-utf-8-but-windows-1251",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xC7\xE4\xF0\xE0\xE2\xF1\xF2\xE2\xF3\xE9\xF2\xE5, \xEE\xF2\xEF\xF0\xE0\xE2\xEB\xFF\xFE \xE2\xE0\xEC \xF1\xF7\xB8\xF2",
        text: "Здравствуйте, отправляю вам счёт",
        python: "believes the label",
        mailparser: "believes the label",
        ..CASE
    },
    Case {
        name: "charset-iso-2022-jp-but-shift-jis",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=iso-2022-jp\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\x89\xEF\x8Bc\x82\xCC\x8E\x91\x97\xBF\x82\xF0\x82\xA8\x91\x97\x82\xE8\x82\xB5\x82\xDC\x82\xB7",
        text: "会議の資料をお送りします",
        python: "believes the label",
        mailparser: "believes the label",
        ..CASE
    },
    Case {
        name: "charset-latin-1-but-utf-8",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xC3\xBC\xC3\x9Fe aus K\xC3\xB6ln f\xC3\xBCr dich",
        text: "Grüße aus Köln für dich",
        python: "believes the label",
        mailparser: "believes the label",
        ..CASE
    },
    Case {
        name: "charset-shift-jis-backslash",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=shift_jis\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\x90\\\x8D\x9E\x95\\\x83\\\x94\\",
        text: "申込表ソ能",
        ..CASE
    },
    Case {
        name: "charset-x-user-defined",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=x-user-defined\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngr\xFCn und sch\xF6n",
        text: "grün und schön",
        python: "does not know the charset",
        mailparser: "does not know the charset",
        ..CASE
    },
    Case {
        name: "type-text-alone",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text\r\n\r\nhello world",
        text: "hello world",
        mailparser: "what is no media type is an attachment",
        ..CASE
    },
    Case {
        name: "type-empty",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: \r\n\r\nhello world",
        text: "hello world",
        ..CASE
    },
    Case {
        name: "type-reversed",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: plain/text\r\n\r\nhello world",
        text: "hello world",
        python: "what is no media type is no text",
        mailparser: "what is no media type is no text",
        ..CASE
    },
    Case {
        name: "type-without-semicolon",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngr\xFCn",
        text: "grün",
        python: "loses what stands behind the blank",
        mailparser: "loses what stands behind the blank",
        ..CASE
    },
    Case {
        name: "boundary-two-semicolons",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed;; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("a.pdf", b"Hello")],
        ..CASE
    },
    Case {
        name: "boundary-behind-a-word",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; protected; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("a.pdf", b"Hello")],
        ..CASE
    },
    Case {
        name: "boundary-missing",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed\r\n\r\n--frontier\r\nContent-Type: text/plain\r\n\r\none\r\n--frontier\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--frontier--\r\n",
        text: "one",
        files: &[("a.pdf", b"Hello")],
        python: "looks for no boundary in the body",
        mailparser: "looks for no boundary in the body",
        ..CASE
    },
    Case {
        name: "boundary-wrong",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=wrong\r\n\r\n--frontier\r\nContent-Type: text/plain\r\n\r\none\r\n--frontier\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--frontier--\r\n",
        text: "one",
        files: &[("a.pdf", b"Hello")],
        python: "looks for no boundary in the body",
        mailparser: "looks for no boundary in the body",
        ..CASE
    },
    Case {
        name: "boundary-unclosed-quote",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=\"x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("a.pdf", b"Hello")],
        ..CASE
    },
    Case {
        name: "boundary-rfc-2231",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary*=us-ascii''x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("a.pdf", b"Hello")],
        ..CASE
    },
    Case {
        name: "boundary-no-delimiter",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\njust words here",
        text: "just words here",
        python: "has no text where there is no delimiter",
        mailparser: "has no text where there is no delimiter",
        ..CASE
    },
    Case {
        name: "encoding-semicolon",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64;\r\n\r\nR3LDvMOfZQ==",
        text: "Grüße",
        python: "knows encodings as RFC 2045 writes them",
        mailparser: "knows encodings as RFC 2045 writes them",
        ..CASE
    },
    Case {
        name: "encoding-quoted",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: \"quoted-printable\"\r\n\r\nGr=C3=BC=C3=9Fe",
        text: "Grüße",
        python: "knows encodings as RFC 2045 writes them",
        mailparser: "knows encodings as RFC 2045 writes them",
        ..CASE
    },
    Case {
        name: "encoding-base-64",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base-64\r\n\r\nR3LDvMOfZQ==",
        text: "Grüße",
        python: "knows encodings as RFC 2045 writes them",
        mailparser: "knows encodings as RFC 2045 writes them",
        ..CASE
    },
    Case {
        name: "encoding-uuencode",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a.txt\r\n,:&5L;&\\L('=O<FQD\r\n`\r\nend\r\n",
        text: "hello, world",
        mailparser: "does not know uuencode",
        ..CASE
    },
    Case {
        name: "encoding-base64-but-words",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nThese are words, not base64.",
        text: "These are words, not base64.",
        python: "decodes words",
        mailparser: "decodes words",
        ..CASE
    },
    Case {
        name: "encoding-base64-and-footer",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n_____\r\nA list of people\r\n",
        text: "Hello _____ A list of people",
        python: "loses or garbles what a list put behind",
        mailparser: "loses or garbles what a list put behind",
        ..CASE
    },
    Case {
        name: "file-unpadded",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8\r\n--x--\r\n",
        text: "one",
        files: &[("a.pdf", b"Hello")],
        ..CASE
    },
    Case {
        name: "file-upper-case-encoding",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: BASE64;\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("a.pdf", b"Hello")],
        python: "knows encodings as RFC 2045 writes them",
        mailparser: "knows encodings as RFC 2045 writes them",
        ..CASE
    },
    Case {
        name: "name-words-in-pieces",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename*0=\"=?utf-8?Q?a_?=\"; filename*1=\"=?utf-8?Q?b.txt?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("a b.txt", b"Hello")],
        ..CASE
    },
    Case {
        name: "name-split-character",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=.txt\"\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("café.txt", b"Hello")],
        ..CASE
    },
    Case {
        name: "name-in-cp932",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename*=cp932''%93%FA%96%7B.txt\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("日本.txt", b"Hello")],
        ..CASE
    },
    Case {
        name: "name-glued",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"=?UTF-8?B?5pel5pys?=.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("日本.pdf", b"Hello")],
        ..CASE
    },
    Case {
        name: "name-is-a-path",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"../../../etc/passwd\"\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("passwd", b"Hello")],
        python: "a path is a name",
        mailparser: "a path is a name",
        ..CASE
    },
    Case {
        name: "name-turned-around",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"=?utf-8?Q?photo=E2=80=AEgpj.exe?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("photogpj.exe", b"Hello")],
        python: "keeps what turns a name around",
        mailparser: "keeps what turns a name around",
        ..CASE
    },
    Case {
        name: "name-raw-utf-8",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"Gr\xC3\xBC\xC3\x9Fe.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n",
        text: "one",
        files: &[("Grüße.pdf", b"Hello")],
        ..CASE
    },
    Case {
        name: "mixed-plain-html-plain",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>two</p>\r\n--x\r\n\r\nthree\r\n--x--\r\n",
        text: "one two three",
        mailparser: "keeps texts and HTML apart, without their order",
        ..CASE
    },
    Case {
        name: "alternative-same-words",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\nHello Bob\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>Hello <b>Bob</b></p>\r\n--x--\r\n",
        text: "Hello Bob",
        ..CASE
    },
    Case {
        name: "alternative-stub",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\nTo view this use an HTML viewer\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>Your invoice is due on Friday</p>\r\n--x--\r\n",
        text: "Your invoice is due on Friday",
        python: "plain text is the text, whatever it says",
        mailparser: "plain text is the text, whatever it says",
        ..CASE
    },
    Case {
        name: "lines-lone-cr",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nbGluZSBvbmUNbGluZSB0d28MbGluZSB0aHJlZQ==",
        text: "line one line two line three",
        ..CASE
    },
    Case {
        name: "persian-joiner",
        octets: b"From: A <a@a.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xAE\xD9\x88\xD8\xA7\xD9\x87\xD9\x85 \xDA\xA9\xD8\xAA\xD8\xA7\xD8\xA8\xE2\x80\x8C\xD9\x87\xD8\xA7 \xD8\xB1\xD8\xA7",
        text: "می\u{200c}خواهم کتاب\u{200c}ها را",
        ..CASE
    },
];

//! Charsets named rightly, wrongly and not at all.

use super::*;

fn read(octets: &[u8], charset: &str) -> String {
    text(octets, Some(charset).filter(|name| !name.is_empty()), false)
}

const RUSSIAN: &str = "Здравствуйте, отправляю вам счёт за март";
const JAPANESE: &str = "こんにちは、本日の会議の資料をお送りします";

fn in_(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    encoding.encode(text).0.into_owned()
}

#[test]
fn charsets_are_guessed_when_they_are_wrong() {
    assert_eq!(text(b"caf\xE9", Some("utf-8"), false), "café");
    assert_eq!(text(b"caf\xE9", Some("x-no-such"), false), "café");
    assert_eq!(text("café".as_bytes(), None, false), "café");
    assert_eq!(text(b"\x1b$BF|K\\\x1b(B", None, false), "日本");
    assert_eq!(text(b"Hi Mom +Jjo-!", Some("UTF-7"), false), "Hi Mom ☺!");
    assert_eq!(text(b"<meta charset=koi8-r>\xF0", None, true), "<meta charset=koi8-r>П");
    assert_eq!(text(b"\x93\xFA\x96{", Some("cp932"), false), "日本");
}

#[test]
fn a_label_that_the_octets_contradict_is_not_believed() {
    let cyrillic = in_(encoding_rs::WINDOWS_1251, RUSSIAN);
    for label in
        ["us-ascii", "utf-8", "", "x-user-defined", "unknown-8bit", "x-unknown", "iso-2022-jp", "utf-7"]
    {
        assert_eq!(read(&cyrillic, label), RUSSIAN, "{label}");
    }
    for label in
        ["us-ascii", "iso-8859-1", "windows-1252", "shift_jis", "gbk", "iso-2022-jp", "cp437", "koi8-r"]
    {
        assert_eq!(read(JAPANESE.as_bytes(), label), JAPANESE, "{label}");
    }
    for encoding in [encoding_rs::SHIFT_JIS, encoding_rs::EUC_JP] {
        for label in ["iso-2022-jp", "us-ascii", "utf-8", ""] {
            assert_eq!(read(&in_(encoding, JAPANESE), label), JAPANESE, "{label} {}", encoding.name());
        }
    }
    let korean = "안녕하세요, 회의 자료를 보내드립니다";
    assert_eq!(read(&in_(encoding_rs::EUC_KR, korean), "iso-2022-kr"), korean);
    let chinese = "您好,附件是会议资料,请查收";
    assert_eq!(read(&in_(encoding_rs::GBK, chinese), "hz-gb-2312"), chinese);
    assert_eq!(read(&in_(encoding_rs::GBK, chinese), "us-ascii"), chinese);
    let greek = "Καλημέρα σας, σας στέλνω το τιμολόγιο";
    assert_eq!(read(&in_(encoding_rs::WINDOWS_1253, greek), "utf-8"), greek);
}

#[test]
fn one_broken_octet_does_not_change_the_charset() {
    assert_eq!(read(b"Gr\xC3\xBC\xC3\x9Fe aus K\xC3\xB6ln \xFF", "utf-8"), "Grüße aus Köln \u{FFFD}");
    let mut octets = in_(encoding_rs::SHIFT_JIS, JAPANESE);
    octets.push(0xFF);
    assert_eq!(read(&octets, "shift_jis"), format!("{JAPANESE}\u{FFFD}"));
    let mut octets = in_(encoding_rs::GBK, "您好,附件是会议资料");
    octets.push(0x81);
    assert_eq!(read(&octets, "gb2312"), "您好,附件是会议资料\u{FFFD}");
    // a true label of one octet to a character is never contradicted by little
    assert_eq!(read(b"\xC3\xA9", "iso-8859-1"), "Ã©");
    assert_eq!(read(b"\xE9t\xE9", "iso-8859-1"), "été");
}

#[test]
fn charsets_of_seven_bits_are_read() {
    assert_eq!(read(b"\x1b$)C\x0e>H3gGO<<?d\x0f!", "iso-2022-kr"), "안녕하세요!");
    assert_eq!(read(b"\x1b$)C\n\x0eGQ1[\x0f abc\n\x0eGQ\x0f", "ISO-2022-KR"), "\n한글 abc\n한");
    assert_eq!(read(b"\x1b$)A\x0e::WV\x0f ok", "iso-2022-cn"), "汉字 ok");
    assert_eq!(read(b"~{::WV~} a~~b ~{VPND~}", "hz-gb-2312"), "汉字 a~b 中文");
    assert_eq!(read(b"one ~\ntwo ~{VP\nND", "hz-gb-2312"), "one two 中\nND");
    assert_eq!(read(b"\x1b$BF|K\\\x1b(J \\\x1b(B \x1b(I1\x1b(B", "iso-2022-jp-ms"), "日本 ¥ ｱ");
    assert_eq!(read(b"\x1b$B-!\x1b(B", "iso-2022-jp-ms"), "①");
    assert_eq!(read(b"\x1b$A::\x1b$(CGQ\x1b(B \x1b.A\x1bNi", "iso-2022-jp-2"), "汉한 é");
    assert_eq!(read(b"\x1b$BF|K\\\x1b(B", "_iso-2022-jp$ESC"), "日本");
    for label in ["utf-7", "UTF7", "unicode-1-1-utf-7", "csUTF7"] {
        assert_eq!(read(b"Gr+APwA3w-e +- +2D3eAA-", label), "Grüße + 😀", "{label}");
    }
}

#[test]
fn code_pages_of_dos_are_read() {
    assert_eq!(read(b"\x81ber \xC9\xCD\xBB", "cp437"), "über ╔═╗");
    assert_eq!(read(b"\x81ber", "IBM437"), "über");
    assert_eq!(read(b"\x84\x94\x81\xE1", "437"), "äöüß");
    assert_eq!(read(b"\xB5\xB6\xC7", "cp850"), "ÁÂÃ");
    assert_eq!(read(b"5 \xD5", "cp858"), "5 €");
    assert_eq!(read(b"5 \xD5", "IBM00858"), "5 €");
    assert_eq!(read(b"\x88\x9D\xA5", "cp852"), "łŁą");
    assert_eq!(read(b"\x80\x81", "cp737"), "ΑΒ");
    assert_eq!(read(b"\x8F\xE0\xA8\xA2\xA5\xE2", "cp866"), "Привет");
}

#[test]
fn two_octets_to_a_character_are_read_in_their_order() {
    let units = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    for big in [true, false] {
        for words in ["Hello, Grüße", RUSSIAN, "会议资料请查收谢谢您好"] {
            assert_eq!(read(&units(words, big), "utf-16"), words, "{big}");
        }
        assert_eq!(read(&units("Hello there", big), "utf-16le"), "Hello there");
        assert_eq!(read(&units("Hello there", big), ""), "Hello there");
        assert_eq!(read(&units("\u{feff}Hi", big), "utf-8"), "Hi");
    }
    assert_eq!(read(&units(RUSSIAN, true), "utf-16be"), RUSSIAN);
    assert_eq!(read(b"plain after all", "utf-16"), "plain after all");
    assert_eq!(read(b"\0\0\0H\0\0\0i\0\x01\xF6\0", "utf-32"), "Hi😀");
}

#[test]
fn names_of_charsets_are_known_however_they_are_written() {
    for label in ["windows-1251", "CP1251", "cp-1251", "win1251", "1251", "x-cp1251", "\"windows-1251\""] {
        assert_eq!(read(b"\xCF", label), "П", "{label}");
    }
    for (label, octets, expected) in [
        ("ISO8859_5", &b"\xBF"[..], "П"),
        ("iso_8859-15", b"\xA4", "€"),
        ("latin-1", b"\xE9", "é"),
        ("ms936", b"\xC4\xE3", "你"),
        ("cp949", b"\xC7\xD1", "한"),
        ("cp950", b"\xA4\xA4", "中"),
        ("cp936", b"\xC4\xE3", "你"),
        ("sjis-win", b"\x93\xFA", "日"),
        ("utf8mb4", "é".as_bytes(), "é"),
    ] {
        assert_eq!(read(octets, label), expected, "{label}");
    }
}

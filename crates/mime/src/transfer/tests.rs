use super::*;

fn in_pieces(encoding: &str, octets: &[u8], size: usize) -> Vec<u8> {
    let (mut decoder, mut out) = (Decoder::new(encoding), vec![]);
    for piece in octets.chunks(size) {
        decoder.push(piece, &mut out);
    }
    decoder.finish(&mut out);
    out
}

#[test]
fn quoted_printable_is_decoded_however_it_is_cut() {
    let coded = b"J=C3=BCrgen=20said:  \r\nsoft=\r\n break= \t\r\nbad =ZZ =4 end=";
    let plain = "Jürgen said:\r\nsoft breakbad =ZZ =4 end=".as_bytes();
    for size in 1..coded.len() {
        assert_eq!(in_pieces("Quoted-Printable", coded, size), plain, "pieces of {size}");
    }
}

#[test]
fn what_only_looks_like_an_escape_stays() {
    let coded = b"a = b\r\n1 =\tx =\rz ==41";
    for size in 1..coded.len() {
        let plain = b"a = b\r\n1 =\tx =\rz =A";
        assert_eq!(in_pieces("quoted-printable", coded, size), plain, "pieces of {size}");
    }
}

#[test]
fn base64_is_decoded_however_it_is_cut() {
    let coded = b"SGVsbG8s\r\nIHdv!cmxk\r\nIQ==trailing";
    for size in 1..coded.len() {
        assert_eq!(in_pieces("base64", coded, size), b"Hello, world!", "pieces of {size}");
    }
    assert_eq!(decoded(b"SGVsbG8", "BASE64"), b"Hello");
    assert_eq!(decoded(b"as is =", "7bit"), b"as is =");
}

#[test]
fn words_that_are_labelled_base64_are_words() {
    for words in ["Hello there, this is plain.\r\nBye\r\n", "Hi all!", "Gr\u{fc}\u{df}e", "-- \r\nAnn"] {
        assert_eq!(&*undone(words.as_bytes(), "base64"), words.as_bytes());
    }
    assert_eq!(
        &*undone(b"SGVsbG8=\r\n_____ \r\nA list of people\r\n", "base64"),
        b"Hello\r\n_____ \r\nA list of people\r\n"
    );
    assert_eq!(&*undone(b"SGVs bG8s IHdv cmxk", "base64"), b"Hello, world");
    assert_eq!(&*undone(b"SGVsbG8s\r\n\r\nIHdvcmxk\r\n", "\"Base-64\";"), b"Hello, world");
}

#[test]
fn uuencode_is_undone_however_it_is_cut() {
    let coded = b"begin 644 a.txt\r\n*:&5L;&\\L('=O<FQD\r\n`\r\nend\r\n";
    for size in 1..coded.len() {
        assert_eq!(in_pieces("x-uuencode", coded, size), b"hello, wor", "pieces of {size}");
    }
    assert_eq!(decoded(b"begin 644 x\n#0V%T\nend\n#0V%T", "uuencode"), b"Cat");
}

#[test]
fn damaged_encodings_give_what_they_can() {
    assert_eq!(&*undone(b"SGVs\r\nbG8=!V29y\nbGQ", "base64"), b"HelloWorld");
    assert_eq!(&*undone(b"a=3D=E9=\r\nb= \t\nc=ZZ=", "quoted-printable"), b"a=\xE9bc=ZZ");
    assert_eq!(&*undone(b"flowed \r\n-- \r\n", "quoted-printable"), b"flowed \r\n-- \r\n");
}

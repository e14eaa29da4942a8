//! Names of charsets: those of the web (WHATWG Encoding), and those that only mail has.

use super::{
    seven_bit::Set,
    wide::{Order, Width},
};
use encoding_rs::Encoding;
use oem_cp::{code_table::DECODING_TABLE_CP_MAP, code_table_type::TableType};

/// How octets are read.
#[derive(Debug, Clone)]
pub(super) enum Charset {
    /// As a browser reads them.
    Web(&'static Encoding),
    /// A code page of DOS.
    Dos(&'static TableType),
    /// RFC 2152.
    Utf7,
    /// RFC 1843.
    Hz,
    /// ISO 2022 in seven bits (RFC 1468, RFC 1557, RFC 1922); SO leads to this set until another one is designated.
    Shifted(Set),
    /// Two or four octets to a character (RFC 2781).
    Wide(Option<Order>),
}

/// Octets of a name that is looked up.
const MAX_NAME: usize = 100;

/// The charset that a name means; `None` if it is not known, or says nothing (`us-ascii`, `unknown-8bit`).
pub(super) fn read(name: &str) -> Option<Charset> {
    let name = name.get(..name.len().min(MAX_NAME))?.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    // `_iso-2022-jp$ESC` is what one program wrote for years
    let name = name.split('$').next().unwrap_or_default().to_ascii_lowercase();
    let key: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let key = key.strip_prefix("charset").unwrap_or(&key);
    Some(match key {
        "usascii" | "ascii" | "ansix341968" | "iso646us" | "xuserdefined" | "replacement" => return None,
        "utf7" | "csutf7" | "unicode11utf7" | "unicode20utf7" | "xunicode20utf7" => Charset::Utf7,
        "hzgb2312" | "hz" | "hzgb" => Charset::Hz,
        "iso2022kr" | "csiso2022kr" => Charset::Shifted(Set::Korean),
        "iso2022cn" | "iso2022cnext" | "csiso2022cn" => Charset::Shifted(Set::Chinese),
        "cp50220" | "cp50221" | "cp50222" | "csiso2022jp" | "jis7" => Charset::Shifted(Set::Katakana),
        other if other.starts_with("iso2022jp") => Charset::Shifted(Set::Katakana),
        "utf16" | "csutf16" | "unicode" | "csunicode" | "iso10646ucs2" | "ucs2" => Charset::Wide(None),
        "utf16le" | "unicodefeff" => Charset::Wide(Some(Order { width: Width::Two, big_endian: false })),
        "utf16be" | "unicodefffe" => Charset::Wide(Some(Order { width: Width::Two, big_endian: true })),
        "utf32" | "utf32be" | "ucs4" | "iso10646ucs4" => {
            Charset::Wide(Some(Order { width: Width::Four, big_endian: true }))
        }
        "utf32le" => Charset::Wide(Some(Order { width: Width::Four, big_endian: false })),
        key => match Encoding::for_label(name.as_bytes()).or_else(|| alias(key)) {
            Some(encoding) => Charset::Web(encoding),
            None => Charset::Dos(dos(key)?),
        },
    })
}

/// Names of charsets of the web that the web does not have.
fn alias(key: &str) -> Option<&'static Encoding> {
    let label = match key {
        "cp932" | "ms932" | "windows932" | "cp943" | "cp943c" | "sjiswin" | "mskanji" | "xmscp932" => {
            "shift_jis"
        }
        "cp936" | "ms936" | "windows936" | "gb2312" | "gb231280" | "euccn" | "xgbk" => "gbk",
        "cp54936" | "gb180302000" | "gb180302005" => "gb18030",
        "cp949" | "ms949" | "windows949" | "uhc" | "cp51949" | "euckr" | "ksc5601" | "ksc56011987"
        | "ksc56011992" => "euc-kr",
        "cp950" | "ms950" | "windows950" | "big5eten" | "cnbig5" => "big5",
        "eucjp" | "ujis" | "eucjpms" | "cp51932" | "eucjpwin" => "euc-jp",
        "latin1" | "iso88591" | "iso8859" | "iso88591windows" | "ansi" | "cp819" => "windows-1252",
        "utf8" | "utf8mb4" | "utf8sig" | "utf8mac" | "unicode11utf8" => "utf-8",
        "latin9" | "latin0" => "iso-8859-15",
        "koi8" | "koi" => "koi8-r",
        "koi8ru" => "koi8-u",
        "cp1125" | "ruscii" => "ibm866",
        "tis62025331" | "cp874" | "iso885911" => "windows-874",
        "macroman" | "xmacroman" | "applemacroman" => "macintosh",
        key => {
            // `cp-1251`, `win1251`, `1251`, `iso8859_5`
            let digits = key.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            let before = &key[..key.len() - digits.len()];
            if matches!(before, "cp" | "win" | "windows" | "ms" | "ansi" | "xcp" | "")
                && digits.starts_with("125")
            {
                return Encoding::for_label(format!("windows-{digits}").as_bytes());
            }
            let part = digits.strip_prefix("8859")?;
            return Encoding::for_label(format!("iso-8859-{part}").as_bytes());
        }
    };
    Encoding::for_label(label.as_bytes())
}

/// The code page of DOS with this number: `cp437`, `ibm00858`, `dos-850`, `cspc8codepage437`.
fn dos(key: &str) -> Option<&'static TableType> {
    let digits = key
        .strip_prefix("cspc8codepage")
        .unwrap_or_else(|| key.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
    let before = &key[..key.len() - digits.len()];
    let known =
        matches!(before, "cp" | "ibm" | "dos" | "oem" | "csibm" | "ccsid" | "cspc8codepage" | "pc" | "");
    let number = match key {
        "cspc850multilingual" => 850,
        "pcmultilingual850euro" => 858,
        _ if known => digits.parse().ok()?,
        _ => return None,
    };
    DECODING_TABLE_CP_MAP.get(&number)
}

/// The top level domain of where an encoding is at home, which helps to guess among its neighbours.
pub(super) fn country(encoding: &'static Encoding) -> Option<&'static str> {
    Some(match encoding.name() {
        "Shift_JIS" | "EUC-JP" => "jp",
        "GBK" | "gb18030" => "cn",
        "Big5" => "tw",
        "EUC-KR" => "kr",
        _ => return None,
    })
}

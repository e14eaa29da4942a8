//! Colours, as far as it takes to tell a text from its background (CSS Color 4 §4–§6, without the new spaces).

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

/// What a colour value says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Colour {
    Solid(Rgb),
    Transparent,
}

/// Sum of the differences of two colours that nobody tells apart on a screen.
const TOO_CLOSE: u16 = 54;

/// Whether text of one colour cannot be read on the other.
pub(crate) fn is_close(one: Rgb, other: Rgb) -> bool {
    one.iter().zip(other).map(|(a, b)| u16::from(a.abs_diff(b))).sum::<u16>() <= TOO_CLOSE
}

/// Reads a value in lower case; `None` if it is no colour known here.
pub(crate) fn parse(value: &str) -> Option<Colour> {
    let value = value.trim();
    if let Some(digits) = value.strip_prefix('#') {
        return hex(digits);
    }
    if let Some((function, rest)) = value.split_once('(') {
        let inside = rest.split(')').next()?;
        let numbers: Vec<(f32, bool)> = inside
            .split([',', ' ', '/'])
            .filter(|piece| !piece.is_empty())
            .take(4)
            .filter_map(number)
            .collect();
        let [first, second, third, ..] = numbers[..] else { return None };
        if numbers.get(3).is_some_and(|(alpha, percent)| *alpha < if *percent { 8.0 } else { 0.08 }) {
            return Some(Colour::Transparent);
        }
        return match function.trim() {
            "rgb" | "rgba" => Some(Colour::Solid(
                [first, second, third]
                    .map(|(value, percent)| octet(if percent { value * 2.55 } else { value })),
            )),
            "hsl" | "hsla" => Some(Colour::Solid(hsl(first.0, second.0 / 100.0, third.0 / 100.0))),
            _ => None,
        };
    }
    if value == "transparent" {
        return Some(Colour::Transparent);
    }
    let found = NAMES.iter().find(|(name, _)| *name == value)?;
    let [_, red, green, blue] = found.1.to_be_bytes();
    Some(Colour::Solid([red, green, blue]))
}

/// `bgcolor` and its like: a name, or hexadecimal digits with or without `#` (HTML §2.3.6, without its repairs).
pub(crate) fn legacy(value: &str) -> Option<Rgb> {
    let value = value.trim().to_ascii_lowercase();
    match parse(&value).or_else(|| hex(&value)) {
        Some(Colour::Solid(colour)) => Some(colour),
        _ => None,
    }
}

fn hex(digits: &str) -> Option<Colour> {
    if !digits.is_ascii() {
        return None;
    }
    let wide = match digits.len() {
        3 | 4 => digits.chars().flat_map(|c| [c, c]).collect(),
        6 | 8 => digits.to_owned(),
        _ => return None,
    };
    let octet = |at: usize| u8::from_str_radix(wide.get(at..at + 2)?, 16).ok();
    let solid = Colour::Solid([octet(0)?, octet(2)?, octet(4)?]);
    Some(if wide.len() == 8 && octet(6)? < 20 { Colour::Transparent } else { solid })
}

fn number(text: &str) -> Option<(f32, bool)> {
    let (digits, percent) =
        text.strip_suffix('%').map_or((text.trim_end_matches("deg"), false), |t| (t, true));
    digits.parse().ok().map(|value| (value, percent))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to an octet before")]
fn octet(value: f32) -> u8 {
    value.clamp(0.0, 255.0).round() as u8
}

fn hsl(hue: f32, saturation: f32, lightness: f32) -> Rgb {
    let (saturation, lightness) = (saturation.clamp(0.0, 1.0), lightness.clamp(0.0, 1.0));
    let part = |offset: f32| {
        let k = (offset + hue.rem_euclid(360.0) / 30.0) % 12.0;
        let a = saturation * lightness.min(1.0 - lightness);
        octet(255.0 * (lightness - a * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)))
    };
    [part(0.0), part(8.0), part(4.0)]
}

/// Names that mail uses, pale ones above all.
const NAMES: &[(&str, u32)] = &[
    ("white", 0x00FF_FFFF),
    ("snow", 0x00FF_FAFA),
    ("ivory", 0x00FF_FFF0),
    ("ghostwhite", 0x00F8_F8FF),
    ("whitesmoke", 0x00F5_F5F5),
    ("floralwhite", 0x00FF_FAF0),
    ("mintcream", 0x00F5_FFFA),
    ("azure", 0x00F0_FFFF),
    ("aliceblue", 0x00F0_F8FF),
    ("seashell", 0x00FF_F5EE),
    ("oldlace", 0x00FD_F5E6),
    ("linen", 0x00FA_F0E6),
    ("lavenderblush", 0x00FF_F0F5),
    ("honeydew", 0x00F0_FFF0),
    ("lightyellow", 0x00FF_FFE0),
    ("lightcyan", 0x00E0_FFFF),
    ("cornsilk", 0x00FF_F8DC),
    ("beige", 0x00F5_F5DC),
    ("lavender", 0x00E6_E6FA),
    ("gainsboro", 0x00DC_DCDC),
    ("lightgray", 0x00D3_D3D3),
    ("lightgrey", 0x00D3_D3D3),
    ("silver", 0x00C0_C0C0),
    ("darkgray", 0x00A9_A9A9),
    ("darkgrey", 0x00A9_A9A9),
    ("gray", 0x0080_8080),
    ("grey", 0x0080_8080),
    ("dimgray", 0x0069_6969),
    ("black", 0),
    ("red", 0x00FF_0000),
    ("maroon", 0x0080_0000),
    ("orange", 0x00FF_A500),
    ("yellow", 0x00FF_FF00),
    ("gold", 0x00FF_D700),
    ("olive", 0x0080_8000),
    ("lime", 0x0000_FF00),
    ("green", 0x0000_8000),
    ("darkgreen", 0x0000_6400),
    ("aqua", 0x0000_FFFF),
    ("cyan", 0x0000_FFFF),
    ("teal", 0x0000_8080),
    ("blue", 0x0000_00FF),
    ("navy", 0x0000_0080),
    ("darkblue", 0x0000_008B),
    ("fuchsia", 0x00FF_00FF),
    ("magenta", 0x00FF_00FF),
    ("purple", 0x0080_0080),
    ("pink", 0x00FF_C0CB),
    ("brown", 0x00A5_2A2A),
    ("crimson", 0x00DC_143C),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_white_is_white() {
        for value in [
            "#fff",
            "#FFFFFF",
            "#ffff",
            "rgb(255,255,255)",
            "rgb(100% 100% 100%)",
            "hsl(0, 0%, 100%)",
            "white",
        ] {
            assert_eq!(parse(&value.to_lowercase()), Some(Colour::Solid([255; 3])), "{value}");
        }
        assert_eq!(parse("rgba(0,0,0,0)"), Some(Colour::Transparent));
        assert_eq!(parse("#0000"), Some(Colour::Transparent));
        assert_eq!(parse("hsl(120,100%,25%)"), Some(Colour::Solid([0, 128, 0])));
        assert_eq!(legacy("FFFFFF"), Some([255; 3]));
        assert!(parse("#é").is_none() && parse("rgb(").is_none());
        assert!(is_close([255; 3], [0xF5; 3]) && !is_close([255; 3], [0xCC; 3]));
    }
}

//! Colours, as far as it takes to tell a text from its background (CSS Color 4 §4–§6, without the new spaces).

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

/// A colour and how much of it covers what lies below, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Colour {
    pub(crate) rgb: Rgb,
    pub(crate) alpha: f32,
}

impl Colour {
    const TRANSPARENT: Self = Self { rgb: [0; 3], alpha: 0.0 };

    pub(crate) const fn solid(rgb: Rgb) -> Self {
        Self { rgb, alpha: 1.0 }
    }

    /// What is seen of it over another colour (Compositing 1 §5.1).
    pub(crate) fn over(self, below: Rgb) -> Rgb {
        let mix = |at: usize| {
            octet(f32::from(self.rgb[at]) * self.alpha + f32::from(below[at]) * (1.0 - self.alpha))
        };
        [mix(0), mix(1), mix(2)]
    }
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
        let alpha =
            numbers.get(3).map_or(1.0, |(alpha, percent)| if *percent { alpha / 100.0 } else { *alpha });
        let rgb = match function.trim() {
            "rgb" | "rgba" => [first, second, third]
                .map(|(value, percent)| octet(if percent { value * 2.55 } else { value })),
            "hsl" | "hsla" => hsl(first.0, second.0 / 100.0, third.0 / 100.0),
            "hwb" => hwb(first.0, second.0 / 100.0, third.0 / 100.0),
            _ => return None,
        };
        return Some(Colour { rgb, alpha: alpha.clamp(0.0, 1.0) });
    }
    if value == "transparent" {
        return Some(Colour::TRANSPARENT);
    }
    let (red, green, blue) = cssparser::color::parse_named_color(value).ok()?;
    Some(Colour::solid([red, green, blue]))
}

/// `bgcolor` and its like: a name, or hexadecimal digits with or without `#` (HTML §2.3.6, without its repairs).
pub(crate) fn legacy(value: &str) -> Option<Rgb> {
    let value = value.trim().to_ascii_lowercase();
    parse(&value).or_else(|| hex(&value)).filter(|colour| colour.alpha > 0.0).map(|colour| colour.rgb)
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
    let rgb = [octet(0)?, octet(2)?, octet(4)?];
    let alpha = if wide.len() == 8 { f32::from(octet(6)?) / 255.0 } else { 1.0 };
    Some(Colour { rgb, alpha })
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

fn hwb(hue: f32, white: f32, black: f32) -> Rgb {
    if white + black >= 1.0 {
        return [octet(255.0 * white / (white + black)); 3];
    }
    hsl(hue, 1.0, 0.5).map(|part| octet(f32::from(part) * (1.0 - white - black) + 255.0 * white))
}

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
            assert_eq!(parse(&value.to_lowercase()), Some(Colour::solid([255; 3])), "{value}");
        }
        assert_eq!(parse("rgba(0,0,0,0)"), Some(Colour::TRANSPARENT));
        assert_eq!(parse("#0000"), Some(Colour::TRANSPARENT));
        assert_eq!(parse("hsl(120,100%,25%)"), Some(Colour::solid([0, 128, 0])));
        assert_eq!(parse("hwb(0 100% 0%)"), Some(Colour::solid([255; 3])));
        assert_eq!(parse("midnightblue"), Some(Colour::solid([25, 25, 112])));
        let veil = parse("rgb(255 255 255 / 10%)").unwrap();
        assert_eq!(veil.over([0, 0, 51]), [26, 26, 71]);
        assert_eq!(parse("#ffffff80").unwrap().over([0; 3]), [128; 3]);
        assert_eq!(legacy("FFFFFF"), Some([255; 3]));
        assert!(parse("#é").is_none() && parse("rgb(").is_none());
        assert!(is_close([255; 3], [0xF5; 3]) && !is_close([255; 3], [0xCC; 3]));
    }
}

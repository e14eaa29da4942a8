//! Numbers in base 36, for texts that are handed out and should be short.

/// A number in digits and small letters.
pub fn write(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[usize::try_from(number % 36).unwrap_or_default()]));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

/// Only what [`write()`] writes: no sign, no capitals; `None` for anything else, and for more than a `u64`.
pub fn read(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|octet| octet.is_ascii_digit() || octet.is_ascii_lowercase());
    plain.then(|| u64::from_str_radix(text, 36).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_round_and_nothing_else_is_read() {
        for (number, text) in [(0, "0"), (35, "z"), (36, "10"), (u64::MAX, "3w5e11264sgsf")] {
            assert_eq!((write(number).as_str(), read(text)), (text, Some(number)));
        }
        for bad in ["", "A", "+1", "-1", "1 ", "é", "3w5e11264sgsg"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

//! Passwords that are tried first (NIST SP 800-63B §3.1.1.2): common ones, repetitions, runs along the alphabet or the
//! keyboard, and what anybody knows of the person and the site. A short list: length is what keeps the rest out.

/// Words that most of the long passwords in published lists are made of, plain and in small letters.
const WORDS: &str = include_str!("common.txt");
/// Characters in the order of alphabet, digits and keyboard rows (US, German, French).
const RUNS: [&str; 8] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
];
/// A run so long is one step to whoever guesses.
const RUN: usize = 4;
/// What a password must have besides what is known: as many characters as no list reaches.
const OWN: usize = 8;
/// Shorter pieces of an address or a name prove nothing.
const PIECE: usize = 4;

/// Whether a password is one of those. `known` is what anybody knows: the person's address, the site's name.
pub(crate) fn is_common(password: &str, known: &[&str]) -> bool {
    let plain: String = password.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    if repeats(&plain) || distinct(&plain) < 5 {
        return true;
    }
    let pieces = known.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let pieces: Vec<String> =
        pieces.map(str::to_lowercase).filter(|piece| piece.chars().count() >= PIECE).collect();
    let readings = [plain.clone(), letters(&plain)];
    readings.iter().any(|reading| own_part(reading, &pieces) < OWN)
}

/// Whether it is one piece again and again, the last time perhaps cut short.
fn repeats(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (1..=characters.len() / 2)
        .any(|length| characters.iter().skip(length).eq(characters.iter().take(characters.len() - length)))
}

fn distinct(text: &str) -> usize {
    text.chars().collect::<std::collections::BTreeSet<_>>().len()
}

/// With digits and signs read as the letters they stand for.
fn letters(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

/// How many letters and digits are left when common words, known pieces and runs are taken out.
fn own_part(text: &str, pieces: &[String]) -> usize {
    let characters: Vec<char> = text.chars().collect();
    let (mut own, mut at) = (0, 0);
    while at < characters.len() {
        let rest = &characters[at..];
        let known = pieces.iter().map(String::as_str).chain(WORDS.lines());
        let word = known.filter(|word| starts(rest, word)).map(|word| word.chars().count()).max();
        let taken = word.max(run(rest));
        if taken.is_none() && rest[0].is_alphanumeric() {
            own += 1;
        }
        at += taken.unwrap_or(1);
    }
    own
}

fn starts(rest: &[char], word: &str) -> bool {
    let mut characters = rest.iter();
    word.chars().all(|c| characters.next() == Some(&c))
}

/// Length of the run that the text begins with, forwards or backwards, if it is one.
fn run(rest: &[char]) -> Option<usize> {
    let along = |run: Vec<char>| {
        let places = (0..run.len()).filter(|place| run[*place] == rest[0]);
        places
            .map(|place| run[place..].iter().zip(rest).take_while(|(a, b)| a == b).count())
            .max()
            .unwrap_or_default()
    };
    let forwards = RUNS.iter().map(|run| along(run.chars().collect()));
    let backwards = RUNS.iter().map(|run| along(run.chars().rev().collect()));
    let same = rest.iter().take_while(|c| **c == rest[0]).count();
    forwards.chain(backwards).chain([same]).max().filter(|length| *length >= RUN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_common() {
        for common in [
            "123456789012",
            "1234567890123456",
            "210987654321",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "abababababab",
            "qwertyuiop12",
            "qwertzuiopasdf",
            "1qaz2wsx3edc4rfv",
            "password1234",
            "Password123!",
            "P@ssw0rd2024!",
            "passwordpassword",
            "iloveyou1234",
            "administrator1",
            "letmein123456",
            "welcome to 2025",
            "changeme1234",
            "correcthorsebatterystaple",
            "abcdefghijkl",
            "111122223333",
        ] {
            assert!(is_common(common, &[]), "{common}");
        }
    }

    #[test]
    fn what_anybody_knows_of_the_person_and_the_site_does_not_count() {
        let known = ["marie.duval@example.org", "mail.choir-records.net"];
        for common in [
            "marie.duval@example.org",
            "mariemariemarie",
            "Duval-Marie-1987",
            "choirrecords2025",
            "m4r1eduval99",
        ] {
            assert!(is_common(common, &known), "{common}");
        }
        assert!(!is_common("marie walks over nine hills", &known));
    }

    #[test]
    fn what_nobody_lists_is_let_in() {
        for good in [
            "correct horse battery",
            "zwölf kleine Zeichen",
            "vK7#tq9Zp2!m",
            "rosebud under snowfall",
            "9f2c1e7ab04d",
            "лошадь батарея скрепка",
            "tr0ub4dor&3xyq",
        ] {
            assert!(!is_common(good, &["owner@example.com", "mail.example"]), "{good}");
        }
    }
}

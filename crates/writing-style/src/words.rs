//! Closed lists of words, and what a text says by them. Nothing but entries of these lists ever gets into a profile.

/// Beginnings of letters; of two that fit, the longer one counts.
const GREETINGS: &[&str] = &[
    "Good morning",
    "Good afternoon",
    "Good evening",
    "Dear Sir or Madam",
    "Dear all",
    "Hi all",
    "Hello all",
    "Dear",
    "Hello",
    "Hi there",
    "Hi",
    "Hey",
    "Sehr geehrte Damen und Herren",
    "Sehr geehrte",
    "Sehr geehrter",
    "Guten Morgen",
    "Guten Tag",
    "Guten Abend",
    "Liebe",
    "Lieber",
    "Hallo zusammen",
    "Hallo",
    "Moin",
    "Servus",
    "Bonjour",
    "Bonsoir",
    "Cher",
    "Chère",
    "Chers",
    "Salut",
    "Madame, Monsieur",
    "Buenos días",
    "Buenas tardes",
    "Hola",
    "Estimado",
    "Estimada",
    "Querido",
    "Querida",
    "Buongiorno",
    "Buonasera",
    "Gentile",
    "Egregio",
    "Caro",
    "Cara",
    "Ciao",
    "Beste",
    "Geachte",
    "Goedemorgen",
    "Goedemiddag",
];

/// Ends of letters.
const CLOSINGS: &[&str] = &[
    "Yours sincerely",
    "Yours faithfully",
    "Sincerely",
    "Best regards",
    "Kind regards",
    "Warm regards",
    "Many thanks",
    "Best wishes",
    "All the best",
    "Regards",
    "Thank you",
    "Thanks",
    "Cheers",
    "Best",
    "Love",
    "Mit freundlichen Grüßen",
    "Mit freundlichem Gruß",
    "Mit besten Grüßen",
    "Freundliche Grüße",
    "Viele Grüße",
    "Liebe Grüße",
    "Beste Grüße",
    "Herzliche Grüße",
    "Schöne Grüße",
    "Gruß",
    "Grüße",
    "MfG",
    "VG",
    "LG",
    "Vielen Dank",
    "Danke",
    "Cordialement",
    "Bien cordialement",
    "Bien à vous",
    "Bien à toi",
    "Bises",
    "Merci",
    "Saludos",
    "Un saludo",
    "Un cordial saludo",
    "Atentamente",
    "Un abrazo",
    "Gracias",
    "Cordiali saluti",
    "Distinti saluti",
    "Saluti",
    "Un abbraccio",
    "Grazie",
    "Met vriendelijke groet",
    "Vriendelijke groet",
    "Groet",
    "Groeten",
];

/// A language: its code, words that give it away, and words of a formal and of an informal address.
struct Language(&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const LANGUAGES: &[Language] = &[
    Language(
        "en",
        &["the", "and", "is", "are", "you", "of", "to", "for", "with", "that", "this", "have", "will", "not"],
        &["dear", "sincerely", "faithfully", "kindly"],
        &["hi", "hey", "cheers", "i'm", "it's", "don't", "can't", "i'll", "we'll", "that's", "here's"],
    ),
    Language(
        "de",
        &[
            "der", "die", "das", "und", "ist", "nicht", "ich", "wir", "mit", "für", "ein", "eine", "auf",
            "bitte",
        ],
        &["sie", "ihnen", "ihr", "ihre", "ihrem", "ihren", "geehrte", "geehrter"],
        &["du", "dir", "dich", "dein", "deine", "euch", "euer", "lg", "moin", "servus"],
    ),
    Language(
        "fr",
        &["le", "la", "les", "et", "est", "pas", "nous", "pour", "avec", "dans", "une", "des", "je", "que"],
        &["vous", "votre", "vos", "madame", "monsieur"],
        &["tu", "te", "toi", "ton", "tes", "salut", "bises"],
    ),
    Language(
        "es",
        &["el", "los", "las", "y", "es", "no", "para", "con", "una", "por", "que", "del", "lo", "muy"],
        &["usted", "ustedes", "estimado", "estimada", "atentamente"],
        &["tú", "ti", "tu", "tus", "te", "contigo", "hola"],
    ),
    Language(
        "it",
        &["il", "lo", "gli", "e", "è", "non", "per", "con", "una", "che", "di", "della", "sono", "anche"],
        &["lei", "suo", "gentile", "egregio", "distinti"],
        &["tu", "ti", "te", "tuo", "tua", "ciao"],
    ),
    Language(
        "nl",
        &["het", "een", "en", "is", "niet", "ik", "wij", "met", "voor", "van", "dat", "op", "zijn", "graag"],
        &["u", "uw", "geachte"],
        &["je", "jij", "jouw", "jullie", "hoi"],
    ),
];

/// What a text says by these lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) greeting: Option<&'static str>,
    pub(crate) closing: Option<&'static str>,
    pub(crate) language: Option<&'static str>,
    /// `true` is formal.
    pub(crate) formal: Option<bool>,
    pub(crate) words: u32,
}

impl Reading {
    pub(crate) fn of(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let lower = text.to_lowercase().replace('’', "'");
        let words: Vec<&str> = lower
            .split(|c: char| !c.is_alphanumeric() && c != '\'')
            .filter(|word| !word.is_empty())
            .collect();
        let count = |list: &[&str]| words.iter().filter(|word| list.contains(word)).count();
        let language = LANGUAGES.iter().map(|language| (count(language.1), language));
        // the first of equals, so that the order of the list decides and not chance
        let language = language.fold(None, |best: Option<(usize, &Language)>, one| match best {
            Some(best) if best.0 >= one.0 => Some(best),
            _ => Some(one),
        });
        let language = language.filter(|(hits, _)| *hits >= 2).map(|(_, language)| language);
        let formal = language.and_then(|Language(_, _, formal, informal)| {
            let (formal, informal) = (count(formal), count(informal));
            (formal != informal).then_some(formal > informal)
        });
        Self {
            greeting: lines.first().and_then(|line| phrase(line, GREETINGS, 60)),
            closing: lines.iter().skip(1).rev().take(4).find_map(|line| phrase(line, CLOSINGS, 30)),
            language: language.map(|language| language.0),
            formal,
            words: u32::try_from(words.len()).unwrap_or(u32::MAX),
        }
    }
}

/// The entry that a line begins with, if little follows it (a name, say).
fn phrase(line: &str, list: &[&'static str], rest: usize) -> Option<&'static str> {
    let lower = line.to_lowercase();
    let fits = |entry: &&&str| {
        lower.strip_prefix(&entry.to_lowercase()).is_some_and(|after| {
            after.chars().count() <= rest && !after.starts_with(|c: char| c.is_alphanumeric() || c == '\'')
        })
    };
    list.iter().filter(fits).max_by_key(|entry| entry.len()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_read_in_several_languages() {
        for (text, greeting, closing, language, formal) in [
            ("Hi Ada,\nit's fine and you will have the plan.\nCheers\nMo", "Hi", "Cheers", "en", Some(false)),
            (
                "Dear Dr Byron,\n\nthe plan is with this letter.\n\nYours sincerely,\nM. Duval",
                "Dear",
                "Yours sincerely",
                "en",
                Some(true),
            ),
            (
                "Sehr geehrte Frau Byron,\n\nich sende Ihnen die Pläne und bitte um Antwort.\n\nMit freundlichen Grüßen",
                "Sehr geehrte",
                "Mit freundlichen Grüßen",
                "de",
                Some(true),
            ),
            ("Hallo Ada,\nich habe das für dich und mit Mo.\nLG Mo", "Hallo", "LG", "de", Some(false)),
            (
                "Bonjour,\nje suis dans le train avec vous.\nCordialement",
                "Bonjour",
                "Cordialement",
                "fr",
                Some(true),
            ),
        ] {
            let read = Reading::of(text);
            assert_eq!(
                (read.greeting, read.closing, read.language, read.formal),
                (Some(greeting), Some(closing), Some(language), formal),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_letter_says_nothing() {
        for text in [
            "",
            "ok",
            "Highlights of the week and the rest of it",
            "42",
            "Bestellung 4711\nThanksgiving is in November",
        ] {
            let read = Reading::of(text);
            assert_eq!((read.greeting, read.closing), (None, None), "{text}");
        }
    }
}

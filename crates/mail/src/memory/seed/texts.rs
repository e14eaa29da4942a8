//! Who writes what in the demonstration mailbox.

pub(super) const PEOPLE: [(&str, &str); 8] = [
    ("Maya Lindqvist", "maya.lindqvist@example.com"),
    ("Jürgen Köhler", "juergen.koehler@example.de"),
    ("Amara Okafor", "amara@example.org"),
    ("Tomás Rivera", "tomas.rivera@example.net"),
    ("Yuki Tanaka (田中 由紀)", "yuki.tanaka@example.jp"),
    ("Priya Raman", "priya@example.org"),
    ("Oliver Brandt", "oliver.brandt@example.com"),
    ("Chloé Martin", "chloe.martin@example.fr"),
];

/// Subject and what is said in turn. The owner answers every other message.
pub(super) const THREADS: [(&str, &[&str]); 10] = [
    (
        "Budget for the spring conference",
        &[
            "Here is the first draft of the budget. Travel is the largest item; can you look at the hotel rates?",
            "Thanks! The hotel offers 20% off if we book 15 rooms before Friday. Shall I go ahead?",
            "Please do. I will move the difference to catering.",
            "Booked: 15 rooms, confirmation number HX-20931. The invoice comes next week.",
            "Perfect, that keeps us 1,200 EUR under budget.",
        ],
    ),
    (
        "Migration plan for the billing database",
        &[
            "I wrote the plan down: dual writes for a week, then the switch on Tuesday at 06:00 UTC.",
            "Looks good. Who watches the replication lag during the switch?",
            "I do, with Oliver as the second pair of eyes. The rollback is one flag.",
            "Then let us announce it tomorrow.",
        ],
    ),
    (
        "Wohnungsübergabe am Freitag",
        &[
            "Hallo, die Übergabe ist am Freitag um 14 Uhr. Bitte bringen Sie alle Schlüssel mit.",
            "Passt mir gut. Soll ich den Zählerstand vorher fotografieren?",
            "Ja, gerne. Das Protokoll schicke ich Ihnen danach zu. Viele Grüße, Jürgen Köhler",
        ],
    ),
    (
        "来週の打ち合わせについて",
        &[
            "来週の水曜日、午後三時はいかがでしょうか。",
            "Wednesday at 15:00 works for me. Shall we meet online?",
            "はい、オンラインでお願いします。招待状を送ります。",
        ],
    ),
    (
        "Interview feedback: backend engineer",
        &[
            "Strong on systems design, a little unsure about SQL isolation levels. I would say yes.",
            "Agreed. Her questions about on-call were the best I have heard this year.",
            "I will prepare the offer then. Start date in two months?",
            "Two months is fine, she has a notice period.",
        ],
    ),
    (
        "Photos from the hike",
        &[
            "The weather could not have been better! I put the best ones in the attachment.",
            "Wonderful, thank you. The one above the clouds goes on my wall.",
        ],
    ),
    (
        "Contract renewal with Northwind",
        &[
            "Northwind wants to renew for two years at a 6% increase. Our limit was 4%.",
            "Ask for 4% with a three-year term. They value the longer commitment.",
            "They came back with 4.5% for three years.",
            "Take it. Please have legal look at clause 7 on data processing once more.",
            "Legal is happy; the signed copy is attached.",
        ],
    ),
    (
        "Réunion parents-professeurs",
        &[
            "Bonjour, la réunion aura lieu jeudi à 18 h 30 dans la salle B12.",
            "Merci, nous y serons. Faut-il apporter le carnet de notes ?",
        ],
    ),
    (
        "Release 4.2 checklist",
        &[
            "Open points: changelog, translations, and the failing test on ARM.",
            "Changelog done. The ARM failure is a time zone assumption, fix is in review.",
            "Merged. Translations arrive tonight.",
            "All in. Tagging 4.2 now.",
            "Packages are live. Thanks everyone!",
        ],
    ),
    (
        "Neighbourhood garden: watering rota",
        &[
            "Who can take the second half of the month? The tomatoes need a lot.",
            "I can do the weekends.",
            "Then I take Tuesdays and Thursdays. Thank you both.",
        ],
    ),
];

pub(super) const NEWSLETTERS: [(&str, &str, &str); 4] = [
    ("The Weekly Compiler", "news@compiler.example", "Borrow checking, explained with kitchen tools"),
    ("Bike & Trail", "hello@biketrail.example", "Ten quiet routes for early spring"),
    ("Museum Friends", "friends@museum.example", "Members' evening: Dutch still lifes"),
    ("Cloud Status Digest", "digest@status.example", "Three incidents and what we learned"),
];

pub(super) const SHOPS: [(&str, &str, &str); 4] = [
    ("Paper & Ink", "orders@paperink.example", "Notebook, dotted, A5"),
    ("Railways", "tickets@railways.example", "Return ticket, Berlin to Prague"),
    ("Green Grocer", "shop@greengrocer.example", "Weekly vegetable box"),
    ("Hosting Ltd", "billing@hosting.example", "Virtual server, small"),
];

//! Submission servers that lie, flood, nest and drip at every step: never a false "sent", and bounded memory and time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_core::{
    account::{Login, Security},
    mail::{MailError, NetworkFault, Submission, SubmissionEnvelope, SubmitError, Submitted},
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::{
    builders,
    hostile_smtp::{HostileSmtp, Layer, Step, Trick},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const CUT: SubmitError = SubmitError::NotSent(MailError::Unreachable(NetworkFault::Connect));
const PROTOCOL: SubmitError = SubmitError::NotSent(MailError::Protocol);
const TIMEOUT: SubmitError = SubmitError::NotSent(MailError::Timeout);

/// What no step may take for an answer.
const NO_REPLY: [Trick; 13] = [
    Trick::Says("9999 ok\r\n"),
    Trick::Says("000 ok\r\n"),
    Trick::Says("199 ok\r\n"),
    Trick::Says("25 ok\r\n"),
    Trick::Says("{}_ok\r\n"),
    Trick::Says("<html>\r\n"),
    Trick::Says("\r\n"),
    Trick::Says("{}-ok\r\n554 no\r\n"),
    Trick::Says("{}-ok\r\n\r\n{} ok\r\n"),
    Trick::Floods("{}-x\r\n"),
    Trick::Floods("{}-\r\n"),
    Trick::Floods("{} x"),
    Trick::Floods("{}-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"),
];

struct House {
    server: HostileSmtp,
    mail: Mail,
    login: Login,
}

fn house(layer: Layer) -> House {
    let server = HostileSmtp::start(Step::Quit, Trick::Hangs, layer);
    let mut options =
        MailOptions::new(Arc::new(Dialer::new(format!("127.0.0.1:{}", server.port).parse().unwrap())));
    options.allow_insecure = true;
    options.ca_file = server.ca_file();
    options.timeouts.silence = Duration::from_millis(300);
    options.timeouts.command = Duration::from_millis(300);
    options.timeouts.submission = Duration::from_millis(600);
    let security = match layer {
        Layer::Plain => Security::Insecure,
        Layer::Tls => Security::Tls,
        Layer::StartTls => Security::StartTls,
    };
    let login = builders::login_at("x", server.port, security);
    House { server, mail: Mail::new(options).unwrap(), login }
}

impl House {
    async fn submit(&self) -> Result<Submitted, SubmitError> {
        let to = ["c@d.example".to_owned(), "e@f.example".to_owned()];
        let envelope = SubmissionEnvelope::new("a@b.example", &to).unwrap();
        self.mail.submit(&self.login, &envelope, &"Subject: x\r\n\r\nx\r\n".into()).await
    }

    /// What comes of a trick at a step; never more than there was.
    async fn played(&self, step: Step, trick: Trick) -> Result<Submitted, SubmitError> {
        self.server.will(step, trick);
        let result = self.submit().await;
        if result.is_ok() {
            assert_eq!(self.server.messages(), 1, "{trick:?} at {step:?}");
        } else if step != Step::Dot {
            assert_eq!(self.server.messages(), 0, "{trick:?} at {step:?}");
        }
        result
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_reply_is_taken_for_none_at_any_step() {
    for layer in [Layer::Plain, Layer::Tls, Layer::StartTls] {
        let house = house(layer);
        for step in Step::SUBMISSION {
            let tricks = NO_REPLY.into_iter().map(|trick| (trick, PROTOCOL));
            // an octet more of one reply, or of a line that begins as none, is no answer either
            let slow = [(Trick::Drips("{} x"), TIMEOUT), (Trick::Silent, TIMEOUT), (Trick::Hangs, CUT)];
            for (trick, before_the_dot) in tricks.chain(slow) {
                let result = house.played(step, trick).await;
                match step {
                    Step::Quit => assert!(result.is_ok(), "{layer:?}: {trick:?} at {step:?}: {result:?}"),
                    Step::Dot => {
                        let SubmitError::NotSent(why) = before_the_dot else { panic!("{trick:?}") };
                        assert_eq!(result, Err(SubmitError::Unknown(why)), "{layer:?}: {trick:?}");
                    }
                    // the greeting is the first thing said within TLS
                    Step::Greeting if (layer, trick) == (Layer::Tls, Trick::Hangs) => {
                        let tls = MailError::Unreachable(NetworkFault::Tls);
                        assert!(result == Err(CUT) || result == Err(tls.into()), "{result:?}");
                    }
                    _ => assert_eq!(result, Err(before_the_dot), "{layer:?}: {trick:?} at {step:?}"),
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_something_else_is_no_answer() {
    for layer in [Layer::Plain, Layer::Tls] {
        let house = house(layer);
        for (step, says) in [
            (Step::Greeting, "354 go on\r\n"),
            (Step::Greeting, "220 a\r\n220 b\r\n"),
            (Step::Ehlo, "354 go on\r\n"),
            (Step::Ehlo, "250-x\r\n250 AUTH PLAIN\r\n250 AUTH PLAIN\r\n"),
            (Step::Auth, "250 ok\r\n"),
            (Step::Auth, "354 go on\r\n"),
            (Step::Auth, "235 in\r\n235 in\r\n"),
            (Step::Mail, "354 go on\r\n"),
            (Step::Mail, "334 \r\n"),
            (Step::Rcpt, "354 go on\r\n"),
            (Step::Rcpt, "250 ok\r\n250 ok\r\n"),
            (Step::Rcpt, "250 ok\r\n354 go on\r\n"),
            (Step::Data, "250 taken\r\n"),
            (Step::Data, "235 taken\r\n"),
            (Step::Data, "354 go on\r\n354 go on\r\n"),
            // taken before it was whole
            (Step::Data, "354 go on\r\n250 taken\r\n"),
        ] {
            let result = house.played(step, Trick::Says(says)).await;
            assert_eq!(result, Err(PROTOCOL), "{layer:?}: {says:?} at {step:?}");
        }
        for says in [
            "354 go on\r\n",
            "334 \r\n",
            "250 taken\r\n554 refused\r\n",
            "554 refused\r\n250 taken\r\n",
            "250 taken\r\n250 taken\r\n",
            "250-taken\r\n250 refused\r\n999",
        ] {
            let result = house.played(Step::Dot, Trick::Says(says)).await;
            assert_eq!(result, Err(SubmitError::Unknown(MailError::Protocol)), "{layer:?}: {says:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_may_say_is_believed() {
    let deferred =
        |code, enhanced: Option<&str>| SubmitError::Deferred { code, enhanced: enhanced.map(str::to_owned) };
    let rejected = |code, enhanced: Option<&str>| SubmitError::Rejected {
        code,
        enhanced: enhanced.map(str::to_owned),
        refused: vec![],
    };
    for layer in [Layer::Plain, Layer::Tls] {
        let house = house(layer);
        for (step, says, error) in [
            // at the door: told with its code, not tried for a day as if it could not be understood
            (Step::Greeting, "554 5.7.1 your address is listed\r\n", rejected(554, Some("5.7.1"))),
            (Step::Greeting, "421 4.3.2 busy\r\n", deferred(421, Some("4.3.2"))),
            (Step::Ehlo, "550-5.7.0 Invalid EHLO\r\n550 5.7.0 go away\r\n", rejected(550, Some("5.7.0"))),
            (Step::Ehlo, "501 syntax\r\n", rejected(501, None)),
            (Step::Ehlo, "421 later\r\n", deferred(421, None)),
            (Step::Mail, "421 4.4.2 idle\r\n", deferred(421, Some("4.4.2"))),
            (Step::Rcpt, "421 closing\r\n", deferred(421, None)),
            (Step::Data, "451 later\r\n", deferred(451, None)),
            (Step::Data, "354 go on\r\n552 5.3.4 too big\r\n", rejected(552, Some("5.3.4"))),
            (Step::Dot, "554-5.6.0 a\r\n554 5.6.0 b\r\n", rejected(554, Some("5.6.0"))),
            (Step::Dot, "452 4.2.2 full\r\n", deferred(452, Some("4.2.2"))),
        ] {
            assert_eq!(
                house.played(step, Trick::Says(says)).await,
                Err(error),
                "{layer:?}: {says:?} at {step:?}"
            );
        }
        for (step, says) in [
            (Step::Dot, "250-2.0.0 taken\r\n250-\r\n250 as x\r\n"),
            (Step::Dot, "250\r\n"),
            (Step::Dot, "250 taken\r\n421 closing\r\n"),
            (Step::Rcpt, "251 will forward\r\n"),
            (Step::Rcpt, "252 will try\r\n"),
            (Step::Quit, "999 bye\r\n"),
        ] {
            let sent = house.played(step, Trick::Says(says)).await;
            assert_eq!(sent.unwrap().accepted.len(), 2, "{layer:?}: {says:?} at {step:?}");
        }
        let offers = Trick::Says("250 hostile\r\n");
        let error = house.played(Step::Ehlo, offers).await;
        assert_eq!(error, Err(MailError::LoginUnavailable.into()), "AUTH is missing once");
        let offers = Trick::Says("250-hostile\r\n250 AUTH CRAM-MD5 NTLM\r\n");
        assert_eq!(house.played(Step::Ehlo, offers).await, Err(MailError::NoMechanism.into()));
        assert!(!house.server.commands().iter().any(|command| command.starts_with("AUTH")));
    }
}

/// A success of another command, or none that any command has, is no success of this one (RFC 5321 §4.3.2, RFC 4954 §6).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_has_its_own_word_for_success() {
    const SUCCESSES: [u16; 12] = [200, 211, 214, 220, 221, 235, 250, 251, 252, 253, 260, 299];
    let own: [(Step, &[u16]); 7] = [
        (Step::Greeting, &[220]),
        (Step::Ehlo, &[250]),
        (Step::Auth, &[235]),
        (Step::Mail, &[250]),
        (Step::Rcpt, &[250, 251, 252]),
        (Step::Data, &[]),
        (Step::Dot, &[250]),
    ];
    for layer in [Layer::Plain, Layer::Tls] {
        let house = house(layer);
        for (step, own) in own {
            for code in SUCCESSES.into_iter().chain([300, 334, 350, 354]) {
                let own = own.contains(&code) || (step == Step::Data && code == 354);
                let says: &'static str = format!("{code}-x\r\n{code} AUTH PLAIN\r\n").leak();
                let result = house.played(step, Trick::Says(says)).await;
                match step {
                    _ if own => {
                        assert_eq!(result.unwrap().accepted.len(), 2, "{layer:?}: {code} at {step:?}");
                    }
                    Step::Dot => {
                        let unknown = SubmitError::Unknown(MailError::Protocol);
                        assert_eq!(result, Err(unknown), "{layer:?}: {code} at {step:?}");
                    }
                    // a challenge is answered, and what comes then is no success
                    Step::Auth if code == 334 => assert!(result.is_err(), "{layer:?}: {result:?}"),
                    _ => assert_eq!(result, Err(PROTOCOL), "{layer:?}: {code} at {step:?}"),
                }
            }
        }
    }
    let house = house(Layer::StartTls);
    for code in SUCCESSES.into_iter().filter(|code| *code != 220) {
        house.server.will(Step::StartTls, Trick::Says(format!("{code} go\r\n").leak()));
        let refused = MailError::Unreachable(NetworkFault::StartTls);
        assert_eq!(house.submit().await, Err(refused.into()), "{code}");
    }
}

/// A figure of this process in octets.
fn memory(figure: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_at_any_step_costs_little_memory_and_time() {
    for layer in [Layer::Plain, Layer::Tls, Layer::StartTls] {
        let house = house(layer);
        let early = if layer == Layer::StartTls { &[Step::StartTls][..] } else { &[] };
        assert!(house.submit().await.is_ok(), "{layer:?}");
        for step in Step::SUBMISSION.into_iter().chain(early.iter().copied()) {
            for trick in [Trick::Floods("{}-x\r\n"), Trick::Floods("{}-"), Trick::Drips("{}-x\r\n{}")] {
                house.server.will(step, trick);
                let (before, started) = (memory("VmRSS"), Instant::now());
                let result = house.submit().await;
                let took = started.elapsed();
                let grown = memory("VmRSS").saturating_sub(before);
                assert_eq!(
                    result.is_ok(),
                    step == Step::Quit,
                    "{layer:?}: {trick:?} at {step:?}: {result:?}"
                );
                assert!(grown < 16 << 20, "{layer:?}: {trick:?} at {step:?} cost {grown} octets");
                assert!(took < Duration::from_secs(2), "{layer:?}: {trick:?} at {step:?} took {took:?}");
            }
        }
        assert!(memory("VmHWM") < 160 << 20, "{layer:?}");
    }
}

#[tokio::test]
async fn a_server_is_greeted_by_name_if_there_is_one() {
    let server = HostileSmtp::start(Step::Quit, Trick::Hangs, Layer::Plain);
    let login = builders::login_at("x", server.port, Security::Insecure);
    for (name, said) in [
        (Some("mail.example.org"), "EHLO mail.example.org"),
        (None, "EHLO [127.0.0.1]"),
        (Some("[192.0.2.1]"), "EHLO [192.0.2.1]"),
        (Some("[IPv6:2001:db8::1]"), "EHLO [IPv6:2001:db8::1]"),
        (Some("x\r\nMAIL FROM:<a@b>"), "EHLO [127.0.0.1]"),
        (Some("[x]\r\nNOOP"), "EHLO [127.0.0.1]"),
    ] {
        server.will(Step::Quit, Trick::Hangs);
        let egress = format!("127.0.0.1:{}", server.port).parse().unwrap();
        let mut options = MailOptions::new(Arc::new(Dialer::new(egress)));
        options.allow_insecure = true;
        options.ehlo_name = name.map(str::to_owned);
        Submission::probe(&Mail::new(options).unwrap(), &login).await.unwrap();
        let commands = server.commands();
        assert_eq!(commands.iter().find(|command| command.starts_with("EHLO")).unwrap(), said);
    }
}

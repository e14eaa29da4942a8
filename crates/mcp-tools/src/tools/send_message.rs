use crate::{
    arguments::Arguments,
    context::Context,
    error::ToolError,
    letter::{
        self, ATTACHMENTS, BCC, BODY_HTML, BODY_MARKDOWN, BODY_TEXT, CC, FROM, KEY, SEND_AT, SIGNATURE,
        SUBJECT, TO_REQUIRED,
    },
    reply::Reply,
    shared::ACCOUNT,
    spec::{Effect, Spec},
};
use imapmcp_core::permission::Permission;
use imapmcp_mime::compose::Letter;

pub(crate) const SPEC: Spec = Spec {
    name: "send_message",
    title: "Send a message",
    about: "Sends a message as the user. state: sent, queued (held, or tried again by itself), pending_approval (the user decides on the \
            outbox page), rejected, or unknown (perhaps delivered; ask the user before you send it again). The same call within 10 \
            minutes, or the same idempotency_key, returns the first result.",
    permission: Permission::Send,
    also: &[],
    effect: Effect::Destroys,
    fields: &[
        &ACCOUNT,
        &FROM,
        &TO_REQUIRED,
        &CC,
        &BCC,
        &SUBJECT.required(),
        &BODY_TEXT,
        &BODY_HTML,
        &BODY_MARKDOWN,
        &SIGNATURE,
        &ATTACHMENTS,
        &KEY,
        &SEND_AT,
    ],
    output: letter::RECEIPT,
    shows: letter::SHOWN,
    run: |context, arguments| Box::pin(run(context, arguments)),
};

async fn run(context: &Context<'_>, arguments: &Arguments) -> Result<Reply, ToolError> {
    let body = letter::body(arguments)?;
    let [to, cc, bcc] = letter::recipients(arguments)?;
    let opened = context.open(arguments.get(&ACCOUNT)).await?;
    let from = letter::from(arguments, &opened.account)?;
    let files = letter::files(context, &opened, arguments).await?;
    if body.is_empty() && files.is_empty() {
        return Err(BODY_TEXT.wrong("(or body_html, body_markdown, attachments) is missing"));
    }
    let (text, html) =
        letter::forms(body, letter::signature(arguments.get(&SIGNATURE), &opened.account)).await?;
    let subject = arguments.get(&SUBJECT).unwrap_or_default().to_owned();
    let letter = Letter { from, to, cc, bcc, subject, text: Some(text), html, files, ..Letter::default() };
    Ok(letter::send(context, letter::request(&opened, letter, arguments)).await?.1.into())
}

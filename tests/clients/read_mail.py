"""Reads composed messages with the standard library and compares them with what their manifest says."""

import email
import email.policy
import json
import pathlib
import sys

directory = pathlib.Path(sys.argv[1])
wrong = []


def flowed(text):
    """RFC 3676 §4: lines that end in a blank go on, one leading blank is stuffing."""
    out, before = "", False
    for number, line in enumerate(text.split("\n")):
        if number and not before:
            out += "\n"
        line = line.removeprefix(" ")
        before = line.endswith(" ") and line != "-- "
        out += line
    return out


def plain(text):
    return text.replace("\r\n", "\n")


def tree(part):
    kind = part.get_content_type()
    if part.get_content_maintype() != "multipart":
        return kind
    return kind.removeprefix("multipart/") + "(" + ",".join(tree(inner) for inner in part.iter_parts()) + ")"


def leaves(part):
    if part.get_content_maintype() != "multipart":
        return [part]
    return [leaf for inner in part.iter_parts() for leaf in leaves(inner)]


def addresses(message, field):
    if message[field] is None:
        return []
    return [{"name": a.display_name, "email": a.addr_spec} for a in message[field].addresses]


def people(found):
    """Some releases keep the blank between two encoded words of a name, which RFC 2047 §6.2 takes out."""
    return [(person["name"].replace(" ", ""), person["email"]) for person in found]


def ids(message, field):
    return [one.strip("<>") for one in str(message[field] or "").split()]


def octets(part):
    if part.get_content_type() == "message/rfc822":
        return part.get_payload(0).as_bytes()
    return part.get_payload(decode=True)


for case in json.loads((directory / "manifest.json").read_text()):
    name = case["name"]

    def same(what, found, expected):
        if found != expected:
            wrong.append(f"{name}: {what}: {str(found)[:300]!r} instead of {str(expected)[:300]!r}")

    raw = (directory / f"{name}.eml").read_bytes()
    if case["utf8"]:
        message = email.message_from_string(raw.decode(), policy=email.policy.SMTPUTF8)
    else:
        message = email.message_from_bytes(raw, policy=email.policy.default)
    # the library calls every address beyond ASCII a defect
    for part in [] if case["utf8"] else [message, *leaves(message)]:
        same("defects", [str(defect) for defect in part.defects], [])
        for field in part.keys():
            same(f"defects of {field}", [str(defect) for defect in part[field].defects], [])
    same("from", people(addresses(message, "From")), people([case["from"]]))
    for field in ("to", "cc", "bcc"):
        same(field, people(addresses(message, field)), people(case[field]))
    same("subject", message["Subject"], case["subject"])
    same("message-id", ids(message, "Message-ID"), [case["message_id"]])
    same("in-reply-to", ids(message, "In-Reply-To"), case["in_reply_to"])
    same("references", ids(message, "References"), case["references"])
    same("date", message["Date"].datetime.timestamp(), case["date"])
    same("structure", tree(message), case["structure"])
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    if text is not None and text.is_attachment():
        text = None
    if case["text"] is not None:
        same("flowed", text.get_param("format"), "flowed")
        same("text", flowed(plain(text.get_content())).rstrip("\n"), case["text"].rstrip("\n"))
    same("has html", html is not None, case["html"] is not None)
    if html is not None:
        same("html", plain(html.get_content()).rstrip("\n"), case["html"].rstrip("\n"))
    files = [part for part in leaves(message) if part.get_filename() is not None]
    same("file names", [part.get_filename() for part in files], [file["name"] for file in case["files"]])
    for part, file in zip(files, case["files"]):
        expected = (directory / file["octets"]).read_bytes()
        if part.get_content_type() == "message/rfc822":
            expected = email.message_from_bytes(expected, policy=email.policy.default).as_bytes()
        if octets(part) != expected:
            wrong.append(f"{name}: {file['name']}: other octets")
        same("type", part.get_content_type(), file["type"])
        same("content id", (part["Content-ID"] or "").strip("<>") or None, file["content_id"])
        same("disposition", part.get_content_disposition(), "inline" if file["content_id"] else "attachment")

print("\n".join(wrong))
sys.exit(1 if wrong else 0)

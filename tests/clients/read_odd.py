"""What the standard library reads in odd messages: subject, sender, words of the body, files. One JSON object."""

import email
import email.policy
import hashlib
import json
import pathlib
import re
import sys


def words(text):
    return re.sub(r"<[^>]*>", " ", text).split()


def one(path):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    read = {}

    def take(name, what):
        try:
            read[name] = what()
        except Exception as error:  # what it cannot read is an answer too
            read[name] = f"{type(error).__name__}"

    def people():
        field = message["from"]
        return [[a.display_name, a.addr_spec] for a in field.addresses] if field else []

    def text():
        found = []
        for part in message.walk():
            if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
                found.append(part)
        kinds = [part.get_content_type() for part in found]
        if message.get_content_type() == "multipart/alternative" and "text/plain" in kinds:
            found = [found[kinds.index("text/plain")]]
        return [word for part in found for word in words(part.get_content())]

    def files():
        found = []
        for part in message.walk():
            if part.get_content_disposition() == "attachment":
                octets = part.get_payload(decode=True)
                if octets is None:
                    octets = part.get_payload(0).as_bytes()
                found.append([part.get_filename(), hashlib.sha256(octets).hexdigest()])
        return found

    take("subject", lambda: str(message["subject"] or ""))
    take("from", people)
    take("words", text)
    take("files", files)
    return read


print(json.dumps({path.stem: one(path) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))}))

// Reads composed messages with mailparser and compares them with what their manifest says.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { domainToASCII } from "node:url";
import { simpleParser } from "mailparser";

const directory = process.argv[2];
const wrong = [];
const ascii = (address) => address.replace(/@.*$/, (domain) => `@${domainToASCII(domain.slice(1))}`);
const people = (field) =>
  (field?.value ?? []).map(({ name, address }) => ({ name, email: ascii(address) }));
const bare = (id) => id.replace(/^<|>$/g, "");
const list = (ids) => (ids === undefined ? [] : [ids].flat().map(bare));
const plain = (text) => (text || "").replace(/\r\n/g, "\n").replace(/\n+$/, "");

for (const expected of JSON.parse(readFileSync(join(directory, "manifest.json"), "utf8"))) {
  const same = (what, found, wanted) => {
    const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (a !== b) wrong.push(`${expected.name}: ${what}: ${a?.slice(0, 300)} instead of ${b?.slice(0, 300)}`);
  };
  const mail = await simpleParser(readFileSync(join(directory, `${expected.name}.eml`)), {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipTextLinks: true,
    skipImageLinks: true,
  });
  const person = ({ name, email }) => ({ name, email: ascii(email) });
  same("from", people(mail.from), [person(expected.from)]);
  for (const field of ["to", "cc", "bcc"]) same(field, people(mail[field]), expected[field].map(person));
  same("subject", mail.subject ?? "", expected.subject);
  same("message-id", list(mail.messageId), [expected.message_id]);
  same("in-reply-to", list(mail.inReplyTo), expected.in_reply_to);
  same("references", list(mail.references), expected.references);
  same("date", mail.date.getTime() / 1000, expected.date);
  if (expected.text !== null) same("text", plain(mail.text), plain(expected.text));
  same("html", mail.html ? plain(mail.html) : null, expected.html === null ? null : plain(expected.html));
  same("files", mail.attachments.map((file) => file.filename), expected.files.map((file) => file.name));
  mail.attachments.forEach((file, at) => {
    const wanted = expected.files[at];
    if (!wanted) return;
    if (!file.content.equals(readFileSync(join(directory, wanted.octets)))) {
      wrong.push(`${expected.name}: ${wanted.name}: other octets`);
    }
    same("type", file.contentType, wanted.type);
    same("content id", file.cid ?? null, wanted.content_id);
    same("disposition", file.contentDisposition, wanted.content_id ? "inline" : "attachment");
  });
}
console.log(wrong.join("\n"));
process.exit(wrong.length ? 1 : 0);

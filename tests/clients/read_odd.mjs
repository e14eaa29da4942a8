// What mailparser reads in odd messages: subject, sender, words of the body, files. One JSON object.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { simpleParser } from "mailparser";

const words = (text) => text.replace(/<[^>]*>/g, " ").split(/\s+/).filter(Boolean);

async function one(path) {
  const mail = await simpleParser(readFileSync(path), {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipTextLinks: true,
    skipImageLinks: true,
  });
  const files = mail.attachments.filter((file) => file.contentDisposition === "attachment");
  return {
    subject: mail.subject ?? "",
    from: (mail.from?.value ?? []).map(({ name, address }) => [name ?? "", address ?? ""]),
    words: words(mail.text || mail.html || ""),
    files: files.map((file) => [file.filename ?? "", createHash("sha256").update(file.content).digest("hex")]),
  };
}

const directory = process.argv[2];
const read = {};
for (const name of readdirSync(directory).sort()) {
  read[name.replace(/\.eml$/, "")] = await one(join(directory, name));
}
console.log(JSON.stringify(read));

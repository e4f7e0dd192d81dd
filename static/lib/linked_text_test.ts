import assert from "node:assert/strict";
import { find } from "../vendor/linkify.js";
import { segments } from "./linked_text.ts";

const links = (text: string) => segments(text, find).filter(({ href }) => href !== null).map(({ text }) => text);

Deno.test("only text written as http:// or https:// is a link", () => {
  assert.deepEqual(links("see https://example.org/a?b=c#d, or HTTP://example.com."), [
    "https://example.org/a?b=c#d",
    "HTTP://example.com",
  ]);
  assert.deepEqual(links("http://localhost:8000/r/general"), ["http://localhost:8000/r/general"]);
});

Deno.test("file names, bare domains, mail addresses and other schemes are not links", () => {
  for (
    const text of [
      "main.ts and readme.md",
      "example.org",
      "www.example.org",
      "someone@example.org",
      "javascript:alert(1)",
      "javascript://example.org/%0aalert(1)",
      "data:text/html,<script>alert(1)</script>",
      "ftp://example.org",
      "file:///etc/passwd",
    ]
  ) assert.deepEqual(links(text), [], text);
});

Deno.test("no text is lost around links", () => {
  const text = "<b>one</b> https://a.example/ two\nhttps://b.example/";
  assert.equal(segments(text, find).map(({ text }) => text).join(""), text);
});

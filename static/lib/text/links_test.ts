import assert from "node:assert/strict";
import { hostToShow, segments } from "./links.ts";

const links = (text: string) => segments(text).filter(({ href }) => href !== null).map(({ text }) => text);

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
  assert.equal(segments(text).map(({ text }) => text).join(""), text);
});

Deno.test("a link's text that looks like an address is no cover for another one", () => {
  const there = "https://evil.example/login";
  for (
    const text of [
      "bank.example",
      "www.bank.example",
      "https://bank.example/login",
      "bank\u3002example", // an ideographic full stop
      "bank\u2024example",
      "bank.example\u2215login",
      "evil.example@bank.example",
      "evil.example bank.example",
      "elpmaxe.knab\u202e",
      "ba\u00adnk",
      "click\u200bhere",
      "\u3164",
    ]
  ) assert.equal(hostToShow(text, there), "evil.example", JSON.stringify(text));
  for (const text of ["the login", "로그인 (새 창)", "3.14", "evil.example", "https://evil.example/other", "👍"]) {
    assert.equal(hostToShow(text, there), null, text);
  }
  assert.equal(hostToShow("example.org", "https://\u0435xample.org/"), "xn--xample-2of.org");
});

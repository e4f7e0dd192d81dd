import assert from "node:assert/strict";
import { SENTENCES } from "../../chat/protocol.ts";
import { english } from "./english.ts";
import { korean } from "./korean.ts";
import { closeText, errorText, languageFor } from "./locale.ts";

/** What is the same in both languages. */
const SAME = ["product", "commands.help.0"];

Deno.test("both languages have the same texts", () => {
  const [en, ko] = [textsOf(english), textsOf(korean)];
  assert.deepEqual([...ko.keys()].sort(), [...en.keys()].sort());
  for (const [path, text] of en) {
    const other = ko.get(path)!;
    assert.equal(typeof other, typeof text, path);
    if (typeof text === "function") assert.equal((other as typeof text).length, text.length, path);
    else if (!SAME.includes(path)) assert.notEqual(other, text, `${path} is not translated`);
  }
});

Deno.test("the page takes the first of the reader's languages that it has, with the reader's region", () => {
  assert.deepEqual(pick(["fr-FR", "ko-KR", "en"]), ["ko", "ko-KR"]);
  assert.deepEqual(pick(["en-GB", "ko"]), ["en", "en-GB"]);
  assert.deepEqual(pick(["fr"]), ["en", "en"]);
  assert.deepEqual(pick([]), ["en", "en"]);
});

Deno.test("a language that was chosen is the page's, with the region that the browser names for it", () => {
  assert.deepEqual(pick(["en-GB", "ko-KR"], "ko"), ["ko", "ko-KR"]);
  assert.deepEqual(pick(["fr", "en-GB"], "ko"), ["ko", "ko"]);
  assert.deepEqual(pick(["ko", "en-GB"], "en"), ["en", "en-GB"]);
  for (const broken of ["", "fr", "constructor", "KO"]) assert.deepEqual(pick(["ko-KR"], broken), ["ko", "ko-KR"]);
});

Deno.test("a language tag that Intl rejects does not keep the page from opening", () => {
  assert.deepEqual(pick(["en-US@posix"]), ["en", "en"]);
});

Deno.test("one is singular, more are plural", () => {
  assert.equal(english.newMessages(1, false), "1 new");
  assert.equal(english.newMessages(1_200, true), "1,200+ new");
  assert.equal(korean.newMessages(1, false), "새 메시지 1개");
});

Deno.test("an error that the page has no text for is shown in the server's words", () => {
  assert.equal(errorText(english, { code: "brand_new", message: "Do this instead." }), "Do this instead.");
  const held = { code: "name_taken", message: "In words.", held_until: Date.UTC(2026, 11, 3, 12) };
  assert.match(errorText(korean, held), /^2026년 12월 3일.*까지 다른 사람/, "and until when a name is held");
  assert.equal(errorText(english, { code: "constructor", message: "Do this instead." }), "Do this instead.");
  assert.match(closeText(english, 4_450), /4450/);
});

Deno.test("a sentence that the page knows is in the reader's language, one of a kind's own as the server says it", () => {
  const refused = (message: string, code = "forbidden") => errorText(korean, { code, message });
  assert.equal(refused(SENTENCES.locked), korean.sentences.locked);
  assert.equal(refused(SENTENCES.gone, "not_found"), korean.sentences.gone);
  assert.equal(refused("You have voted."), "You have voted.");
  assert.equal(refused("There is no such answer.", "not_found"), "There is no such answer.");
  assert.equal(refused(""), korean.errors.forbidden, "nothing was said");
  assert.equal(refused("One message every 5 s.", "rate_limited"), korean.errors.rate_limited);
});

function pick(preferred: string[], chosen?: string): string[] {
  const { language, tag } = languageFor(preferred, chosen);
  return [language, tag];
}

/** Every text, by where it stands: `errors.bad_json`. */
function textsOf(texts: object, path = ""): Map<string, unknown> {
  return new Map(
    Object.entries(texts).flatMap(([name, text]) =>
      typeof text === "object" ? [...textsOf(text, `${path}${name}.`)] : [[`${path}${name}`, text] as const]
    ),
  );
}

/** Who is mentioned in a text: `@` and a name, which may have spaces. */
import { codeSpans } from "./code_spans.ts";

/** Addresses, and links as Markdown writes them with what stands in them. */
const LINKS = /\[[^\]\n]*\]\([^()\s]*\)|\bhttps?:\/\/\S+/gi;
/** What goes on as one word: `@Ann-Marie` and `@Ann_2` mention no Ann; `@Ann's` and `@Ann.` do. */
const GOES_ON = /^(?:[\p{L}\p{M}\p{N}_]|-[\p{L}\p{N}])/u;
/**
 * What Korean writes at the end of a name, without a space: a title, a plural, then particles. Several have one form
 * behind a consonant and one behind a vowel, which tells `@민수야` from the name 민수아.
 */
const TITLE = "(?:님|씨|군|양|쌤|선배|선배님|형|누나|언니|오빠)?(?:들)?";
const PARTICLE = "(?:에게서|에게|한테서|한테|께서|께|의|에|도|만|까지|부터|보다|처럼|같이|하고|마다|조차|밖에)?";
const BEHIND_CONSONANT = "(?:아|이야|이여|이|은|을|과|이랑|으로|이라고|이라|이요|이에요|이나)?";
const BEHIND_VOWEL = "(?:야|여|가|는|를|와|랑|로|라고|라|요|예요|나)?";
const TOPIC = "(?:는|도|만|요)?";

const particles = new Map(
  [BEHIND_CONSONANT, BEHIND_VOWEL].map((form) => [form, new RegExp(`^(?:${PARTICLE}${TOPIC}|${form})$`)]),
);
const titles = new RegExp(`^${TITLE}`);

/**
 * Whether a text mentions someone: `@` and their name, in any case and width, with nothing behind it that makes it
 * another name. `@User 482` is not User 48, and `@Anna` is not Ann. Korean titles and particles make no other name:
 * `@민수님`, `@민수야` and `@Ann은` mention 민수 and Ann, `@민수정` and `@민수아` mention neither. There are no mentions in code,
 * in links and in addresses (`a@example.org`).
 *
 * A text knows no names but this one: where there are an Ann and an Ann Lee, `@Ann Lee` mentions both.
 */
export function mentions(text: string, name: string): boolean {
  if (name === "" || !text.includes("@") && !text.includes("＠")) return false;
  const plain = fold(withoutCode(text).replaceAll(LINKS, " "));
  const sought = `@${fold(name)}`;
  for (let at = plain.indexOf(sought); at !== -1; at = plain.indexOf(sought, at + 1)) {
    if (isAlone(plain.slice(0, at)) && endsName(sought, plain.slice(at + sought.length))) return true;
  }
  return false;
}

function withoutCode(text: string): string {
  let plain = "";
  let end = 0;
  for (const span of codeSpans(text)) {
    if (!span.certain) continue;
    plain += `${text.slice(end, span.start)} `;
    end = span.end;
  }
  return plain + text.slice(end);
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase().normalize("NFKC");
}

/** Whether an `@` behind this begins a mention, and is not the middle of an address. */
function isAlone(before: string): boolean {
  return !/[\p{L}\p{N}_.+-]$/u.test(before) || /[가-힣]$/.test(before) || /[^\p{L}\p{N}]\.$/u.test(before);
}

function endsName(name: string, after: string): boolean {
  if (!GOES_ON.test(after)) return true;
  const [hangul] = /^[가-힣]*/.exec(after)!;
  if (hangul === "" || GOES_ON.test(after.slice(hangul.length))) return false;
  const [title] = titles.exec(hangul)!;
  return [title, ""].some((title) => isParticle(name + title, hangul.slice(title.length)));
}

/** Whether Korean has this as particles behind that word. Behind letters without a sound of their own, either form. */
function isParticle(word: string, ending: string): boolean {
  const last = word.charCodeAt(word.length - 1) - 0xac00;
  const isSyllable = last >= 0 && last < 11_172;
  return [...particles].some(([form, pattern]) => {
    if (isSyllable && (last % 28 === 0) !== (form === BEHIND_VOWEL) && !isLikeVowel(last, ending)) return false;
    return pattern.test(ending);
  });
}

/** 로 stands behind ㄹ as it does behind a vowel. */
function isLikeVowel(syllable: number, ending: string): boolean {
  return syllable % 28 === 8 && ending.startsWith("로");
}

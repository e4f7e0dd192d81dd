import { fold, skeleton } from "./look_alikes.ts";
import { codePoints } from "../limits/text_length.ts";
import { NAME_LIMIT } from "../protocol.ts";
import { ChatError } from "../errors.ts";

/** Emoji are joined by characters that are invisible elsewhere (U+200D, U+FE0F, tags), so they are set aside first. */
const EMOJI = /\p{RGI_Emoji}/gv;
/**
 * Control, format (the bidi overrides among them), private and unassigned characters, invisible ones, and letters and
 * signs that are blank though Unicode counts them as such.
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\u{13441}\u{13442}\u{16FE4}\u{1D159}]/u;
/** A mark with nothing below it: it would be drawn on whatever precedes the name. */
const LONE_MARK = /(?:^|\p{Z})\p{M}/u;
const LATIN = /\p{Script=Latin}/u;
const LOOKS_LATIN = /[\p{Script=Cyrillic}\p{Script=Greek}]/u;
/** The skeleton of `User 482`. */
const GIVEN = /^user[lo\p{Nd}]+$/u;
/** At least as many letters as a given name has digits, all of which look like digits. */
const DIGITLESS = /[IlO|]{3,}$/;
/** Skeletons of names that only the operators of a chat should have, with or without a number. */
const RESERVED = new RegExp(
  `^(?:${
    ["moderator", "admin", "administrator", "system", "관리자", "운영자", "시스템"].map(skeleton).join("|")
  })[s님]?[lo\\p{Nd}]*$`,
  "u",
);

/**
 * A name that a person chose, without white space at its ends and doubled inside.
 * @throws {ChatError} `bad_name`
 */
export function chosenName(asked: string): string {
  const name = asked.length > 16 * NAME_LIMIT ? "" : asked.normalize("NFC").trim().replaceAll(/\p{Zs}+/gu, " ");
  if (name === "" || codePoints(name) > NAME_LIMIT) {
    throw new ChatError("bad_name", `A name has 1 to ${NAME_LIMIT} characters. Choose another one.`);
  }
  const seen = name.replaceAll(EMOJI, "x");
  if (UNSEEN.test(seen) || LONE_MARK.test(seen)) {
    throw new ChatError("bad_name", "A name has no control or invisible characters. Choose another one.");
  }
  if (name.split(/[^\p{L}\p{M}\p{N}]+/u).some((word) => LATIN.test(word) && LOOKS_LATIN.test(word))) {
    throw new ChatError(
      "bad_name",
      "A word in a name does not mix Latin with Cyrillic or Greek letters. Choose another one.",
    );
  }
  const looks = skeleton(name);
  if (GIVEN.test(looks) && (/\p{N}/u.test(name + looks) || DIGITLESS.test(name))) {
    throw new ChatError("bad_name", 'Names that look like "User 482" are given by the server. Choose another one.');
  }
  if (RESERVED.test(looks)) {
    throw new ChatError("bad_name", "This name is kept for those who run the chat. Choose another one.");
  }
  return name;
}

/** A dot above a letter that already has one is invisible: `i` and `i̇`. */
const DOUBLE_DOT = /(\p{Soft_Dotted}(?:(?!\u0307)\p{M})*)\u0307+/gu;

const ASCII = /^[\x20-\x7e]*$/;

/** A key that is the same for any two names that nobody could tell apart: NFKC, case folding, and no second dots. */
export function nameKey(name: string): string {
  // Given names are ASCII, and so is what most people choose: there, all of this is lower case.
  if (ASCII.test(name)) return name.toLowerCase();
  return fold(name.normalize("NFKC")).normalize("NFKD").replaceAll(DOUBLE_DOT, "$1").normalize("NFKC");
}

/** How many people of one external name get a number. */
const NAMESAKES = 100;

/** A name from an external account, then the same with numbers for namesakes; none if the name is not allowed here. */
export function* numberedNames(externalName: string): Generator<string> {
  try {
    const name = chosenName(externalName);
    yield name;
    for (let number = 2; number <= NAMESAKES; number++) {
      const end = ` ${number}`;
      yield chosenName([...name].slice(0, NAME_LIMIT - end.length).join("") + end);
    }
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
  }
}

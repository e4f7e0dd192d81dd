/**
 * Rooms of one's own: their names can't be guessed. Such a name is a stem, a hyphen, and 17 characters: 16 with 80 random
 * bits, and one that is computed from them. By that one such names are told from all others, without anybody's having to
 * keep a list of them: `team-alphabetical` is an ordinary name, and so is nearly every one with a date or a hash in it.
 */
import { ROOM_NAME_LIMIT } from "../../chat/protocol.ts";

/** Crockford's base 32 in lower case: nothing in it is taken for something else (no i, l, o), and no word is made of it. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const RANDOM_BYTES = 10;
const RANDOM_CHARACTERS = 16;
const UNGUESSABLE = new RegExp(`^(.+)-([${ALPHABET}]{${RANDOM_CHARACTERS}})([${ALPHABET}])$`, "u");

/**
 * A room's name that nobody can guess.
 * @param stem a room's name by itself; it is shortened where the result would be too long
 * @param random fills bytes, as `crypto.getRandomValues` does
 */
export function newRoomName(stem: string, random: (bytes: Uint8Array<ArrayBuffer>) => void): string {
  const bytes = new Uint8Array(RANDOM_BYTES);
  random(bytes);
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const secret = bits.replaceAll(/.{5}/g, (five) => ALPHABET[parseInt(five, 2)]);
  const short = [...stem].slice(0, ROOM_NAME_LIMIT - RANDOM_CHARACTERS - 2).join("");
  return `${short}-${secret}${check(secret)}`;
}

export interface DisplayName {
  /** What people call the room. */
  name: string;
  /** Only people with the link can find it. */
  isUnlisted: boolean;
}

/** The name under which a room is shown: of one that can't be guessed, its stem. */
export function displayName(room: string): DisplayName {
  const [, stem, secret, last] = UNGUESSABLE.exec(room) ?? [];
  return secret && check(secret) === last ? { name: stem, isUnlisted: true } : { name: room, isUnlisted: false };
}

/** Odd factors, so that any other character in one place gives another result. */
function check(secret: string): string {
  let sum = 0;
  for (let at = 0; at < secret.length; at++) sum += ALPHABET.indexOf(secret[at]) * (2 * at + 1);
  return ALPHABET[sum % ALPHABET.length];
}

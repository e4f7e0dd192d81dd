/** What calls that read take in their addresses. */
import * as v from "valibot";
import { PAGE_SIZE, PAGE_SIZE_LIMIT } from "../../chat/protocol.ts";
import { ChatError } from "../../chat/errors.ts";

/** UTF-16 units that the id of a person may have in an address: far more than any has. */
export const USER_LIMIT = 256;

/** A place in a log, as `wholeNumber` reads it. */
export const place = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10 ** 15 - 1));

/** How much a page may have; values out of range are clamped. */
export const limitOf = (words: string, usual: number) =>
  v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PAGE_SIZE_LIMIT), v.description(words)),
    usual,
  );
export const pageLimit = limitOf("How many messages there may be.", PAGE_SIZE);

/** The person after whom a page of people begins. */
export const afterPerson = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(USER_LIMIT),
  v.description("The `user` after whom the page begins: the last one of the page before."),
);

/**
 * A number in a query, read by the URL's own parser: Hono's throws at each broken escape, of which a request can have
 * thousands.
 * @throws {ChatError} `bad_frame`
 */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null ? undefined : asWholeNumber(text, name);
}

/** The place in an address. @throws {ChatError} `bad_frame` */
export function asWholeNumber(text: string, name: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ChatError("bad_frame", `"${name}" is a whole number.`);
}

/** The id of a person in a query. @throws {ChatError} `bad_frame` */
export function personIn(query: URLSearchParams, name: string): string | undefined {
  const user = query.get(name);
  if (user === null) return undefined;
  if (user !== "" && user.length <= USER_LIMIT) return user;
  throw new ChatError("bad_frame", `"${name}" is the user of a person, as messages and lists of people have it.`);
}

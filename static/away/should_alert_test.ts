import assert from "node:assert/strict";
import { type AlertCase, shouldAlert } from "./should_alert.ts";

/** A mention in a room that tells of mentions, while nobody sees the page. */
const mention: AlertCase = {
  level: "mentions",
  mention: true,
  isRoomMuted: false,
  isAuthorMuted: false,
  isPageVisible: false,
  mayNotify: true,
  mayChime: true,
};
const plain = { mention: false };
const [both, neither] = [{ notify: true, chime: true }, { notify: false, chime: false }];

for (
  const [rule, changed, expected] of [
    ["a mention is told", {}, both],
    ["a plain message is not", plain, neither],
    ["unless one wishes to hear of everything", { ...plain, level: "everything" }, both],
    ["which includes mentions", { level: "everything" }, both],
    ["a room of which one wishes to hear nothing is silent, also about mentions", { level: "nothing" }, neither],
    ["a muted room is silent, also about mentions", { isRoomMuted: true, level: "everything" }, neither],
    ["a muted person is not heard", { isAuthorMuted: true, level: "everything" }, neither],
    ["who sees the page sees there what is new", { isPageVisible: true, level: "everything" }, neither],
    ["without a permission there is still the sound", { mayNotify: false }, { notify: false, chime: true }],
    ["the sound is a choice of its own", { mayChime: false }, { notify: true, chime: false }],
    ["with neither there is nothing", { mayNotify: false, mayChime: false }, neither],
  ] satisfies [string, Partial<AlertCase>, ReturnType<typeof shouldAlert>][]
) Deno.test(rule, () => assert.deepEqual(shouldAlert({ ...mention, ...changed }), expected));

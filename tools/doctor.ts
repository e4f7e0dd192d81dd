/**
 * `deno task doctor URL [--seconds=10] [--token=TOKEN]`: for whoever has just deployed. It comes as the users do, says
 * in plain sentences what is off and how to change it, and ends with code 1 if anything is.
 */
import { systemClock } from "../chat/clock.ts";
import { HELP, readArguments } from "./doctor/arguments.ts";
import { examine } from "./doctor/examine.ts";
import { wishOf } from "./wish.ts";

/** Milliseconds to wait for what must come, and above which a message is slow. */
const TIMEOUT = 10_000;
const SLOW = 1_000;

const wish = wishOf(readArguments(Deno.args), HELP);
let off = 0;
for await (const finding of examine({ ...wish, timeout: TIMEOUT, slow: SLOW, clock: systemClock })) {
  console.log(`${finding.well ? "✓" : "✗"} ${finding.sentence}`);
  if (!finding.well) off++;
}
console.log(off === 0 ? "All is well." : "Something is off.");
Deno.exit(off === 0 ? 0 : 1);

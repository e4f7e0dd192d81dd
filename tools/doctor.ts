/**
 * `deno task doctor URL [--seconds=10] [--token=TOKEN]`: for whoever has just deployed. It comes as the users do, says in
 * plain sentences what is off and how to change it, and ends with code 1 if anything is.
 */
import { parseArgs } from "node:util";
import { systemClock } from "../chat/clock.ts";
import { examine } from "./doctor/examine.ts";

/** Milliseconds to wait for what must come, and above which a message is slow. */
const PATIENCE = 10_000;
const SLOW = 1_000;

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: { seconds: { type: "string", default: "10" }, token: { type: "string" } },
});
const address = URL.parse(positionals[0] ?? "");
const seconds = Number(values.seconds);
if (!address || !/^https?:$/.test(address.protocol) || !(seconds > 0 && seconds <= 3_600)) {
  console.error("Say which server, and for how long: deno task doctor https://chat.example --seconds=10");
  Deno.exit(1);
}
let off = 0;
for await (
  const { well, sentence } of examine(address, {
    seconds,
    patience: PATIENCE,
    slow: SLOW,
    token: values.token,
    clock: systemClock,
  })
) {
  console.log(`${well ? "✓" : "✗"} ${sentence}`);
  if (!well) off++;
}
console.log(off === 0 ? "All is well." : "Something is off.");
Deno.exit(off === 0 ? 0 : 1);

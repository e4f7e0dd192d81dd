// Not in deno.json's imports, all of which every `deno task start` would download.
export { default } from "npm:fast-check@^4.10";

// Not in deno.json's imports, all of which every `deno task start` would download.
export { default } from "npm:jsqr@^1.4";

// Not in deno.json's imports, all of which every `deno task start` would download.
export { default } from "npm:@sparticuz/chromium@^153";

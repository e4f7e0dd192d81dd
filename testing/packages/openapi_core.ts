// Not in deno.json's imports, all of which every `deno task start` would download.
export { createConfig, lintFromString } from "npm:@redocly/openapi-core@^2.64";

/** The client of Redis, which is downloaded when this file is loaded: whoever keeps words elsewhere has no use for it. */
// Of a name in an import Deno would download the package before anything runs.
const name = "npm:redis@^6.3";
export const { createClient }: typeof import("npm:redis@^6.3") = await import(name);

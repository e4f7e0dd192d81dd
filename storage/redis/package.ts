/** The client of Redis. It is downloaded when this file is loaded, because only those who use Redis need it. */
// Deno would download a package that is named in the import itself before anything runs.
const name = "npm:redis@^6.3";
export const { createClient }: typeof import("npm:redis@^6.3") = await import(name);

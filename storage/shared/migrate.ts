/** What the operator does about a store that an older version has written. */
export const HOW_TO_MIGRATE = "Stop every server that uses it, then run deno task migrate once.";

import assert from "node:assert/strict";
import { addressHash } from "./address_hash.ts";

Deno.test("an address has one hash a secret, and this machine's own has none", () => {
  const [hash, other] = [addressHash("one secret"), addressHash("another")];
  assert.equal(hash("203.0.113.7"), hash("203.0.113.7"));
  assert.notEqual(hash("203.0.113.7"), hash("203.0.113.8"));
  assert.notEqual(hash("203.0.113.7"), other("203.0.113.7"));
  assert.match(hash("2001:db8:0:1::/64")!, /^[\w-]{22}$/);
  for (const own of ["127.0.0.1", "127.8.8.8", "::1", "local"]) assert.equal(hash(own), undefined);
});

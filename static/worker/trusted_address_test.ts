import assert from "node:assert/strict";
import { type PolicyFactory, trustedAddress } from "./trusted_address.ts";

Deno.test("the page's policy trusts the service worker's own address, and nothing else", () => {
  const made: { name: string; trust: (url: string) => string }[] = [];
  const factory: PolicyFactory = {
    createPolicy(name, { createScriptURL: trust }) {
      made.push({ name, trust });
      return { createScriptURL: (url) => ({ trusted: trust(url) }) };
    },
  };
  assert.deepEqual(trustedAddress("/chat/service-worker.js", factory), { trusted: "/chat/service-worker.js" });
  const [{ name, trust }, ...others] = made;
  assert.deepEqual([name, others], ["parley", []]);
  for (
    const url of [
      "",
      "/service-worker.js",
      "/chat/service-worker.js?",
      "/chat/service-worker.js#",
      "data:text/javascript,1",
    ]
  ) assert.throws(() => trust(url), TypeError, url);
  assert.equal(trustedAddress("/service-worker.js", undefined), "/service-worker.js");
});

import assert from "node:assert/strict";
import { browserOf, type Environment, supportIn } from "./support.ts";

const SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)";

Deno.test("browsers whose settings have the same words are known as one", () => {
  const chrome =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
  for (
    const [browser, userAgent, touchPoints = 0] of [
      ["chrome", chrome],
      ["chrome", `${chrome} Edg/142.0.0.0`],
      ["firefox", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"],
      ["safari", `${SAFARI} Version/26.0 Safari/605.1.15`],
      ["ios", `${SAFARI} Version/26.0 Safari/605.1.15`, 5],
      [
        "ios",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 CriOS/142.0 Mobile Safari/604.1",
      ],
      ["other", "Lynx/2.9"],
    ] as const
  ) assert.equal(browserOf(userAgent, touchPoints), browser, userAgent);
});

Deno.test("where there are no notifications, the reason is the one that can be removed", () => {
  const usual: Environment = { isSecure: true, isInstalled: false, browser: "chrome", permission: "default" };
  const missing = { ...usual, permission: undefined };
  assert.equal(supportIn(usual), "default");
  assert.equal(supportIn({ ...usual, permission: "denied" }), "denied");
  assert.equal(supportIn({ ...usual, isSecure: false, permission: "denied" }), "insecure", "browsers then always deny");
  assert.equal(supportIn(missing), "unsupported");
  assert.equal(supportIn({ ...missing, browser: "ios" }), "not_installed");
  assert.equal(supportIn({ ...missing, browser: "ios", isInstalled: true }), "unsupported");
});

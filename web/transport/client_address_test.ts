import assert from "node:assert/strict";
import { isDirectLocal, isLoopback, networkOf, TrustedProxies } from "./client_address.ts";

const ask = (headers: Record<string, string> = {}, url = "http://chat.example/") => new Request(url, { headers });
const from = (hostname: string): Deno.Addr => ({ transport: "tcp", hostname, port: 50_000 });
const never = (sentence: string) => assert.fail(sentence);
const key = (hops: number, forwarded: string, peer = "10.0.0.1") =>
  new TrustedProxies(hops, never).addressKey(ask({ "x-forwarded-for": forwarded }), from(peer));

Deno.test("without a trusted proxy the address is the connection's, whatever headers say, and that is warned of once", () => {
  const warnings: string[] = [];
  const proxies = new TrustedProxies(0, (sentence) => warnings.push(sentence));
  assert.equal(proxies.addressKey(ask(), from("203.0.113.9")), "203.0.113.9");
  assert.equal(warnings.length, 0);
  for (const name of ["X-Forwarded-For", "Forwarded", "X-Real-IP"]) {
    assert.equal(proxies.addressKey(ask({ [name]: "198.51.100.1" }), from("203.0.113.9")), "203.0.113.9");
  }
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /TRUST_PROXY/);
});

Deno.test("trusted proxies are counted from the right, so that what a client forges is never reached", () => {
  assert.equal(key(1, "203.0.113.9"), "203.0.113.9");
  assert.equal(key(1, "127.0.0.1, 198.51.100.1, 203.0.113.9"), "203.0.113.9");
  assert.equal(key(2, "127.0.0.1, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
  assert.equal(key(1, "203.0.113.9:40312"), "203.0.113.9");
  assert.equal(key(1, "[2001:db8::7]:40312"), "2001:db8:0:0::/64");
});

Deno.test("where the forwarded address is none, or there are fewer than proxies, the connection's own counts", () => {
  for (const forwarded of ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "::g", "x".repeat(5_000), "203.0.113.9,"]) {
    assert.equal(key(1, forwarded), "10.0.0.1", forwarded);
  }
  assert.equal(key(2, "203.0.113.9"), "10.0.0.1");
  assert.equal(new TrustedProxies(1, never).addressKey(ask(), from("10.0.0.1")), "10.0.0.1");
});

Deno.test("an IPv6 address counts by its /64, however it is written, and IPv4 in IPv6 as IPv4", () => {
  const proxies = new TrustedProxies(0, never);
  const peer = (hostname: string) => proxies.addressKey(ask(), from(hostname));
  assert.equal(peer("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(peer("2001:0DB8:0001:0002::9"), peer("2001:db8:1:2:ffff::"));
  assert.notEqual(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
  assert.equal(peer("2001:db8::1"), "2001:db8:0:0::/64");
  assert.equal(peer("::ffff:203.0.113.9"), "203.0.113.9");
  assert.equal(peer("fe80::1%eth0"), "fe80:0:0:0::/64");
  assert.equal(peer("::1"), "::1");
});

Deno.test("the machine itself is known as such, also in IPv6's clothes", () => {
  const proxies = new TrustedProxies(0, never);
  for (const here of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]) {
    assert.ok(isLoopback(proxies.addressKey(ask(), from(here))), here);
  }
  for (const there of ["203.0.113.9", "::2", "fe80::1"]) {
    assert.ok(!isLoopback(proxies.addressKey(ask(), from(there))), there);
  }
});

Deno.test("only who asks on this machine, for this machine, is local", () => {
  const local = (url: string, peer = "127.0.0.1", headers = {}) => isDirectLocal(ask(headers, url), from(peer));
  for (const url of ["http://localhost:8000/", "http://127.0.0.1/", "http://127.1/", "http://[::1]:8000/"]) {
    assert.ok(local(url), url);
  }
  assert.ok(local("http://localhost/", "::1"));
  // Names that anybody can have lead here: a page under them would read what is for this machine.
  for (
    const name of ["chat.example", "127.0.0.1.evil.example", "127.evil.example", "local", "localhost.evil.example"]
  ) {
    assert.ok(!local(`http://${name}/`), name);
  }
  assert.ok(!local("http://localhost/", "203.0.113.9"));
  for (const name of ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "via"]) {
    assert.ok(!local("http://localhost/", "127.0.0.1", { [name]: "127.0.0.1" }), name);
  }
});

Deno.test("logs show the network that somebody comes from, not the household", () => {
  assert.equal(networkOf("203.0.113.9"), "203.0.113.0/24");
  assert.equal(networkOf("2001:db8:1:2::/64"), "2001:db8:1::/48");
  assert.equal(networkOf("::1"), "::1");
});

Deno.test("TLS that a trusted proxy ended counts as TLS, what a client claims does not", () => {
  const secure = (hops: number, headers: Record<string, string>, url?: string) =>
    new TrustedProxies(hops, never).isSecure(ask(headers, url));
  assert.ok(secure(0, {}, "https://chat.example/"));
  assert.ok(!secure(0, { "x-forwarded-proto": "https" }));
  assert.ok(secure(1, { "x-forwarded-proto": "https" }));
  assert.ok(!secure(1, { "x-forwarded-proto": "https, http" }));
  assert.ok(secure(2, { "x-forwarded-proto": "https" }), "most proxies set it instead of adding to it");
  assert.ok(!secure(1, {}));
});

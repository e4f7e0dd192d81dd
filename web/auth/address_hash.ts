import { createHmac } from "node:crypto";
import { isLoopback } from "../transport/client_address.ts";

/** Bytes of a hash: no two addresses are likely to have the same. */
const HASH_BYTES = 16;

/**
 * Makes a function that gives the form in which a banned address is kept. Without the secret nobody can tell which
 * address it was, though there are few enough addresses to try them all.
 * @returns undefined for this machine's own address, from which everyone comes if a proxy on it is not trusted
 */
export function addressHash(secret: string): (addressKey: string) => string | undefined {
  return (addressKey) => {
    if (isLoopback(addressKey)) return undefined;
    const hash = createHmac("sha256", secret).update(`banned address ${addressKey}`).digest();
    return new Uint8Array(hash).subarray(0, HASH_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
  };
}

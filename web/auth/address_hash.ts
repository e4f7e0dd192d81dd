import { createHmac } from "node:crypto";
import { isLoopback } from "../transport/client_address.ts";

/** Bytes of a hash: no two of all addresses are likely to have the same. */
const HASH_BYTES = 16;

/**
 * Gives the form in which a banned address is kept: without the secret it can't be told which address it was, though
 * there are few enough addresses to try them all.
 * @returns a function of an address's key; undefined for this machine's own, from which everyone comes where a proxy on
 *   it is not trusted
 */
export function addressHash(secret: string): (addressKey: string) => string | undefined {
  return (addressKey) => {
    if (isLoopback(addressKey)) return undefined;
    const hash = createHmac("sha256", secret).update(`banned address ${addressKey}`).digest();
    return new Uint8Array(hash).subarray(0, HASH_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
  };
}

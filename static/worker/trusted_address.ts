/** What is used of the browser's Trusted Types, which TypeScript doesn't know. */
export interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): {
    createScriptURL(url: string): unknown;
  };
}

/**
 * The service worker's address in the form that the page's security policy (`trusted-types parley`) lets a browser load:
 * the one policy that there can be returns this address, and nothing else.
 * @param address whole, or without its host
 * @param factory undefined where the browser has none: then any text is good
 */
export function trustedAddress(address: string, factory: PolicyFactory | undefined): string {
  if (!factory) return address;
  const policy = factory.createPolicy("parley", {
    createScriptURL(url) {
      if (url !== address) throw new TypeError("Only the service worker's own address is trusted.");
      return url;
    },
  });
  // The browser takes such an object wherever it takes a text.
  return policy.createScriptURL(address) as string;
}

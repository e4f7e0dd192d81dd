/**
 * The members of a header that holds a list, as RFC 9110 has them (5.6.1): whatever white space around the commas, and
 * none that is empty.
 */
export function listIn(header: string | null): string[] {
  // Not `trim`, which takes away what is no white space there (U+00A0).
  return (header ?? "").split(",").map((member) => member.replace(/^[ \t]+|[ \t]+$/g, "")).filter((member) =>
    member !== ""
  );
}

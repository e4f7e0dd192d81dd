/** QR codes, drawn as nodes. */

/** What is used of `lean-qr`, whose own types Deno can't read. */
type Generate = (text: string) => { readonly size: number; get(x: number, y: number): boolean };

/** Light modules around the code, without which a camera may not find it (ISO 18004). */
const QUIET_ZONE = 4;
const SVG = "http://www.w3.org/2000/svg";

/**
 * A picture of a text for a phone's camera: dark on light in every theme.
 * @param label what it is, for who can't see it
 * @throws {TypeError} if the code that makes it could not be loaded
 */
export async function qrCode(text: string, label: string): Promise<SVGSVGElement> {
  const { generate }: { generate: Generate } = await import("../vendor/lean_qr.js");
  const code = generate(text);
  const width = code.size + 2 * QUIET_ZONE;
  let path = "";
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) if (code.get(x, y)) path += `M${x + QUIET_ZONE} ${y + QUIET_ZONE}h1v1h-1z`;
  }
  const picture = document.createElementNS(SVG, "svg");
  picture.classList.add("qr");
  picture.setAttribute("viewBox", `0 0 ${width} ${width}`);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", label);
  const dark = document.createElementNS(SVG, "path");
  dark.setAttribute("d", path);
  picture.append(dark);
  return picture;
}

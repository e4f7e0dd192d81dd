/**
 * Draws `static/favicon.svg` as the icons of the installed page, `static/icons/*.png`. To be run after that drawing or a
 * colour has changed, with `deno run --lock=all.lock -A tools/icons.ts`. The files are checked in, because a server has
 * no browser to make them with.
 */
import { launchChromium } from "../testing/browser/chromium.ts";

/** As in `static/styles/base.css`, in light. */
const [GROUND, MARK] = ["#0b665e", "#faf9f6"];

/**
 * `mark`: the share of the width that the drawing has. A system may cut a maskable icon down to a circle of 80 % of its
 * width. `round`: the corners' radius as a share of the width; systems round the other icons themselves.
 */
const ICONS = [
  { name: "icon-192", size: 192, mark: 0.76, round: 0.15 },
  { name: "icon-512", size: 512, mark: 0.76, round: 0.15 },
  { name: "maskable-192", size: 192, mark: 0.56, round: 0 },
  { name: "maskable-512", size: 512, mark: 0.56, round: 0 },
  { name: "apple-touch-icon", size: 180, mark: 0.66, round: 0 },
];

const root = new URL("../static/", import.meta.url);
const drawing = await Deno.readTextFile(new URL("favicon.svg", root));
const paths = [...drawing.matchAll(/<path d="([^"]+)"/g)].map(([, path]) => path);
const browser = await launchChromium();
try {
  const page = await browser.newPage();
  for (const { name, size, mark, round } of ICONS) {
    await page.setViewportSize({ width: size, height: size });
    const scale = mark * size / 32;
    const edge = (1 - mark) / 2 * size;
    await page.setContent(`<!doctype html><body style="margin: 0"><svg width="${size}" height="${size}">
      <rect width="${size}" height="${size}" rx="${round * size}" fill="${GROUND}"/>
      <g transform="translate(${edge} ${edge}) scale(${scale})" fill="${MARK}">
        ${paths.map((path) => `<path d="${path}"/>`).join("")}
      </g>
    </svg>`);
    const path = new URL(`icons/${name}.png`, root).pathname;
    await page.screenshot({ path, omitBackground: true });
    console.log(`${path}: ${(await Deno.stat(path)).size} bytes`);
  }
} finally {
  await browser.close();
}

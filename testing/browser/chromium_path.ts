import { tmpdir } from "node:os";

/** Names under which systems install it. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** No sandbox, because tests also run as root; nothing that talks to the network by itself. */
export const CHROMIUM_ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A real browser: the Chromium on the PATH where there is one, else the one that comes inside a package. */
export async function chromiumPath(): Promise<string> {
  return await installed() ?? await packaged();
}

async function installed(): Promise<string | null> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of NAMES) {
      const path = `${folder}/${name}`;
      if (await Deno.stat(path).then((file) => file.isFile, () => false)) return path;
    }
  }
  return null;
}

/** Unpacks it below the temporary folder, once a machine. */
async function packaged(): Promise<string> {
  // The package brings the system libraries it needs, and unpacks them only where it takes itself to be on AWS Lambda.
  Deno.env.set("AWS_LAMBDA_JS_RUNTIME", "nodejs22.x");
  const { default: sparticuz } = await import("@sparticuz/chromium");
  // Tests that run at the same time would find it half unpacked.
  using turn = await Deno.open(`${tmpdir()}/parley-chromium.lock`, { create: true, write: true });
  await turn.lock(true);
  return await sparticuz.executablePath();
}

import { type Browser, chromium } from "playwright-core";
import { CHROMIUM_ARGUMENTS, chromiumPath } from "./chromium_path.ts";

export async function launchChromium(): Promise<Browser> {
  return await chromium.launch({ executablePath: await chromiumPath(), args: CHROMIUM_ARGUMENTS, headless: true });
}

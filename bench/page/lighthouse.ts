/** Lighthouse as it looks at a page for a phone. It runs in Deno, in a process of its own. */
import { Browser } from "./browser.ts";

export const LIGHTHOUSE = "13.5.0";
export const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"] as const;
export type Category = typeof CATEGORIES[number];

/** The figures that make the category "performance", as Lighthouse calls them. */
export const METRICS = {
  "first-contentful-paint": "first contentful paint",
  "largest-contentful-paint": "largest contentful paint",
  "speed-index": "speed index",
  "total-blocking-time": "total blocking time",
  "cumulative-layout-shift": "layout shift",
} as const;
export type Metric = keyof typeof METRICS;

export interface Verdict {
  /** Of 100. */
  scores: Record<Category, number>;
  /** As Lighthouse writes them, such as `3.7 s`. */
  metrics: Record<Metric, string>;
  /** What costs points. */
  costs: string[];
}

/** What is read of its report. */
interface Report {
  runtimeError?: { message: string };
  categories: Record<Category, { score: number | null; auditRefs: { id: string; weight: number }[] }>;
  audits: Record<string, { score: number | null; title: string; displayValue?: string }>;
}

/** @throws {Error} where it does not run, or can't be downloaded */
export async function lighthouse(url: string): Promise<Verdict> {
  const browser = await Browser.launch();
  try {
    // With a lock of its own: it brings more packages than all the rest, and all.lock is read at each start.
    const lock = new URL("lighthouse.lock", import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-config", "--node-modules-dir=none", `--lock=${lock}`, "--frozen", "--allow-all"],
        `npm:lighthouse@${LIGHTHOUSE}`,
        ...[
          url,
          `--port=${browser.port}`,
          "--output=json",
          "--quiet",
          "--no-enable-error-reporting",
          `--only-categories=${CATEGORIES.join()}`,
        ],
      ],
    }).output();
    if (!success) throw new Error(complaint(stderr));
    return verdict(JSON.parse(new TextDecoder().decode(stdout)));
  } finally {
    await browser.close();
  }
}

/** What went wrong, out of all that it wrote. */
function complaint(bytes: Uint8Array): string {
  const lines = new TextDecoder().decode(bytes).trim().split("\n");
  return lines.find((line) => /error/i.test(line)) ?? lines[0];
}

export function verdict({ runtimeError, categories, audits }: Report): Verdict {
  if (runtimeError) throw new Error(runtimeError.message);
  const scores = CATEGORIES.map((name) => [name, Math.round((categories[name].score ?? 0) * 100)]);
  const metrics = Object.keys(METRICS).map((id) => [id, audits[id].displayValue?.replaceAll("\u00a0", " ") ?? ""]);
  const costs = CATEGORIES.flatMap((name) =>
    categories[name].auditRefs.filter(({ id, weight }) => weight > 0 && (audits[id].score ?? 1) < 1).map(({ id }) => {
      const { score, title } = audits[id];
      return `${title} (${name}: ${Math.round((score ?? 0) * 100)} of 100)`;
    })
  );
  return { scores: Object.fromEntries(scores), metrics: Object.fromEntries(metrics), costs };
}

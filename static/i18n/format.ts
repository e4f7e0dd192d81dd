/** Numbers and lengths of time as a language writes them. */

export type Language = "en" | "ko";

/** A sentence with a count in the place of `{n}`, in the form that the language has for that count. */
export function plural(language: Language, count: number, forms: { one?: string; other: string }): string {
  const { numbers, rules } = formats(language);
  const form = rules.select(count) === "one" ? forms.one ?? forms.other : forms.other;
  return form.replace("{n}", numbers.format(count));
}

/** Characters of Hebrew, Arabic and the other scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** A name as a part of a sentence, which keeps its own order where the name is written in the other direction. */
export function isolated(name: string): string {
  return RIGHT_TO_LEFT.test(name) ? `\u2068${name}\u2069` : name;
}

interface Formats {
  numbers: Intl.NumberFormat;
  rules: Intl.PluralRules;
}
const made = new Map<Language, Formats>();

/** To make these takes longer than to use them, and a busy page counts on every frame of the screen. */
function formats(language: Language): Formats {
  const found = made.get(language) ??
    { numbers: new Intl.NumberFormat(language), rules: new Intl.PluralRules(language) };
  made.set(language, found);
  return found;
}

/** A length of time in its largest whole unit: `90` is 90 seconds, `3600` is an hour. */
export function duration(language: Language, seconds: number): string {
  const units = [["year", 365 * 86_400], ["month", 30 * 86_400], ["week", 7 * 86_400], ["day", 86_400]] as const;
  const all = [...units, ["hour", 3_600] as const, ["minute", 60] as const, ["second", 1] as const];
  const [unit, size] = all.find(([, size]) => seconds % size === 0)!;
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(seconds / size);
}

/** A day and a time of day, where the reader is. */
export function moment(language: Language, date: number): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }).format(date);
}

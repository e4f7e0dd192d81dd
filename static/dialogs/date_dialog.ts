import type { Locale } from "../i18n/locale.ts";
import { createFieldDialog } from "./field_dialog.ts";

/**
 * Asks for a day, and goes to its first message.
 * @param goTo takes the beginning of the day in the browser's time zone, in milliseconds since 1970
 */
export function createDateDialog({ strings }: Locale, goTo: (day: number) => void): { open(): void } {
  const dialog = createFieldDialog(strings, {
    title: strings.jumpToDate,
    label: strings.dateField,
    hint: strings.dateHint,
    submit: strings.go,
    type: "date",
  }, (value) => {
    const [year, month, day] = value.split("-").map(Number);
    if (!day) return strings.dateHint;
    goTo(new Date(year, month - 1, day).getTime());
    return null;
  });
  return { open: () => dialog.open(today()) };
}

/** Today in the form that a field for a date takes. */
function today(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

import type { Rate, Rates } from "../chat/limits/token_bucket.ts";

const UNLIMITED: Rate = { perSecond: 0, burst: 0 };
/** Nobody is held back. */
export const NO_LIMITS: Rates = {
  messages: UNLIMITED,
  joins: UNLIMITED,
  renames: UNLIMITED,
  signals: UNLIMITED,
  reads: UNLIMITED,
  malformed: UNLIMITED,
  newcomers: UNLIMITED,
  connections: 0,
  answers: 0,
  rooms: 0,
};

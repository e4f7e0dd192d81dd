import { PAGE_BYTES } from "../../chat/storage.ts";

const encoder = new TextEncoder();

/**
 * Takes rows for one page: at most `limit`, at most `PAGE_BYTES` of JSON, but one at least.
 * `more` tells that rows were left.
 */
export function fillPage<Row>(rows: Iterable<Row>, limit: number): { page: Row[]; more: boolean } {
  const page: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (page.length === limit) return { page, more: true };
    bytes += encoder.encode(JSON.stringify(row)).length;
    if (bytes > PAGE_BYTES && page.length > 0) return { page, more: true };
    page.push(row);
  }
  return { page, more: false };
}

/** JSON that many frames have in common, so that it is encoded once. */
const TEXTS = new WeakMap<readonly unknown[], string>();
/** The JSON of each item of a list, and maybe of more that were added to it. */
const ITEMS = new WeakMap<readonly unknown[], string[]>();

/** The JSON of a list, which must not be changed afterwards. */
export function jsonOf(list: readonly unknown[]): string {
  let json = TEXTS.get(list);
  if (json === undefined) TEXTS.set(list, json = JSON.stringify(list));
  return json;
}

/** The JSON of each item of a list, which must not be changed afterwards. */
export function itemsOf(list: readonly unknown[]): string[] {
  let items = ITEMS.get(list);
  if (!items) ITEMS.set(list, items = list.map((item) => JSON.stringify(item)));
  return items.slice(0, list.length);
}

/** A list with one item more. If the JSON of the shorter one's items is known, only the new one has to be encoded. */
export function withItem<Item>(list: readonly Item[], item: Item): Item[] {
  const longer = [...list, item];
  const items = ITEMS.get(list);
  if (items?.length === list.length) {
    items.push(JSON.stringify(item));
    ITEMS.set(longer, items);
  }
  return longer;
}

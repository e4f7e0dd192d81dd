/** Draws the sweep: a column of panels for each length of text, a row for each figure, a line for each size of room. */

/** One load. Delays in milliseconds, null where nothing came; `cpu` is the server's share of one processor, `refused` that of all messages. */
export interface Point {
  people: number;
  /** Messages a second. */
  rate: number;
  /** Characters of each. */
  text: number;
  p50: number | null;
  p99: number | null;
  cpu: number;
  deliveriesPerSecond: number;
  messagesPerFrame: number;
  refused: number;
  /** Whether the process that made the load was too slow itself. */
  saturated: boolean;
}

export interface SweepResults {
  date: string;
  machine: string;
  points: Point[];
}

const WIDTH = 960;
const MARGIN = { left: 64, right: 56, top: 138, bottom: 52 };
const GAP = { x: 58, y: 36 };
const PANEL_HEIGHT = 168;
/** A share of refused messages from which on a point is drawn hollow. */
const REFUSED = 0.01;
/** Distance between two labels at the ends of lines, at least. */
const LABEL_HEIGHT = 12;

interface Row {
  title: string;
  of(point: Point): number | null;
  ticks: number[];
  label(tick: number): string;
  /** From 0 at the bottom to 1 at the top. */
  scale(value: number): number;
}

const logarithmic = (from: number, to: number) => (value: number) =>
  Math.log(Math.min(to, Math.max(from, value)) / from) / Math.log(to / from);
const milliseconds = (tick: number) => tick < 1_000 ? `${tick} ms` : `${tick / 1_000} s`;
const DELAYS = { ticks: [1, 10, 100, 1_000], label: milliseconds, scale: logarithmic(0.5, 5_000) };

const ROWS: Row[] = [
  { title: "Half of all deliveries arrive within (p50)", of: ({ p50 }) => p50, ...DELAYS },
  { title: "99 % of all deliveries arrive within (p99)", of: ({ p99 }) => p99, ...DELAYS },
  {
    title: "Server’s share of one processor",
    of: ({ cpu }) => cpu * 100,
    ticks: [0, 25, 50, 75, 100],
    label: (tick) => `${tick} %`,
    scale: (value) => Math.min(1.05, value / 105),
  },
];

const STYLE = `
  svg { --paper: #ffffff; --ink: #1f2328; --quiet: #59636e; --grid: #d9dee3;
    --c0: #0f766e; --c1: #1d6fd1; --c2: #7c3aed; --c3: #be1f86; --c4: #c2410c; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #f0f6fc; --quiet: #9198a1; --grid: #2b323b;
      --c0: #2dd4bf; --c1: #60a5fa; --c2: #b49bfc; --c3: #f47fc3; --c4: #fb923c; }
  }
  .paper { fill: var(--paper); }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: var(--quiet); }
  .title { font-size: 18px; font-weight: 600; fill: var(--ink); }
  .column { font-size: 13px; font-weight: 600; fill: var(--ink); }
  .row { font-weight: 600; fill: var(--ink); }
  .grid { stroke: var(--grid); stroke-width: 1; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
  .point { stroke-width: 2; }
  .hollow { fill: var(--paper); }
  .end { font-weight: 600; font-size: 11px; }
`;

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const plain = (value: number) => value.toLocaleString("en");
const distinct = (values: number[]) => [...new Set(values)].toSorted((one, other) => one - other);

/** A picture for light and dark pages. */
export function sweepPicture({ points, date, machine }: SweepResults): string {
  const texts = distinct(points.map(({ text }) => text));
  const rooms = distinct(points.map(({ people }) => people));
  const rates = distinct(points.map(({ rate }) => rate));
  const panelWidth = (WIDTH - MARGIN.left - MARGIN.right - GAP.x * (texts.length - 1)) / texts.length;
  const height = MARGIN.top + ROWS.length * (PANEL_HEIGHT + GAP.y) - GAP.y + MARGIN.bottom;
  const across = logarithmic(rates[0], rates[rates.length - 1]);
  const parts: string[] = [];
  const text = (x: number, y: number, words: string, attributes = "") =>
    parts.push(`<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped(words)}</text>`);

  text(MARGIN.left, 34, "One room, from silence to ten times a storm", 'class="title"');
  // The legend names the lines; their ends say it again, for who can't tell the colours apart.
  let x = MARGIN.left;
  text(x, 58, "People in the room:");
  x += 122;
  for (const [at, people] of rooms.entries()) {
    const colour = `var(--c${at % 5})`;
    parts.push(`<circle class="point" cx="${x}" cy="54" r="3.5" style="fill:${colour};stroke:${colour}"/>`);
    text(x + 9, 58, plain(people), `style="fill:${colour}" font-weight="600"`);
    x += 34 + plain(people).length * 7;
  }
  parts.push(`<circle class="point hollow" cx="${x + 16}" cy="54" r="3.5" style="stroke:var(--quiet)"/>`);
  text(x + 25, 58, "hollow: the server refused a part, and the delays are those of the rest");

  for (const [column, length] of texts.entries()) {
    const left = MARGIN.left + column * (panelWidth + GAP.x);
    text(left, MARGIN.top - 32, `${plain(length)} characters a message`, 'class="column"');
    for (const [at, row] of ROWS.entries()) {
      const top = MARGIN.top + at * (PANEL_HEIGHT + GAP.y);
      const bottom = top + PANEL_HEIGHT;
      if (column === 0) text(left, top - 8, row.title, 'class="row"');
      const y = (value: number) => bottom - row.scale(value) * PANEL_HEIGHT;
      for (const tick of row.ticks) {
        parts.push(line(left, y(tick), left + panelWidth, y(tick)));
        if (column === 0) text(left - 8, y(tick) + 4, row.label(tick), 'text-anchor="end"');
      }
      for (const rate of rates) {
        const tick = left + across(rate) * panelWidth;
        if (at === ROWS.length - 1) text(tick, bottom + 18, plain(rate), 'text-anchor="middle"');
      }
      const ends: { x: number; y: number; label: string; colour: string }[] = [];
      for (const [number, people] of rooms.entries()) {
        const colour = `var(--c${number % 5})`;
        const own = points.filter((point) => point.text === length && point.people === people)
          .toSorted((one, other) => one.rate - other.rate).filter((point) => row.of(point) !== null);
        if (own.length === 0) continue;
        const places = own.map((point) => [left + across(point.rate) * panelWidth, y(row.of(point)!)] as const);
        const path = places.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");
        parts.push(`<polyline class="line" points="${path}" style="stroke:${colour}"/>`);
        for (const [at, [x, y]] of places.entries()) {
          const isHollow = own[at].refused >= REFUSED;
          parts.push(
            `<circle class="point${isHollow ? " hollow" : ""}" cx="${round(x)}" cy="${
              round(y)
            }" r="3" style="stroke:${colour}${isHollow ? "" : `;fill:${colour}`}"/>`,
          );
        }
        const [x, end] = places[places.length - 1];
        ends.push({ x, y: end, label: plain(people), colour });
      }
      for (const { x, y, label, colour } of apart(ends, top, bottom)) {
        text(x + 9, y + 4, label, `class="end" style="fill:${colour}"`);
      }
    }
    text(left + panelWidth / 2, height - 14, "messages a second", 'text-anchor="middle"');
  }
  const title = "Delay and processor time of one room by its people, messages a second and length of text";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(description(points, rooms))} Measured on ${escaped(`${date}: ${machine}`)}.</desc>
<style>${STYLE}</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="8"/>
${parts.join("\n")}
</svg>
`;
}

/** What the picture shows, in sentences. */
export function description(points: Point[], rooms: number[]): string {
  return rooms.map((people) => {
    const own = points.filter((point) => point.people === people);
    const taken = own.filter(({ refused }) => refused < REFUSED);
    const slowest = (list: Point[]) => `${plain(Math.max(...list.map(({ p99 }) => p99 ?? 0)))} ms`;
    const all = taken.length === own.length
      ? `at every load 99 % of deliveries arrive within ${slowest(own)}`
      : taken.length === 0
      ? `a part is refused at every load, and 99 % of the rest arrive within ${slowest(own)}`
      : `99 % of deliveries arrive within ${slowest(taken)} wherever nothing is refused, and within ${
        slowest(own)
      } where a part is`;
    return `With ${plain(people)} people ${all}.`;
  }).join(" ");
}

/** Moves labels apart that would lie on each other, as little as that takes, and into their panel. */
function apart<Label extends { y: number }>(labels: Label[], top: number, bottom: number): Label[] {
  const sorted = labels.toSorted((one, other) => one.y - other.y);
  for (let round = 0; round < 50; round++) {
    for (let at = 1; at < sorted.length; at++) {
      const lacks = LABEL_HEIGHT - (sorted[at].y - sorted[at - 1].y);
      if (lacks <= 0) continue;
      sorted[at - 1].y -= lacks / 2;
      sorted[at].y += lacks / 2;
    }
    for (const label of sorted) label.y = Math.min(bottom, Math.max(top, label.y));
  }
  return sorted;
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="grid" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

const round = (value: number) => Math.round(value * 10) / 10;

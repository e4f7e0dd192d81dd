/** The drawings of the page, as lines on an area of 20 × 20. */
const DRAWINGS = {
  answer: "M8 5L4 9l4 4M4 9h7.500a4.500 4.500 0 0 1 4.500 4.500V15",
  bell:
    "M4.500 14.500h11c-1-1.200-1.500-2.500-1.500-4.500v-1.500a4 4 0 0 0-8 0V10c0 2-.5 3.300-1.500 4.500zM8.500 17h3",
  bin: "M4 6h12M8 6V4h4v2M5.500 6l.8 10h7.400l.8-10",
  close: "M5.500 5.500l9 9M14.500 5.500l-9 9",
  chevron: "M6 8l4 4 4-4",
  dots: "M5 10h.01M10 10h.01M15 10h.01",
  down: "M10 4v12M5 11l5 5 5-5",
  link:
    "M8 12l4-4M9 6l1.600-1.600a3.200 3.200 0 0 1 4.500 4.500L13.500 10.500M11 14l-1.600 1.600a3.200 3.200 0 0 1-4.500-4.500L6.500 9.500",
  lock: "M6 9V6.500a4 4 0 0 1 8 0V9M4.500 9h11v7.500h-11z",
  menu: "M3 5.500h14M3 10h14M3 14.500h9",
  pencil: "M4 16l.8-3.400L13.400 4a1.500 1.500 0 0 1 2.100 0l.5.5a1.500 1.500 0 0 1 0 2.100L7.400 15.200z",
  person: "M10 9.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c0-3 2.500-5 6-5s6 2 6 5",
  search: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11zM13 13l4 4",
  share: "M10 12.500V3M6.500 6L10 2.500 13.500 6M5.500 9H4v8h12V9h-1.500",
  smile: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM7 11.500c.6 1.300 1.700 2 3 2s2.400-.7 3-2M7.600 8h.01M12.400 8h.01",
  tick: "M4.500 10.500l3.500 3.500 7.500-8",
  up: "M10 16V4M5 9l5-5 5 5",
};

export type IconName = keyof typeof DRAWINGS;

/** A decorative icon, hidden from screen readers. */
export function icon(name: IconName, className = ""): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", DRAWINGS[name]);
  svg.append(line);
  return svg;
}

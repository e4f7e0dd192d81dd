/** Reads server-sent events from text that comes in pieces of any size. */

export interface StreamEvent {
  event: string;
  data: string;
}

/** Returns a function that takes the next piece and returns the events that it completes. Comments are skipped. */
export function createEventReader(): (piece: string) => StreamEvent[] {
  let rest = "";
  let event = "";
  let data: string[] = [];

  function readLine(line: string): StreamEvent | null {
    if (line === "") {
      const complete = data.length > 0 ? { event, data: data.join("\n") } : null;
      event = "";
      data = [];
      return complete;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line)!;
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    return null;
  }

  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    return lines.map((line) => readLine(line.replace(/\r$/, ""))).filter((complete) => complete !== null);
  };
}

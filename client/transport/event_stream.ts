/** Reads server-sent events out of text that comes in pieces, which may end anywhere. */

export interface StreamEvent {
  event: string;
  data: string;
}

/** Gives a function that takes the next piece and returns the events that are complete with it. Comments are none. */
export function createEventReader(): (piece: string) => StreamEvent[] {
  let rest = "";
  let event = "";
  let data: string[] = [];

  function takeLine(line: string): StreamEvent | null {
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
    return lines.map((line) => takeLine(line.replace(/\r$/, ""))).filter((complete) => complete !== null);
  };
}

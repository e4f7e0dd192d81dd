/** Pages of Markdown as tests read them: examples, tables, headings and links. */

const root = new URL("../", import.meta.url);

/** A block of code, with the word behind its fence and the heading above it. */
export interface Example {
  language: string;
  heading: string;
  text: string;
}

export class Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly examples: Example[] = [];
  /** The tables below each heading, in order: rows of cells, without the head. */
  readonly tables = new Map<string, string[][][]>();
  /** What stands behind `#` in links to a heading. */
  readonly anchors = new Set<string>();
  /** Where it links to. */
  readonly links: string[];

  private constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    let heading = "";
    let prose = "";
    // What stands in an example is neither a heading, nor a table, nor a link.
    for (const part of text.split(/^(```\w+\n.*?^```)$/ms)) {
      const [, language, code] = /^```(\w+)\n(.*)```$/s.exec(part) ?? [];
      if (language !== undefined) {
        this.examples.push({ language, heading, text: code });
        continue;
      }
      prose += part;
      for (const block of part.split(/^(?=#+ )|\n\n/m)) {
        const [, title] = /^#+ (.+)/.exec(block) ?? [];
        if (title !== undefined) {
          heading = title.replaceAll("`", "");
          this.anchors.add(anchorOf(heading));
        } else if (block.trim().startsWith("|")) {
          const [, , ...rows] = block.trim().split("\n");
          const cells = rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
          this.tables.set(heading, [...this.tables.get(heading) ?? [], cells]);
        }
      }
    }
    this.links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  }

  /** @param path from the root of the repository */
  static async read(path: string): Promise<Page> {
    return new Page(path, await Deno.readTextFile(new URL(path, root)));
  }

  /** The only example in this language. */
  only(language: string): string {
    const found = this.examples.filter((example) => example.language === language);
    if (found.length !== 1) throw new Error(`${this.path} has ${found.length} examples in ${language}`);
    return found[0].text;
  }

  /** The first table below a heading. */
  table(heading: string): string[][] {
    const [table] = this.tables.get(heading) ?? [];
    if (!table) throw new Error(`${this.path} has no table below ${heading}`);
    return table;
  }
}

/** The pages that people read: the README, `SECURITY.md`, `CHANGELOG.md`, all of `docs/` and of `bench/`. */
export async function allPages(): Promise<Page[]> {
  const paths = ["README.md", "SECURITY.md", "CHANGELOG.md"];
  for (const folder of ["docs/", "bench/"]) {
    for await (const { name } of Deno.readDir(new URL(folder, root))) {
      if (name.endsWith(".md")) paths.push(folder + name);
    }
  }
  return await Promise.all(paths.toSorted().map((path) => Page.read(path)));
}

/** As GitHub makes it. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

/**
 * Where the chat is on its host: at the top, or below a path such as `/chat`. Requests may come with or without that
 * path before their own, because some proxies remove it and others leave it.
 */
export class BasePath {
  /** Empty at the top, else as `/chat`. */
  readonly path: string;

  constructor(path = "") {
    this.path = path;
  }

  /** The path by which browsers ask for one of ours, which begins with a slash. */
  to(path: string): string {
    return this.path + path;
  }

  /** Whether a path is below this one, so that browsers send cookies with it that are for this one. */
  has(pathname: string): boolean {
    return this.path === "" || pathname === this.path || pathname.startsWith(`${this.path}/`);
  }

  /** Which of our own paths a request asks for. A slash at its end makes no difference. */
  of(pathname: string): string {
    const path = this.has(pathname) ? pathname.slice(this.path.length) : pathname;
    return path === "" ? "/" : path.replace(/(?<=[^/])\/$/, "");
  }
}

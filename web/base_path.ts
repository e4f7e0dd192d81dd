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

  /** Which of our own paths a request asks for. A slash at its end makes no difference. */
  of(pathname: string): string {
    const isBelow = this.path !== "" && (pathname === this.path || pathname.startsWith(`${this.path}/`));
    const path = isBelow ? pathname.slice(this.path.length) : pathname;
    return path === "" ? "/" : path.replace(/(?<=[^/])\/$/, "");
  }
}

/**
 * Shows the page light or dark as its reader has chosen, in this tab or in another one. It is a script and no module,
 * because it runs before those: who chose dark would see a white page first. A choice can only be there on a later
 * visit, when this file is in the browser's cache. So a first visit does not wait for it.
 */
{
  const { src } = document.currentScript as HTMLScriptElement;
  // As in client.ts: below a path of the host, the key begins with it.
  const base = new URL(src.slice(0, src.lastIndexOf("/static/") + 1)).pathname;
  const key = `${base === "/" ? "" : base}parley.theme`;

  const show = () => {
    let chosen: string | null = null;
    try {
      chosen = localStorage.getItem(key);
    } catch {
      // Where storage is forbidden, nothing can be chosen.
    }
    const theme = chosen === "light" || chosen === "dark" ? chosen : null;
    const { dataset } = document.documentElement;
    if (theme) dataset.theme = theme;
    else delete dataset.theme;
    // The colour of the browser's own bars.
    for (const meta of document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")) {
      const own = meta.dataset.media ??= meta.media;
      meta.media = theme === null ? own : own.includes(theme) ? "all" : "not all";
    }
  };
  show();
  addEventListener("storage", (event) => {
    if (event.key === key || event.key === null) show();
  });
}

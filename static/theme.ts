/**
 * Shows the page light or dark as its reader has chosen, in this tab or in another one. The server writes it into the
 * page itself: who chose dark would see a white page first, if anything were painted before it has run.
 */
{
  // As in client.ts: below a path of the host, the key begins with it.
  const { base } = document.currentScript!.dataset;
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

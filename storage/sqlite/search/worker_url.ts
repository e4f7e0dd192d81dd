/** Where the worker's module is. `deno task build` puts another file in the place of this one, with the module in it. */
export const WORKER_URL: string = new URL("./worker.ts", import.meta.url).href;

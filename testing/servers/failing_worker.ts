/** What `workers_test.ts` tries to start: a Worker that can't serve. */
import { serveAsWorker } from "../../workers.ts";

serveAsWorker(() => Promise.reject(new Error("The store is out.")));

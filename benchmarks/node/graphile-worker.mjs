// Graphile Worker with its defaults: LISTEN/NOTIFY, a poll every two seconds, ten connections, no local queue.
// https://worker.graphile.org/docs/library/run

import { Logger, makeWorkerUtils, run, runMigrations } from "graphile-worker";

import { main, payload, url } from "./protocol.mjs";

const logger = new Logger(() => () => {});

await main({
  install: () => runMigrations({ connectionString: url, logger }),

  async produce() {
    const utils = await makeWorkerUtils({ connectionString: url, logger });
    return {
      async enqueue(jobs) {
        if (jobs.length === 1) return [(await utils.addJob("job", payload(jobs[0]))).id];
        const added = await utils.addJobs(jobs.map((job) => ({ identifier: "job", payload: payload(job) })));
        return added.map((job) => job.id);
      },
    };
  },

  async work(concurrency, handle) {
    const taskList = { job: (job) => handle(job) };
    const runner = await run({ connectionString: url, concurrency, logger, taskList });
    await runner.promise;
  },
});

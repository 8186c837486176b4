// pg-boss with LISTEN/NOTIFY, heartbeats and bursts turned on, all of which it has but leaves off. It fetches again at
// once only after a full batch, hence batches: of ten, or of half the concurrency where that is smaller.
// https://pgboss.io/api/workers

import { PgBoss } from "pg-boss";

import { main, payload, url } from "./protocol.mjs";

const QUEUE = "job";

async function start() {
  const boss = new PgBoss({ connectionString: url, useListenNotify: true });
  boss.on("error", console.error);
  await boss.start();
  return boss;
}

await main({
  async install() {
    const boss = await start();
    await boss.createQueue(QUEUE, { notify: true, heartbeatSeconds: 30 });
    await boss.stop();
  },

  async produce() {
    const boss = await start();
    return {
      async enqueue(jobs) {
        if (jobs.length === 1) return [await boss.send(QUEUE, payload(jobs[0]))];
        await boss.insert(QUEUE, jobs.map((job) => ({ data: payload(job) })));
        return [];
      },
      cancel: (id) => boss.cancel(QUEUE, id),
    };
  },

  async work(concurrency, handle) {
    const boss = await start();
    const batchSize = Math.max(2, Math.min(10, Math.floor(concurrency / 2)));
    const localConcurrency = Math.ceil(concurrency / batchSize);
    await boss.work(QUEUE, { batchSize, localConcurrency, burstWhenBatchFull: true }, (jobs) =>
      Promise.all(jobs.map((job) => handle(job.data, job.signal))),
    );
  },
});

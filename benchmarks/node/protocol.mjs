// The same protocol as analysis_bench/peers: `node <system>.mjs install|drive|work`, configured by BENCH_* variables.
// A peer offers install(), produce() -> { enqueue(jobs) -> ids, cancel(id)? } and work(concurrency, run).

import fs from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const now = () => (performance.timeOrigin + performance.now()) / 1000;

export const url = process.env.BENCH_DATABASE_URL;

export const payload = ([key, seconds]) => ({ key, seconds });

function recorder() {
  const file = fs.openSync(`${process.env.BENCH_RECORDS}/${process.pid}`, "a");
  const note = (what, key) => fs.writeSync(file, `${what} ${key} ${now().toFixed(6)}\n`);
  return async ({ key, seconds }, signal) => {
    note("s", key);
    if (!seconds) return;
    try {
      await sleep(seconds * 1000, undefined, { signal });
    } catch (error) {
      note("c", key);
      throw error;
    }
    note("e", key);
  };
}

async function pace(producer, jobs, perSecond) {
  const [ids, committed, took] = [[], [], []];
  let due = now();
  for (const job of jobs) {
    const wait = due - now();
    if (wait > 0) await sleep(wait * 1000);
    const begun = now();
    ids.push(...(await producer.enqueue([job])));
    committed.push(now());
    took.push(committed.at(-1) - begun);
    due += (0.5 + Math.random()) / perSecond;
  }
  return { ids, committed, took };
}

async function answer(producer, wish) {
  switch (wish.do) {
    case "enqueue":
      await producer.enqueue(wish.jobs);
      return {};
    case "pace":
      return pace(producer, wish.jobs, wish.per_second);
    case "cancel": {
      const at = now();
      await producer.cancel(wish.id);
      return { at };
    }
    default:
      throw new Error(`unknown wish: ${JSON.stringify(wish)}`);
  }
}

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

export async function main(peer) {
  switch (process.argv[2]) {
    case "install":
      await peer.install();
      process.exit(0);
    case "work":
      await peer.work(Number(process.env.BENCH_CONCURRENCY), recorder());
      break;
    case "drive": {
      const producer = await peer.produce();
      say({});
      for await (const line of createInterface({ input: process.stdin })) {
        say(await answer(producer, JSON.parse(line)));
      }
      process.exit(0);
    }
  }
}

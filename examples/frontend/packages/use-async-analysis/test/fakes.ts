// A backend in memory, at the border of the library: jobs are rows that tests change, signals what tests send.

import { vi } from "vitest";
import {
  type AnalysisClient,
  type AnalysisOptions,
  createAnalysis,
  createGate,
  type Enqueued,
  type Flags,
  type Job,
  type Signal,
} from "../src/index.ts";
import { AnalysisFailure, unavailable } from "../src/errors.ts";

declare module "../src/index.ts" {
  interface AnalysisTypes {
    toy: { input: { n: number }; result: { text: string } };
  }
}

export const HEALTHY: Flags = { flags: {}, types: {}, healthy: true, why: null };
export const NO_WORKER: Flags = { ...HEALTHY, healthy: false, why: "no_worker" };
export const RESULT = { text: "done" };
export const lost = () => unavailable("no answer");
export const refused = () => new AnalysisFailure("too_large", "input is too large");

export function aJob(change: Partial<Job> = {}): Job {
  return {
    id: "job-1",
    type: "toy",
    status: "pending",
    progress: 0,
    phase: null,
    partial: null,
    result: null,
    error: null,
    attempts: [],
    ...change,
  };
}

export class FakeBackend implements AnalysisClient {
  readonly rows = new Map<string, Job>();
  readonly listeners = new Map<string, Set<(signal: Signal) => void>>();
  healthNow: Flags = HEALTHY;
  renewals = 0;

  readonly enqueue = vi.fn(async (_type: string, _input: unknown, _key: string): Promise<Enqueued> => {
    const id = `job-${this.rows.size + 1}`;
    this.rows.set(id, aJob({ id }));
    return { id, status: "pending" };
  });
  readonly status = vi.fn(async (id: string): Promise<Job> => {
    const row = this.rows.get(id);
    if (!row) throw new AnalysisFailure("not_found", "job not found");
    return row;
  });
  readonly cancel = vi.fn(async (id: string) => {
    const row = await this.status(id);
    if (row.status === "pending" || row.status === "processing") this.write(id, { status: "cancelled" });
    return { status: this.rows.get(id)?.status ?? ("cancelled" as const) };
  });
  readonly flags = vi.fn(async () => this.healthNow);
  readonly gate = createGate(() => this.flags());

  listen = (id: string, onSignal: (signal: Signal) => void) => {
    const all = this.listeners.get(id) ?? new Set();
    this.listeners.set(id, all.add(onSignal));
    return {
      renew: () => {
        this.renewals += 1;
      },
      stop: () => {
        all.delete(onSignal);
      },
    };
  };

  /** Changes the row in silence. */
  write(id: string, change: Partial<Job>): void {
    this.rows.set(id, { ...(this.rows.get(id) ?? aJob({ id })), ...change });
  }

  async signal(id: string, signal: Signal): Promise<void> {
    for (const listener of [...(this.listeners.get(id) ?? [])]) listener(signal);
    await settled();
  }

  /** Changes the row, and says so. */
  async change(id: string, change: Partial<Job>): Promise<void> {
    this.write(id, change);
    await this.signal(id, "changed");
  }

  listening(id: string): number {
    return this.listeners.get(id)?.size ?? 0;
  }
}

/** Lets everything happen that waits for no timer. */
export const settled = () => vi.advanceTimersByTimeAsync(0);
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A promise that the test keeps. */
export function promised<V>() {
  let resolve!: (value: V) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<V>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

export function anAnalysis(backend: FakeBackend, options: Partial<AnalysisOptions<"toy">> = {}) {
  const onComplete = vi.fn();
  const onError = vi.fn();
  const analysis = createAnalysis({ client: backend, type: "toy", onComplete, onError, ...options });
  const seen: string[] = [];
  let last = "";
  const leave = analysis.subscribe(() => {
    const { status, transport } = analysis.getState();
    if (last !== `${status}/${transport}`) seen.push((last = `${status}/${transport}`));
  });
  return { analysis, onComplete, onError, seen, leave };
}

// A client whose one job is always as a scene wants it: for pictures, and for looking at states that pass quickly.

import { type AnalysisClient, createGate, type Flags, type Job } from "use-async-analysis";

export interface Script {
  job: Partial<Job>;
  flags?: Partial<Flags>;
}

export function scripted({ job, flags }: Script): AnalysisClient {
  const row: Job = {
    id: "00000000-0000-4000-8000-000000000000",
    type: "",
    status: "pending",
    progress: 0,
    phase: null,
    partial: null,
    result: null,
    error: null,
    attempts: [],
    ...job,
  };
  const answer: Flags = { flags: {}, types: {}, healthy: true, why: null, ...flags };
  return {
    enqueue: async () => ({ id: row.id, status: "pending" }),
    status: async () => row,
    cancel: async () => ({ status: "cancelled" }),
    flags: async () => answer,
    listen: (_jobId, onSignal) => {
      queueMicrotask(() => onSignal("ready"));
      return { renew: () => {}, stop: () => {} };
    },
    gate: createGate(async () => answer),
  };
}

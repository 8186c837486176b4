// The border to Supabase: SQL functions, one Edge Function, and the signals of Realtime.

import type { SupabaseClient } from "@supabase/supabase-js";
import type { AnalysisClient, Fallback } from "./analysis.ts";
import { AnalysisFailure, failureOf, unavailable } from "./errors.ts";
import { createGate } from "./gate.ts";
import { createListening } from "./listen.ts";
import type { AnalysisType, Enqueued, Flags, Job, JobStatus } from "./types.ts";

const ANSWER_MS = 10_000;

/** One for the whole app: its components share Realtime channels, flags and what they learned of outages. */
export function createAnalysisClient(supabase: SupabaseClient): AnalysisClient {
  const call = async <R>(name: string, args: object): Promise<R> => {
    const { data, error, status } = await supabase.rpc(name, args).abortSignal(AbortSignal.timeout(ANSWER_MS));
    if (error) throw failureOf(status, error);
    return data as R;
  };
  const flags = () => call<Flags>("get_flags", {});
  return {
    enqueue: (type, input, idempotency_key) => call<Enqueued>("enqueue_analysis", { type, input, idempotency_key }),
    status: (job_id) => call<Job>("get_analysis_status", { job_id }),
    cancel: (job_id) => call<{ status: JobStatus }>("cancel_analysis", { job_id }),
    flags,
    listen: createListening(supabase),
    gate: createGate(flags),
  };
}

/** A fallback by the Edge Function `analyze-sync`, which refuses (`async_healthy`) where a job would do. */
export function analyzeSync<T extends AnalysisType>(supabase: SupabaseClient, type: T): Fallback<T> {
  return async (input, signal) => {
    const { data, error, response } = await supabase.functions.invoke("analyze-sync", { body: { type, input }, signal });
    if (!error) return data as Enqueued;
    const said: unknown = await response?.json().catch(() => null);
    if (!isProblem(said)) throw unavailable(error instanceof Error ? error.message : "analyze-sync");
    throw new AnalysisFailure(said.code, said.title, RETRYABLE.includes(said.status), said.retry_after_seconds);
  };
}

const RETRYABLE = [401, 429, 500, 502, 503, 504];

interface Problem {
  status: number;
  code: string;
  title: string;
  retry_after_seconds?: number;
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "code" in value && "title" in value;
}

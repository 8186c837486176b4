// The words of the library, as the queue's SQL functions say them.

import type { AnalysisTypes } from "./index.ts";

export type AnalysisType = Extract<keyof AnalysisTypes, string>;
export type InputOf<T extends AnalysisType> = AnalysisTypes[T] extends { input: infer I } ? I : never;
export type ResultOf<T extends AnalysisType> = AnalysisTypes[T] extends { result: infer R } ? R : never;

export type JobStatus = "pending" | "processing" | "completed" | "failed" | "cancelled";
/** How the state is being kept current. */
export type Transport = "realtime" | "polling" | "sync";

export interface AnalysisError {
  /** For programs: of the job, or `unavailable`, `too_many_requests`, `not_found`, `interrupted` and so on. */
  code: string;
  message: string;
  retryable: boolean;
  retryAfterSeconds?: number;
}

/** The answer of `enqueue_analysis`, and of the synchronous function. */
export interface Enqueued {
  id: string | null;
  status: JobStatus;
  result?: unknown;
}

/** The answer of `get_analysis_status`, as far as it is used here. */
export interface Job {
  id: string;
  type: string;
  status: JobStatus;
  progress: number;
  phase: string | null;
  partial: string | null;
  result: unknown;
  error: { code: string; message: string; retryable?: boolean } | null;
  attempts: readonly unknown[];
}

/** The answer of `get_flags`. */
export interface Flags {
  flags: Record<string, { async: boolean; reason: string }>;
  types: Record<string, string>;
  healthy: boolean;
  why: string | null;
}

export interface AnalysisState<R> {
  status: "idle" | "submitting" | JobStatus;
  phase: string | null;
  /** 0 to 1. */
  progress: number;
  /** The result's text so far, while a model writes. */
  partial: string | null;
  result: R | null;
  error: AnalysisError | null;
  jobId: string | null;
  transport: Transport;
  /** It takes longer than it should: nobody works at jobs just now, or nobody can be asked. Nothing is lost. */
  delayed: boolean;
}

/** What a job's events amount to. None of them is believed: each only makes the follower look at the job. */
export type Signal = "ready" | "changed" | "lost";

export interface Subscription {
  /** It seems deaf: join anew. */
  renew(): void;
  stop(): void;
}

/** The border: all that the library asks of the world. `createAnalysisClient` makes one of a Supabase client. */
export interface AnalysisBackend {
  enqueue(type: string, input: unknown, idempotencyKey: string): Promise<Enqueued>;
  status(jobId: string): Promise<Job>;
  cancel(jobId: string): Promise<{ status: JobStatus }>;
  flags(): Promise<Flags>;
  listen(jobId: string, onSignal: (signal: Signal) => void): Subscription;
}

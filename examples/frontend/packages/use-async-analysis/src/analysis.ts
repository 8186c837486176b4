// One analysis at a time, from the request to its end, as a store that anything can subscribe to.
//
// A run is one request. Only the current run may change the state, and only until it is settled: so late answers,
// duplicate events and races all end here, and `onComplete` and `onError` are called once.
//
// Falling back to the synchronous way costs a second analysis unless the first was never begun. So it happens in two
// cases only: the job could not be enqueued, or it was cancelled before any worker had begun it.

import { enqueuePatiently } from "./enqueue.ts";
import { AnalysisFailure, isUnavailable, toFailure } from "./errors.ts";
import { type Follower, follow } from "./follow.ts";
import type { Gate } from "./gate.ts";
import { type JobMemory, NO_MEMORY } from "./memory.ts";
import type {
  AnalysisBackend,
  AnalysisError,
  AnalysisState,
  AnalysisType,
  Enqueued,
  InputOf,
  Job,
  ResultOf,
} from "./types.ts";

export interface AnalysisClient extends AnalysisBackend {
  gate: Gate;
}

/** Does the whole analysis in one call, or answers with a job that does it already. */
export type Fallback<T extends AnalysisType> = (input: InputOf<T>, signal: AbortSignal) => Promise<Enqueued>;

export interface AnalysisOptions<T extends AnalysisType> {
  client: AnalysisClient;
  type: T;
  /** A job to follow that somebody else enqueued. */
  jobId?: string | null | undefined;
  onComplete?: ((result: ResultOf<T>, jobId: string | null) => void) | undefined;
  onError?: ((error: AnalysisError) => void) | undefined;
  /** Without one, a job waits for as long as nobody works. */
  fallback?: Fallback<T> | undefined;
  /** Milliseconds between looks while Realtime is not heard. */
  pollInterval?: number | undefined;
  /** Milliseconds that a job may be pending before anybody asks why. */
  patience?: number | undefined;
  /** Where the job's id outlives the page. */
  memory?: JobMemory | undefined;
  /** False: neither submits nor follows. */
  enabled?: boolean | undefined;
  newId?: (() => string) | undefined;
}

export interface Analysis<T extends AnalysisType> {
  getState(): AnalysisState<ResultOf<T>>;
  /** Follows jobs while anybody is subscribed. The last one to leave ends the following, never the job. */
  subscribe(listener: () => void): () => void;
  update(options: AnalysisOptions<T>): void;
  /** The job's id; null where there is none (synchronous, refused, superseded). Never rejects: see `error`. */
  submit(input: InputOf<T>): Promise<string | null>;
  /** Whether it was cancelled; false where it had ended, or nobody answered. */
  cancel(): Promise<boolean>;
  /** The last input again, as a new request. Null where this page does not know it. */
  retry(): Promise<string | null>;
  /** Whether this page knows the input, and the same again may end otherwise. */
  canRetry(): boolean;
  reset(): void;
}

interface Run<T extends AnalysisType> {
  input: InputOf<T> | undefined;
  jobId: string | null;
  abort: AbortController;
  follower?: Follower | undefined;
  patience?: ReturnType<typeof setTimeout> | undefined;
  cancelled?: boolean;
  /** We cancel it ourselves, to do it synchronously. */
  givingUp?: boolean;
  /** Of an earlier page, perhaps of another user. */
  recalled?: boolean;
}

export const IDLE: AnalysisState<never> = {
  status: "idle",
  phase: null,
  progress: 0,
  partial: null,
  result: null,
  error: null,
  jobId: null,
  transport: "realtime",
  delayed: false,
};

/** The synchronous way says: a job would do, or: there is no such way for this type. */
const NOT_THIS_WAY = ["async_healthy", "not_found"];
const POLL_MS = 2_000;
const PATIENCE_MS = 10_000;

export function createAnalysis<T extends AnalysisType>(initial: AnalysisOptions<T>): Analysis<T> {
  type State = AnalysisState<ResultOf<T>>;
  let options = initial;
  let state: State = IDLE;
  let current: Run<T> | null = null;
  let lastInput: InputOf<T> | undefined;
  const listeners = new Set<() => void>();

  const set = (change: Partial<State>) => {
    state = { ...state, ...change };
    for (const listener of [...listeners]) listener();
  };
  const memory = () => options.memory ?? NO_MEMORY;
  const isEnabled = () => options.enabled !== false;

  // Runs ------------------------------------------------------------------------------------------------------------
  function begin(input: InputOf<T> | undefined, change: Partial<State>): Run<T> {
    if (current) letGo(current);
    current = { input, jobId: null, abort: new AbortController() };
    set({ ...IDLE, ...change });
    return current;
  }

  function stopFollowing(run: Run<T>): void {
    run.follower?.stop();
    run.follower = undefined;
    clearTimeout(run.patience);
    run.patience = undefined;
  }

  function letGo(run: Run<T>): void {
    stopFollowing(run);
    if (run === current) current = null;
  }

  function settle(run: Run<T>, status: "completed" | "failed" | "cancelled", change: Partial<State>): void {
    if (run !== current) return;
    letGo(run);
    if (run.jobId) memory().forget(run.jobId);
    set({ status, delayed: false, partial: null, ...change });
    if (status === "completed") options.onComplete?.(state.result as ResultOf<T>, run.jobId);
    if (status === "failed" && state.error) options.onError?.(state.error);
  }

  const fail = (run: Run<T>, error: AnalysisError) => settle(run, "failed", { error });

  // The asynchronous way --------------------------------------------------------------------------------------------
  async function start(run: Run<T>, input: InputOf<T>): Promise<void> {
    try {
      const way = options.fallback ? await options.client.gate.choose(options.type) : "async";
      if (run !== current) return;
      await (way === "async" ? enqueue(run, input, true) : analyzeNow(run, input, true));
    } catch (error) {
      fail(run, toFailure(error));
    }
  }

  async function enqueue(run: Run<T>, input: InputOf<T>, mayFallBack: boolean): Promise<void> {
    const { client, type, fallback, newId = () => crypto.randomUUID() } = options;
    let answer: Enqueued;
    try {
      answer = await enqueuePatiently(client, type, input, newId());
    } catch (error) {
      if (!fallback || !mayFallBack || run !== current || !isUnavailable(error)) throw error;
      client.gate.fellBack();
      return analyzeNow(run, input, false);
    }
    accept(run, answer);
  }

  function accept(run: Run<T>, { id, status, result }: Enqueued): void {
    run.jobId = id;
    if (run.cancelled && id) void options.client.cancel(id).catch(() => {});
    if (run !== current) return;
    if (status === "completed") return settle(run, status, { result: result as ResultOf<T>, progress: 1, jobId: id });
    if (!id) return fail(run, new AnalysisFailure("no_job", "Neither a result nor a job was answered."));
    memory().keep(id);
    set({ status: status === "processing" ? status : "pending", jobId: id, transport: "realtime" });
    if (listeners.size > 0) attach(run, id);
  }

  function attach(run: Run<T>, jobId: string): void {
    run.follower ??= follow(options.client, jobId, {
      job: (job) => notice(run, job),
      transport: (transport) => run === current && state.transport !== transport && set({ transport }),
      unanswered: (times) => run === current && times > 1 && set({ delayed: true }),
      gone: (error) => (run.recalled ? settle(run, "cancelled", IDLE) : fail(run, error)),
    }, options.pollInterval ?? POLL_MS);
  }

  function notice(run: Run<T>, job: Job): void {
    if (run !== current) return;
    const { status, progress, phase, partial, error } = job;
    switch (status) {
      case "completed":
        options.client.gate.worked();
        return settle(run, status, { result: job.result as ResultOf<T>, progress: 1, phase });
      case "failed":
        return fail(run, { code: "failed", message: "", ...error, retryable: error?.retryable === true });
      case "cancelled":
        return run.givingUp ? gaveUp(run, job) : settle(run, status, {});
      case "processing":
        run.givingUp = false;
    }
    set({ status, progress, phase, partial, delayed: state.delayed && status === "pending" });
    if (status === "pending") return void (run.patience ??= setTimeout(askWhy, options.patience ?? PATIENCE_MS, run));
    clearTimeout(run.patience);
    run.patience = undefined;
  }

  // The synchronous way ---------------------------------------------------------------------------------------------
  async function askWhy(run: Run<T>): Promise<void> {
    const getDone = await options.client.gate.jobsGetDone();
    run.patience = undefined;
    if (run !== current || state.status !== "pending" || !run.follower) return;
    set({ delayed: !getDone });
    if (!getDone && options.fallback && run.input !== undefined && run.jobId) {
      run.givingUp = true;
      // Whether this was in time, and whether it was heard at all, is read from the job.
      await options.client.cancel(run.jobId).catch(() => {});
    }
    run.follower.wake();
  }

  function gaveUp(run: Run<T>, job: Job): void {
    stopFollowing(run);
    memory().forget(job.id);
    if (job.attempts.length > 0 || run.input === undefined) {
      return fail(run, new AnalysisFailure("interrupted", "A worker had begun just then.", true));
    }
    options.client.gate.fellBack();
    analyzeNow(run, run.input, false).catch((error: unknown) => fail(run, toFailure(error)));
  }

  async function analyzeNow(run: Run<T>, input: InputOf<T>, mayEnqueue: boolean): Promise<void> {
    run.jobId = null;
    set({ status: "processing", transport: "sync", jobId: null, delayed: false });
    try {
      const answer = await options.fallback?.(input, run.abort.signal);
      if (answer) accept(run, answer);
    } catch (error) {
      const refused = toFailure(error);
      if (!NOT_THIS_WAY.includes(refused.code) || !mayEnqueue || run !== current) throw error;
      options.client.gate.worked();
      set({ status: "submitting", transport: "realtime" });
      await enqueue(run, input, false);
    }
  }

  // The outside -----------------------------------------------------------------------------------------------------
  function adopt(jobId: string, recalled: boolean): void {
    const run = begin(undefined, { status: "pending", jobId });
    run.jobId = jobId;
    run.recalled = recalled;
    if (listeners.size > 0) attach(run, jobId);
  }

  function arrive(): void {
    if (!isEnabled()) return;
    if (current) {
      if (current.jobId) attach(current, current.jobId);
    } else if (state.status === "idle") {
      const jobId = options.jobId ?? memory().recall();
      if (jobId) adopt(jobId, !options.jobId);
    }
  }

  async function submit(input: InputOf<T>): Promise<string | null> {
    if (!isEnabled()) return null;
    lastInput = input;
    const run = begin(input, { status: "submitting" });
    await start(run, input);
    return run.jobId;
  }

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      if (listeners.size === 1) arrive();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && current) stopFollowing(current);
      };
    },
    update(next) {
      const before = options;
      options = next;
      if (next.jobId && next.jobId !== before.jobId && next.jobId !== state.jobId && isEnabled()) adopt(next.jobId, false);
      else if (before.enabled === false && listeners.size > 0) arrive();
      else if (!isEnabled() && current) stopFollowing(current);
    },
    submit,
    async cancel() {
      const run = current;
      if (!run) return false;
      if (!run.jobId) {
        run.cancelled = true;
        run.abort.abort();
        settle(run, "cancelled", {});
        return true;
      }
      run.givingUp = false;
      const answer = await options.client.cancel(run.jobId).catch(() => null);
      if (answer?.status === "cancelled") settle(run, "cancelled", {});
      else run.follower?.wake();
      return answer?.status === "cancelled";
    },
    retry: () => (lastInput === undefined ? Promise.resolve(null) : submit(lastInput)),
    canRetry: () => lastInput !== undefined && state.error?.retryable !== false,
    reset() {
      if (current) {
        if (current.jobId) memory().forget(current.jobId);
        letGo(current);
      }
      lastInput = undefined;
      set(IDLE);
    },
  };
}

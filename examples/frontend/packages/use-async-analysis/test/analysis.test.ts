import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { aJob, anAnalysis, FakeBackend, HEALTHY, lost, pass, promised, refused, RESULT, settled } from "./fakes.ts";
import type { Enqueued, Job } from "../src/index.ts";

let backend: FakeBackend;
beforeEach(() => {
  vi.useFakeTimers();
  backend = new FakeBackend();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a job to its end", () => {
  test("goes from idle to its result, with progress, phase and partial text on the way", async () => {
    const { analysis, onComplete, seen } = anAnalysis(backend);
    expect(analysis.getState().status).toBe("idle");
    expect(await analysis.submit({ n: 1 })).toBe("job-1");
    await backend.signal("job-1", "ready");
    await backend.change("job-1", { status: "processing", progress: 0.4, phase: "reading", partial: "do" });
    expect(analysis.getState()).toMatchObject({ status: "processing", progress: 0.4, phase: "reading", partial: "do" });
    await backend.change("job-1", { status: "completed", result: RESULT });
    expect(analysis.getState()).toMatchObject({ status: "completed", progress: 1, result: RESULT, partial: null });
    expect(onComplete).toHaveBeenCalledExactlyOnceWith(RESULT, "job-1");
    expect(seen).toEqual(["submitting/realtime", "pending/realtime", "processing/realtime", "completed/realtime"]);
  });

  test("ends at once where an earlier result answers", async () => {
    backend.enqueue.mockResolvedValue({ id: "old", status: "completed", result: RESULT });
    const { analysis, onComplete } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    expect(analysis.getState()).toMatchObject({ status: "completed", result: RESULT, jobId: "old" });
    expect(onComplete).toHaveBeenCalledOnce();
    expect(backend.listening("old")).toBe(0);
  });

  test("shows the job's error, and whether trying again can help", async () => {
    const { analysis, onError } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    const error = { code: "blurred", message: "A foto está borrada.", retryable: false };
    await backend.change("job-1", { status: "failed", error });
    expect(analysis.getState()).toMatchObject({ status: "failed", error });
    expect(analysis.canRetry()).toBe(false);
    expect(onError).toHaveBeenCalledExactlyOnceWith(error);
  });

  test("calls back once, however often the end is told, and never hears a late event", async () => {
    const { analysis, onComplete } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    backend.write("job-1", { status: "completed", result: RESULT });
    const listeners = [...(backend.listeners.get("job-1") ?? [])];
    for (const tell of listeners) for (const signal of ["changed", "changed", "ready"] as const) tell(signal);
    await settled();
    backend.write("job-1", { status: "processing", progress: 0.1 });
    for (const tell of listeners) tell("changed");
    await pass(60_000);
    expect(onComplete).toHaveBeenCalledOnce();
    expect(analysis.getState().status).toBe("completed");
  });

  test("is looked at once at a time, so that an older row cannot follow a newer one", async () => {
    const { analysis } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    await settled();
    const slow = promised<Job>();
    backend.status.mockReturnValueOnce(slow.promise);
    const before = backend.status.mock.calls.length;
    await backend.signal("job-1", "changed");
    backend.write("job-1", { status: "completed", result: RESULT });
    await backend.signal("job-1", "changed");
    await backend.signal("job-1", "changed");
    expect(backend.status.mock.calls.length).toBe(before + 1);
    slow.resolve(aJob({ status: "processing", progress: 0.2 }));
    await settled();
    expect(backend.status.mock.calls.length).toBe(before + 2);
    expect(analysis.getState().status).toBe("completed");
  });

  test("that nobody may see fails as not found", async () => {
    const { analysis, onError } = anAnalysis(backend, { jobId: "somebody-elses" });
    await settled();
    expect(analysis.getState()).toMatchObject({ status: "failed", error: { code: "not_found" } });
    expect(onError).toHaveBeenCalledOnce();
  });
});

describe("enqueuing", () => {
  test("asks again under the same key where the answer was lost", async () => {
    backend.enqueue.mockRejectedValueOnce(lost());
    const { analysis } = anAnalysis(backend);
    const submitted = analysis.submit({ n: 1 });
    await pass(500);
    expect(await submitted).toBe("job-1");
    const keys = backend.enqueue.mock.calls.map(([, , key]) => key);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  test("takes no for an answer: nothing is sent again", async () => {
    backend.enqueue.mockRejectedValue(refused());
    const { analysis, onError } = anAnalysis(backend);
    expect(await analysis.submit({ n: 1 })).toBeNull();
    expect(analysis.getState()).toMatchObject({ status: "failed", error: { code: "too_large", retryable: false } });
    expect(backend.enqueue).toHaveBeenCalledOnce();
    expect(onError).toHaveBeenCalledOnce();
  });

  test("without a fallback an outage is an error, and retry sends the same input under a new key", async () => {
    backend.enqueue.mockRejectedValueOnce(lost()).mockRejectedValueOnce(lost()).mockRejectedValueOnce(lost());
    const { analysis } = anAnalysis(backend);
    const submitted = analysis.submit({ n: 7 });
    await pass(5_000);
    await submitted;
    expect(analysis.getState()).toMatchObject({ status: "failed", error: { code: "unavailable", retryable: true } });
    expect(analysis.canRetry()).toBe(true);
    expect(await analysis.retry()).toBe("job-1");
    const calls = backend.enqueue.mock.calls;
    expect(calls.at(-1)?.[1]).toEqual({ n: 7 });
    expect(calls.at(-1)?.[2]).not.toBe(calls[0]?.[2]);
  });

  test("a second request takes the place of the first, whose late answer changes nothing", async () => {
    const slow = promised<Enqueued>();
    backend.enqueue.mockReturnValueOnce(slow.promise);
    const { analysis, onComplete } = anAnalysis(backend);
    const first = analysis.submit({ n: 1 });
    await analysis.submit({ n: 2 });
    slow.resolve({ id: "late", status: "completed", result: { text: "of the first" } });
    await first;
    await backend.change("job-1", { status: "completed", result: RESULT });
    expect(analysis.getState()).toMatchObject({ result: RESULT, jobId: "job-1" });
    expect(onComplete).toHaveBeenCalledExactlyOnceWith(RESULT, "job-1");
  });

  test("the late failure of a request that was given up for another is nobody's", async () => {
    const slow = promised<Enqueued>();
    backend.enqueue.mockReturnValueOnce(slow.promise);
    const { analysis, onError } = anAnalysis(backend);
    const first = analysis.submit({ n: 1 });
    await analysis.submit({ n: 2 });
    slow.reject(refused());
    await first;
    expect(analysis.getState()).toMatchObject({ status: "pending", error: null });
    expect(onError).not.toHaveBeenCalled();
  });

  test("does nothing while it is not enabled, and follows what it was to follow once it is", async () => {
    backend.write("job-9", { status: "completed", result: RESULT });
    const options = { client: backend, type: "toy", jobId: "job-9" } as const;
    const { analysis } = anAnalysis(backend, { ...options, enabled: false });
    expect(await analysis.submit({ n: 1 })).toBeNull();
    expect(backend.status).not.toHaveBeenCalled();
    analysis.update({ ...options, enabled: true });
    await settled();
    expect(analysis.getState().status).toBe("completed");
  });

  test("another job id is followed instead", async () => {
    backend.write("b", { status: "completed", result: RESULT });
    backend.write("a", {});
    const { analysis } = anAnalysis(backend, { jobId: "a" });
    analysis.update({ client: backend, type: "toy", jobId: "b" });
    await settled();
    expect(analysis.getState()).toMatchObject({ jobId: "b", status: "completed" });
    expect(backend.listening("a")).toBe(0);
  });
});

describe("cancelling", () => {
  test("ends the job at once, and its late result is not shown", async () => {
    const { analysis, onComplete, onError } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    expect(await analysis.cancel()).toBe(true);
    expect(analysis.getState().status).toBe("cancelled");
    await backend.change("job-1", { status: "completed", result: RESULT });
    expect(analysis.getState().status).toBe("cancelled");
    expect(onComplete).not.toHaveBeenCalled();
    expect(onError).not.toHaveBeenCalled();
  });

  test("too late is no cancel: the result is shown", async () => {
    const { analysis } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    backend.write("job-1", { status: "completed", result: RESULT });
    expect(await analysis.cancel()).toBe(false);
    await settled();
    expect(analysis.getState()).toMatchObject({ status: "completed", result: RESULT });
  });

  test("before the job has an id cancels it when it gets one", async () => {
    const slow = promised<Enqueued>();
    backend.enqueue.mockReturnValueOnce(slow.promise);
    const { analysis } = anAnalysis(backend);
    const submitted = analysis.submit({ n: 1 });
    expect(await analysis.cancel()).toBe(true);
    expect(analysis.getState().status).toBe("cancelled");
    backend.write("job-5", {});
    slow.resolve({ id: "job-5", status: "pending" });
    await submitted;
    await settled();
    expect(backend.rows.get("job-5")?.status).toBe("cancelled");
    expect(analysis.getState().status).toBe("cancelled");
  });

  test("that nobody answers says so, and the job is followed on", async () => {
    const { analysis } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    backend.cancel.mockRejectedValueOnce(lost());
    expect(await analysis.cancel()).toBe(false);
    await backend.change("job-1", { status: "completed", result: RESULT });
    expect(analysis.getState().status).toBe("completed");
  });

  test("by another tab is told without an error", async () => {
    const { analysis, onError } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    await backend.change("job-1", { status: "cancelled" });
    expect(analysis.getState()).toMatchObject({ status: "cancelled", error: null });
    expect(onError).not.toHaveBeenCalled();
  });

  test("nothing is nothing", async () => {
    const { analysis } = anAnalysis(backend);
    expect(await analysis.cancel()).toBe(false);
    expect(backend.cancel).not.toHaveBeenCalled();
  });

  test("reset forgets all, and leaves the job alone", async () => {
    const { analysis } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    analysis.reset();
    expect(analysis.getState()).toMatchObject({ status: "idle", jobId: null });
    expect(analysis.canRetry()).toBe(false);
    expect(await analysis.retry()).toBeNull();
    expect(backend.cancel).not.toHaveBeenCalled();
    expect(backend.listening("job-1")).toBe(0);
  });
});

describe("leaving", () => {
  test("ends the listening and the polling, and never the job", async () => {
    const { analysis, leave } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    await settled();
    leave();
    const looks = backend.status.mock.calls.length;
    await pass(120_000);
    expect(backend.status.mock.calls.length).toBe(looks);
    expect(backend.listening("job-1")).toBe(0);
    expect(backend.cancel).not.toHaveBeenCalled();
  });

  test("and coming back shows what happened meanwhile, once", async () => {
    const { analysis, leave, onComplete } = anAnalysis(backend);
    await analysis.submit({ n: 1 });
    leave();
    backend.write("job-1", { status: "completed", result: RESULT });
    for (let times = 0; times < 3; times++) {
      const again = analysis.subscribe(() => {});
      await settled();
      again();
    }
    expect(analysis.getState().status).toBe("completed");
    expect(onComplete).toHaveBeenCalledOnce();
  });

  test("before the job has an id does not lose it", async () => {
    const slow = promised<Enqueued>();
    backend.enqueue.mockReturnValueOnce(slow.promise);
    const { analysis, leave, onComplete } = anAnalysis(backend);
    void analysis.submit({ n: 1 });
    leave();
    backend.write("job-3", { status: "completed", result: RESULT });
    slow.resolve({ id: "job-3", status: "pending" });
    await settled();
    expect(backend.listening("job-3")).toBe(0);
    analysis.subscribe(() => {});
    await settled();
    expect(onComplete).toHaveBeenCalledExactlyOnceWith(RESULT, "job-3");
  });
});

test("health is not asked about while a job is served", async () => {
  const { analysis } = anAnalysis(backend);
  await analysis.submit({ n: 1 });
  await backend.change("job-1", { status: "processing", progress: 0.1 });
  await pass(60_000);
  expect(backend.flags).not.toHaveBeenCalled();
  expect(analysis.getState().delayed).toBe(false);
  expect(backend.healthNow).toBe(HEALTHY);
});

// When the synchronous way may be taken, so that nothing is done and billed twice.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AnalysisFailure, createGate, type Enqueued } from "../src/index.ts";
import {
  anAnalysis, FakeBackend, HEALTHY, lost, NO_WORKER, pass, promised, refused, RESULT, settled,
} from "./fakes.ts";

let backend: FakeBackend;
const fallback = vi.fn(async (): Promise<Enqueued> => ({ id: "sync-1", status: "completed", result: RESULT }));
beforeEach(() => {
  vi.useFakeTimers();
  backend = new FakeBackend();
  fallback.mockReset().mockImplementation(async () => ({ id: "sync-1", status: "completed", result: RESULT }));
});
afterEach(() => {
  vi.useRealTimers();
});

async function submitted(options = {}) {
  const made = anAnalysis(backend, { fallback, ...options });
  const promise = made.analysis.submit({ n: 1 });
  await pass(3_000);
  await promise;
  return made;
}

describe("before a job", () => {
  test("flags that are off, or jobs that do not get done, make it synchronous from the start", async () => {
    backend.healthNow = NO_WORKER;
    const { analysis, onComplete } = await submitted();
    expect(analysis.getState()).toMatchObject({ status: "completed", transport: "sync", result: RESULT });
    expect(backend.enqueue).not.toHaveBeenCalled();
    expect(onComplete).toHaveBeenCalledExactlyOnceWith(RESULT, "sync-1");
  });

  test("a flag of this type decides, one of another does not", async () => {
    backend.healthNow = { ...HEALTHY, types: { toy: "toys" }, flags: { toys: { async: false, reason: "off" } } };
    expect((await submitted()).analysis.getState().transport).toBe("sync");
    backend = new FakeBackend();
    backend.healthNow = { ...HEALTHY, types: { other: "toys" }, flags: { toys: { async: false, reason: "off" } } };
    await submitted();
    expect(backend.enqueue).toHaveBeenCalledOnce();
  });

  test("flags that cannot be had stop nobody", async () => {
    backend.flags.mockRejectedValue(lost());
    await submitted();
    expect(backend.enqueue).toHaveBeenCalledOnce();
    expect(fallback).not.toHaveBeenCalled();
  });

  test("an enqueue that nobody answers falls back, after it was tried under one key", async () => {
    backend.enqueue.mockRejectedValue(lost());
    const { analysis } = await submitted();
    expect(backend.enqueue).toHaveBeenCalledTimes(3);
    expect(fallback).toHaveBeenCalledOnce();
    expect(analysis.getState()).toMatchObject({ status: "completed", transport: "sync" });
  });

  test("an enqueue that was refused does not: the synchronous way is no way around a limit", async () => {
    backend.enqueue.mockRejectedValue(refused());
    const { analysis } = await submitted();
    expect(fallback).not.toHaveBeenCalled();
    expect(analysis.getState().error?.code).toBe("too_large");
  });

  test.each(["async_healthy", "not_found"])("a synchronous way that says %s is believed once", async (code) => {
    backend.healthNow = NO_WORKER;
    fallback.mockRejectedValue(new AnalysisFailure(code, "Enqueue a job."));
    const { analysis } = await submitted();
    expect(backend.enqueue).toHaveBeenCalledOnce();
    expect(analysis.getState()).toMatchObject({ status: "pending", transport: "polling", jobId: "job-1" });
  });

  test("two ways that each send to the other end in an error, not in a circle", async () => {
    backend.enqueue.mockRejectedValue(lost());
    fallback.mockRejectedValue(new AnalysisFailure("async_healthy", "Enqueue a job: jobs get done."));
    const { analysis } = await submitted();
    expect(fallback).toHaveBeenCalledOnce();
    expect(analysis.getState()).toMatchObject({ status: "failed", error: { code: "async_healthy" } });
  });

  test("sent from the synchronous way to a queue that nobody answers, it does not go back", async () => {
    backend.healthNow = NO_WORKER;
    fallback.mockRejectedValue(new AnalysisFailure("async_healthy", "Enqueue a job: jobs get done."));
    backend.enqueue.mockRejectedValue(lost());
    const { analysis } = await submitted();
    expect(fallback).toHaveBeenCalledOnce();
    expect(analysis.getState()).toMatchObject({ status: "failed", error: { code: "unavailable" } });
  });

  test("a synchronous way that names a job that does it already has that job followed", async () => {
    backend.enqueue.mockRejectedValue(lost());
    backend.write("twin", { status: "processing" });
    fallback.mockResolvedValue({ id: "twin", status: "processing" });
    const { analysis, onComplete } = await submitted();
    await backend.change("twin", { status: "completed", result: RESULT });
    expect(analysis.getState()).toMatchObject({ status: "completed", jobId: "twin" });
    expect(onComplete).toHaveBeenCalledExactlyOnceWith(RESULT, "twin");
  });

  test("cancelling the synchronous way aborts it, and its answer is not shown", async () => {
    backend.healthNow = NO_WORKER;
    const slow = promised<Enqueued>();
    let signal: AbortSignal | undefined;
    const { analysis, onComplete } = anAnalysis(backend, {
      fallback: (_input, given) => {
        signal = given;
        return slow.promise;
      },
    });
    const promise = analysis.submit({ n: 1 });
    await settled();
    expect(await analysis.cancel()).toBe(true);
    expect(signal?.aborted).toBe(true);
    slow.resolve({ id: null, status: "completed", result: RESULT });
    await promise;
    expect(analysis.getState().status).toBe("cancelled");
    expect(onComplete).not.toHaveBeenCalled();
  });
});

describe("a job that waits", () => {
  test("for a worker that is not there is cancelled, and done synchronously", async () => {
    const { analysis, onComplete } = await submitted();
    backend.healthNow = NO_WORKER;
    await pass(10_000);
    expect(backend.rows.get("job-1")?.status).toBe("cancelled");
    expect(analysis.getState()).toMatchObject({ status: "completed", transport: "sync", result: RESULT });
    expect(onComplete).toHaveBeenCalledOnce();
  });

  test("is not given up while jobs get done, nor while that recovers", async () => {
    const { analysis } = await submitted();
    await pass(30_000);
    backend.healthNow = { ...NO_WORKER, why: "recovering" };
    await pass(30_000);
    expect(backend.cancel).not.toHaveBeenCalled();
    expect(analysis.getState().status).toBe("pending");
  });

  test("and that a worker began in that moment is not done twice", async () => {
    const { analysis, onError } = await submitted();
    backend.healthNow = NO_WORKER;
    backend.cancel.mockImplementationOnce(async (id) => {
      backend.write(id, { status: "cancelled", attempts: [{ outcome: "cancelled" }] });
      return { status: "cancelled" };
    });
    await pass(10_000);
    expect(fallback).not.toHaveBeenCalled();
    expect(analysis.getState()).toMatchObject({ status: "failed", error: { code: "interrupted", retryable: true } });
    expect(onError).toHaveBeenCalledOnce();
  });

  test("and that ended in that moment is shown", async () => {
    const { analysis } = await submitted();
    backend.healthNow = NO_WORKER;
    backend.cancel.mockImplementationOnce(async (id) => {
      backend.write(id, { status: "completed", result: { text: "in time" } });
      return { status: "completed" };
    });
    await pass(10_000);
    expect(fallback).not.toHaveBeenCalled();
    expect(analysis.getState().result).toEqual({ text: "in time" });
  });

  test("is done synchronously once, although the answer to the cancel was lost", async () => {
    const { analysis, onComplete } = await submitted();
    backend.healthNow = NO_WORKER;
    backend.cancel.mockImplementationOnce(async (id) => {
      backend.write(id, { status: "cancelled" });
      throw lost();
    });
    await pass(30_000);
    expect(fallback).toHaveBeenCalledOnce();
    expect(onComplete).toHaveBeenCalledOnce();
    expect(analysis.getState().transport).toBe("sync");
  });

  test("and whose cancel never arrived waits on", async () => {
    const { analysis } = await submitted();
    backend.healthNow = NO_WORKER;
    backend.cancel.mockRejectedValueOnce(lost());
    await pass(10_000);
    expect(fallback).not.toHaveBeenCalled();
    expect(analysis.getState()).toMatchObject({ status: "pending", delayed: true });
  });

  test("without a fallback says so, and is never cancelled", async () => {
    const { analysis } = await submitted({ fallback: undefined });
    backend.healthNow = NO_WORKER;
    await pass(10_000);
    expect(analysis.getState()).toMatchObject({ status: "pending", delayed: true });
    backend.healthNow = HEALTHY;
    await backend.change("job-1", { status: "processing" });
    expect(analysis.getState().delayed).toBe(false);
    expect(backend.cancel).not.toHaveBeenCalled();
  });

  test("is left to itself when its component is gone", async () => {
    const { leave } = await submitted();
    backend.healthNow = NO_WORKER;
    leave();
    await pass(120_000);
    expect(backend.rows.get("job-1")?.status).toBe("pending");
  });
});

test("a job is not cancelled for a component that left while it was asked why the job waits", async () => {
  const { leave } = await submitted();
  const slow = promised<typeof NO_WORKER>();
  backend.flags.mockReturnValueOnce(slow.promise);
  await pass(10_000);
  leave();
  slow.resolve(NO_WORKER);
  await settled();
  expect(backend.cancel).not.toHaveBeenCalled();
});

describe("the gate", () => {
  test("stays synchronous for a cool-down, then tries jobs again by itself", async () => {
    backend.enqueue.mockRejectedValueOnce(lost()).mockRejectedValueOnce(lost()).mockRejectedValueOnce(lost());
    const { analysis } = await submitted();
    await analysis.submit({ n: 2 });
    expect(analysis.getState().transport).toBe("sync");
    expect(backend.enqueue).toHaveBeenCalledTimes(3);
    await pass(60_000);
    await analysis.submit({ n: 3 });
    expect(backend.enqueue).toHaveBeenCalledTimes(4);
    expect(analysis.getState().transport).not.toBe("sync");
  });

  test("waits twice as long after each further fallback, ten minutes at most, until a job got done", async () => {
    let now = 0;
    const gate = createGate(async () => HEALTHY, () => now);
    const closedFor = async () => {
      gate.fellBack();
      const from = now;
      while ((await gate.choose("toy")) === "sync") now += 1_000;
      return now - from;
    };
    const waits = [];
    for (let times = 0; times < 6; times++) waits.push(await closedFor());
    expect(waits).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
    gate.worked();
    expect(await closedFor()).toBe(60_000);
  });

  test("asks for flags once for many components, and again after half a minute", async () => {
    let now = 0;
    const read = vi.fn(async () => HEALTHY);
    const gate = createGate(read, () => now);
    await Promise.all([gate.choose("a"), gate.choose("b"), gate.choose("c")]);
    expect(read).toHaveBeenCalledOnce();
    now = 30_000;
    await gate.choose("a");
    expect(read).toHaveBeenCalledTimes(2);
  });
});

import { act, cleanup, render, renderHook, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLegacyHook } from "../src/legacy.ts";
import { type AnalysisOptions, rememberAs } from "../src/index.ts";
import { useAsyncAnalysis } from "../src/react.ts";
import { FakeBackend, lost, pass, RESULT, settled } from "./fakes.ts";

let backend: FakeBackend;
beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  backend = new FakeBackend();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const strict = { wrapper: StrictMode };
const hook = (options: Partial<AnalysisOptions<"toy">> = {}, how = {}) =>
  renderHook(
    (more: Partial<AnalysisOptions<"toy">>) => useAsyncAnalysis({ client: backend, type: "toy", ...options, ...more }),
    { initialProps: {}, ...how },
  );

test("a component sees its job through", async () => {
  const onComplete = vi.fn();
  const { result } = hook({ onComplete });
  expect(result.current).toMatchObject({ status: "idle", isPending: false, canRetry: false });
  await act(() => result.current.submit({ n: 1 }));
  expect(result.current).toMatchObject({ status: "pending", isPending: true, jobId: "job-1" });
  await act(() => backend.change("job-1", { status: "processing", progress: 0.5, phase: "reading" }));
  expect(result.current).toMatchObject({ progress: 0.5, phase: "reading", isPending: true });
  await act(() => backend.change("job-1", { status: "completed", result: RESULT }));
  expect(result.current).toMatchObject({ isSuccess: true, isPending: false, result: RESULT });
  expect(onComplete).toHaveBeenCalledOnce();
});

test("mounted twice by StrictMode, it follows once and calls back once", async () => {
  const onComplete = vi.fn();
  backend.write("job-1", { status: "processing" });
  const { result } = hook({ onComplete, jobId: "job-1" }, strict);
  await act(() => settled());
  expect(backend.listening("job-1")).toBe(1);
  await act(() => backend.change("job-1", { status: "completed", result: RESULT }));
  expect(result.current.isSuccess).toBe(true);
  expect(onComplete).toHaveBeenCalledOnce();
});

test("the latest callback is called, not that of the first render", async () => {
  const first = vi.fn();
  const second = vi.fn();
  const { result, rerender } = hook({ onComplete: first });
  await act(() => result.current.submit({ n: 1 }));
  rerender({ onComplete: second });
  await act(() => backend.change("job-1", { status: "completed", result: RESULT }));
  expect(first).not.toHaveBeenCalled();
  expect(second).toHaveBeenCalledOnce();
});

test("unmounting leaves the job alone and listens no more", async () => {
  const { result, unmount } = hook();
  await act(() => result.current.submit({ n: 1 }));
  unmount();
  await pass(60_000);
  expect(backend.cancel).not.toHaveBeenCalled();
  expect(backend.listening("job-1")).toBe(0);
});

test("two components follow one job and each calls back", async () => {
  const calls = [vi.fn(), vi.fn()];
  backend.write("job-1", {});
  for (const onComplete of calls) hook({ onComplete, jobId: "job-1" });
  await act(() => settled());
  expect(backend.listening("job-1")).toBe(2);
  await act(() => backend.change("job-1", { status: "completed", result: RESULT }));
  for (const onComplete of calls) expect(onComplete).toHaveBeenCalledOnce();
});

test("another client starts afresh", async () => {
  const { result, rerender } = hook();
  await act(() => result.current.submit({ n: 1 }));
  rerender({ client: new FakeBackend() });
  expect(result.current.status).toBe("idle");
  expect(backend.listening("job-1")).toBe(0);
});

test("the server renders it idle", () => {
  const Shown = () => <p>{useAsyncAnalysis({ client: backend, type: "toy", jobId: "job-1" }).status}</p>;
  expect(renderToString(<Shown />)).toBe("<p>idle</p>");
  expect(backend.status).not.toHaveBeenCalled();
});

test("after a reload the job goes on", async () => {
  const before = hook({ memory: rememberAs("exam") });
  await act(() => before.result.current.submit({ n: 1 }));
  before.unmount();
  const onComplete = vi.fn();
  const { result } = hook({ memory: rememberAs("exam"), onComplete });
  await act(() => settled());
  expect(result.current).toMatchObject({ status: "pending", jobId: "job-1" });
  await act(() => backend.change("job-1", { status: "completed", result: RESULT }));
  expect(onComplete).toHaveBeenCalledExactlyOnceWith(RESULT, "job-1");
  expect(localStorage.length).toBe(0);
});

test("a job of somebody else who used this browser is forgotten without a word", async () => {
  rememberAs("exam").keep("somebody-elses");
  const onError = vi.fn();
  const { result } = hook({ memory: rememberAs("exam"), onError });
  await act(() => settled());
  expect(result.current).toMatchObject({ status: "idle", jobId: null });
  expect(onError).not.toHaveBeenCalled();
  expect(localStorage.length).toBe(0);
});

test("a browser that forbids storage is no error", async () => {
  vi.stubGlobal("localStorage", undefined);
  const { result } = hook({ memory: rememberAs("exam") });
  await act(() => result.current.submit({ n: 1 }));
  expect(result.current.jobId).toBe("job-1");
});

test("a result of one tab does not forget the job that another began", () => {
  const memory = rememberAs("exam");
  memory.keep("mine");
  rememberAs("exam").keep("theirs");
  memory.forget("mine");
  expect(memory.recall()).toBe("theirs");
});

// The app's former call shape ------------------------------------------------------------------------------------------

test("the former shape enqueues, shows and completes as before", async () => {
  const useLegacy = createLegacyHook(backend);
  const onComplete = vi.fn();
  const Shown = () => {
    const { enqueueAnalysis, progress, isProcessing, isCompleted } = useLegacy("user", { onComplete });
    return (
      <button type="button" onClick={() => void enqueueAnalysis("toy", { n: 1 })}>
        {progress} {isProcessing && "processing"} {isCompleted && "completed"}
      </button>
    );
  };
  render(<StrictMode><Shown /></StrictMode>);
  await act(async () => {
    screen.getByRole("button").click();
    await settled();
  });
  await act(() => backend.change("job-1", { status: "processing", progress: 0.42 }));
  expect(screen.getByRole("button").textContent).toContain("42 processing");
  await act(() => backend.change("job-1", { status: "completed", result: RESULT }));
  expect(screen.getByRole("button").textContent).toContain("100  completed");
  expect(onComplete).toHaveBeenCalledExactlyOnceWith(RESULT);
});

test("the former shape without a user enqueues nothing", async () => {
  const useLegacy = createLegacyHook(backend);
  const { result } = renderHook(() => useLegacy(null));
  expect(await result.current.enqueueAnalysis("toy", { n: 1 })).toBeNull();
  expect(backend.enqueue).not.toHaveBeenCalled();
});

test("the former shape tries again by itself as often as it was told, then says so", async () => {
  const useLegacy = createLegacyHook(backend);
  backend.enqueue.mockRejectedValue(lost());
  const onError = vi.fn();
  const { result } = renderHook(() => useLegacy("user", { autoRetry: true, maxRetries: 2, onError }));
  await act(async () => {
    void result.current.enqueueAnalysis("toy", { n: 1 });
    await pass(20_000);
  });
  expect(backend.enqueue).toHaveBeenCalledTimes(9);
  expect(onError).toHaveBeenCalledExactlyOnceWith("no answer");
  expect(result.current.hasError).toBe(true);
});

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { anAnalysis, FakeBackend, lost, pass, RESULT, settled } from "./fakes.ts";

let backend: FakeBackend;
beforeEach(() => {
  vi.useFakeTimers();
  backend = new FakeBackend();
});
afterEach(() => {
  vi.useRealTimers();
});

const looks = () => backend.status.mock.calls.length;

async function pending(options = {}) {
  const made = anAnalysis(backend, { patience: 1e9, ...options });
  await made.analysis.submit({ n: 1 });
  await settled();
  return made;
}

test("without readiness in three seconds it polls", async () => {
  const { analysis } = await pending();
  await pass(2_999);
  const before = analysis.getState().transport;
  await pass(1);
  expect([before, analysis.getState().transport]).toEqual(["realtime", "polling"]);
});

test("readiness that comes late ends the polling", async () => {
  const { analysis } = await pending();
  await pass(4_000);
  await backend.signal("job-1", "ready");
  expect(analysis.getState().transport).toBe("realtime");
  const before = looks();
  await pass(14_000);
  expect(looks() - before).toBeLessThanOrEqual(1);
});

test("it looks after the join and again after readiness, since events between are lost", async () => {
  await pending();
  const before = looks();
  await backend.signal("job-1", "changed");
  await backend.signal("job-1", "ready");
  expect(looks()).toBe(before + 2);
});

test("readiness tells what was missed before it", async () => {
  const { analysis } = await pending();
  backend.write("job-1", { status: "completed", result: RESULT });
  await backend.signal("job-1", "ready");
  expect(analysis.getState().status).toBe("completed");
});

test("a loss is polled through, ever more seldom, and the job still ends", async () => {
  const { analysis, onComplete } = await pending();
  await backend.signal("job-1", "ready");
  await backend.signal("job-1", "lost");
  expect(analysis.getState().transport).toBe("polling");
  const before = looks();
  await pass(2_000);
  expect(looks()).toBe(before + 1);
  await pass(3_000);
  expect(looks()).toBe(before + 2);
  await pass(60_000);
  expect(looks() - before).toBeLessThan(9);
  backend.write("job-1", { status: "completed", result: RESULT });
  await pass(15_000);
  expect(onComplete).toHaveBeenCalledOnce();
});

test("a change makes it look more often again", async () => {
  const { analysis } = await pending();
  await backend.signal("job-1", "lost");
  await pass(60_000);
  backend.write("job-1", { status: "processing", progress: 0.5 });
  await pass(15_000);
  expect(analysis.getState().progress).toBe(0.5);
  const before = looks();
  await pass(5_000);
  expect(looks() - before).toBeGreaterThanOrEqual(1);
});

test("there and back again: realtime, polling, realtime", async () => {
  const { seen } = await pending();
  await backend.signal("job-1", "ready");
  await backend.signal("job-1", "lost");
  await backend.signal("job-1", "ready");
  await backend.change("job-1", { status: "completed", result: RESULT });
  expect(seen.slice(1)).toEqual(["pending/realtime", "pending/polling", "pending/realtime", "completed/realtime"]);
});

test("the safety poll finds what a deaf channel kept silent about, and the channel is joined anew", async () => {
  const { analysis } = await pending();
  await backend.signal("job-1", "ready");
  await backend.change("job-1", { status: "processing", progress: 0.1 });
  backend.write("job-1", { status: "processing", progress: 0.6 });
  await pass(15_000);
  expect(analysis.getState()).toMatchObject({ progress: 0.6, transport: "polling" });
  expect(backend.renewals).toBe(1);
  backend.write("job-1", { status: "completed", result: RESULT });
  await pass(2_000);
  expect(analysis.getState().status).toBe("completed");
});

test("a safety poll that finds nothing new accuses nobody", async () => {
  const { analysis } = await pending();
  await backend.signal("job-1", "ready");
  await pass(61_000);
  expect(backend.renewals).toBe(0);
  expect(analysis.getState().transport).toBe("realtime");
});

test("looks without an answer are repeated, and said after the second", async () => {
  const { analysis } = await pending();
  await backend.signal("job-1", "ready");
  backend.status.mockRejectedValueOnce(lost()).mockRejectedValueOnce(lost());
  await backend.signal("job-1", "changed");
  expect(analysis.getState().delayed).toBe(false);
  await pass(2_000);
  expect(analysis.getState().delayed).toBe(true);
  await backend.change("job-1", { status: "processing" });
  expect(analysis.getState()).toMatchObject({ delayed: false, status: "processing" });
});

test("the interval is the caller's", async () => {
  await pending({ pollInterval: 100 });
  await backend.signal("job-1", "lost");
  const before = looks();
  await pass(100);
  expect(looks()).toBe(before + 1);
});

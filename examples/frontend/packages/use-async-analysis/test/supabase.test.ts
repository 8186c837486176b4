// What the library says to a Supabase client, and what it makes of its answers.

import type { SupabaseClient } from "@supabase/supabase-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { analyzeSync, createAnalysisClient, type Signal } from "../src/index.ts";
import { pass, settled } from "./fakes.ts";

interface FakeChannel {
  topic: string;
  private: boolean;
  on: (kind: string, filter: { filter?: string }, callback: (message: unknown) => void) => FakeChannel;
  subscribe: (callback: (status: string) => void) => FakeChannel;
  filters: Record<string, string | undefined>;
  hear: Record<string, (message: unknown) => void>;
  status: (status: string) => void;
}

/** As Realtime's client: a topic that is still joined cannot be joined again, and a removed channel says CLOSED. */
class FakeSupabase {
  channels: FakeChannel[] = [];
  opened: FakeChannel[] = [];
  session: { user: { id: string } } | null = { user: { id: "user-1" } };
  removing = 0;
  rpc = vi.fn((_name: string, _args: object) => ({ abortSignal: async () => this.answer }));
  answer: { data: unknown; error: unknown; status: number } = { data: null, error: null, status: 200 };
  functions = { invoke: vi.fn() };
  realtime = { setAuth: vi.fn(async () => {}) };
  auth = { getSession: async () => ({ data: { session: this.session } }) };

  channel(topic: string, { config }: { config: { private: boolean } }): FakeChannel {
    if (this.channels.some((channel) => channel.topic === topic)) throw new Error(`joined twice: ${topic}`);
    const channel: FakeChannel = {
      topic,
      private: config.private,
      filters: {},
      hear: {},
      status: () => {},
      on: (kind, { filter }, callback) => {
        channel.filters[kind] = filter;
        channel.hear[kind] = callback;
        return channel;
      },
      subscribe: (callback) => {
        channel.status = callback;
        return channel;
      },
    };
    this.channels.push(channel);
    this.opened.push(channel);
    return channel;
  }

  async removeChannel(channel: FakeChannel): Promise<"ok"> {
    this.removing += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
    this.channels = this.channels.filter((other) => other !== channel);
    this.removing -= 1;
    channel.status("CLOSED");
    return "ok";
  }

  of(jobId: string): FakeChannel {
    const found = this.channels.findLast(({ topic }) => topic.startsWith(`analysis_job:${jobId}:`));
    if (!found) throw new Error(`no channel for ${jobId}`);
    return found;
  }

  get hints(): FakeChannel | undefined {
    return this.channels.find((channel) => channel.private);
  }
}

const READY = { extension: "postgres_changes", status: "ok", message: "Subscribed to PostgreSQL" };
let supabase: FakeSupabase;
let client: ReturnType<typeof createAnalysisClient>;
beforeEach(() => {
  vi.useFakeTimers();
  supabase = new FakeSupabase();
  client = createAnalysisClient(supabase as unknown as SupabaseClient);
});
afterEach(() => {
  vi.useRealTimers();
});

function listen(jobId = "a") {
  const heard: Signal[] = [];
  return { heard, ...client.listen(jobId, (signal) => heard.push(signal)) };
}

describe("calls", () => {
  test("carry the arguments of the SQL functions", async () => {
    supabase.answer = { data: { id: "a", status: "pending" }, error: null, status: 200 };
    expect(await client.enqueue("toy", { n: 1 }, "key")).toEqual({ id: "a", status: "pending" });
    await client.status("a");
    await client.cancel("a");
    await client.flags();
    expect(supabase.rpc.mock.calls).toEqual([
      ["enqueue_analysis", { type: "toy", input: { n: 1 }, idempotency_key: "key" }],
      ["get_analysis_status", { job_id: "a" }],
      ["cancel_analysis", { job_id: "a" }],
      ["get_flags", {}],
    ]);
  });

  test.each([
    [429, { code: "PT429", message: "too many", details: '{"retry_after_seconds": 7}' }, ["too_many_requests", true, 7]],
    [400, { code: "PT400", message: "bad", details: null }, ["invalid_request", false, undefined]],
    [401, { code: "PGRST303", message: "JWT expired" }, ["not_signed_in", true, undefined]],
    [403, { code: "42501", message: "permission denied" }, ["forbidden", false, undefined]],
    [404, { code: "PT404", message: "job not found" }, ["not_found", false, undefined]],
    [503, { code: "PT503", message: "analysis type is paused" }, ["paused", true, undefined]],
    [503, { code: "PGRST002", message: "no schema cache" }, ["unavailable", true, undefined]],
    [500, { code: "57014", message: "timeout" }, ["unavailable", true, undefined]],
    [400, { code: "", message: "" }, ["unavailable", true, undefined]],
    [0, { code: "", message: "TypeError: fetch failed" }, ["unavailable", true, undefined]],
  ])("HTTP %i %j is %j", async (status, error, [code, retryable, retryAfterSeconds]) => {
    supabase.answer = { data: null, error, status };
    const failure = await client.enqueue("toy", {}, "key").catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ code, retryable });
    expect((failure as { retryAfterSeconds?: number }).retryAfterSeconds).toBe(retryAfterSeconds);
  });

  test("the synchronous function's problems keep their code", async () => {
    const problem = { status: 409, code: "async_healthy", title: "Enqueue a job: jobs get done." };
    supabase.functions.invoke.mockResolvedValue({
      data: null,
      error: new Error("non-2xx"),
      response: new Response(JSON.stringify(problem), { status: 409 }),
    });
    const analyze = analyzeSync(supabase as unknown as SupabaseClient, "toy");
    await expect(analyze({ n: 1 }, new AbortController().signal)).rejects.toMatchObject({ code: "async_healthy" });
  });

  test("a synchronous function that answers nothing is unavailable", async () => {
    supabase.functions.invoke.mockResolvedValue({ data: null, error: new Error("fetch failed") });
    const analyze = analyzeSync(supabase as unknown as SupabaseClient, "toy");
    await expect(analyze({ n: 1 }, new AbortController().signal)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("Realtime", () => {
  test("filters by the job's id, and is ready with the system message, not with the reply", async () => {
    const { heard } = listen();
    await settled();
    const channel = supabase.of("a");
    expect(channel.filters["postgres_changes"]).toBe("id=eq.a");
    channel.status("SUBSCRIBED");
    expect(heard).toEqual(["changed"]);
    channel.hear["system"]?.({ extension: "system", status: "ok" });
    expect(heard).toEqual(["changed"]);
    channel.hear["system"]?.(READY);
    channel.hear["postgres_changes"]?.({});
    expect(heard).toEqual(["changed", "ready", "changed"]);
  });

  test("knows the user's token before it joins", async () => {
    let known!: () => void;
    supabase.realtime.setAuth.mockReturnValue(new Promise((resolve) => (known = resolve)));
    listen();
    await settled();
    expect(supabase.opened).toEqual([]);
    known();
    await settled();
    expect(supabase.opened).not.toEqual([]);
  });

  test.each(["CHANNEL_ERROR", "TIMED_OUT", "CLOSED"])("%s is a loss, and a new topic is joined", async (status) => {
    const { heard } = listen();
    await settled();
    const first = supabase.of("a");
    first.status(status);
    expect(heard).toEqual(["lost"]);
    await pass(1_100);
    const second = supabase.of("a");
    expect(second.topic).not.toBe(first.topic);
    first.status("CLOSED");
    first.hear["system"]?.({ status: "error" });
    expect(heard).toEqual(["lost"]);
    second.hear["system"]?.(READY);
    expect(heard).toEqual(["lost", "ready"]);
  });

  test("a system error, as of an expired token or a bad binding, is a loss", async () => {
    const { heard } = listen();
    await settled();
    supabase.of("a").hear["system"]?.({ extension: "system", status: "error", message: "Token has expired" });
    expect(heard).toEqual(["lost"]);
  });

  test("joins ever more seldom while it is refused", async () => {
    listen();
    await settled();
    for (let times = 0; times < 20; times++) {
      supabase.channels.find(({ topic }) => topic.startsWith("analysis_job:a"))?.status("CHANNEL_ERROR");
      await pass(5_000);
    }
    const joins = supabase.opened.filter(({ topic }) => topic.startsWith("analysis_job:a")).length;
    expect(joins).toBeGreaterThan(4);
    expect(joins).toBeLessThan(10);
  });

  test("is shared by all who follow the job; who comes later is told that it is ready", async () => {
    const first = listen();
    await settled();
    supabase.of("a").hear["system"]?.(READY);
    const second = listen();
    await settled();
    expect(second.heard).toEqual(["ready"]);
    expect(supabase.channels.filter((channel) => !channel.private)).toHaveLength(1);
    first.stop();
    await pass(1_000);
    supabase.of("a").hear["postgres_changes"]?.({});
    expect(second.heard).toEqual(["ready", "changed"]);
    expect(first.heard).toEqual(["ready"]);
  });

  test("mounted, unmounted and mounted again keeps its channel", async () => {
    listen().stop();
    const { heard } = listen();
    await pass(1_000);
    expect(supabase.opened.filter((channel) => !channel.private)).toHaveLength(1);
    supabase.of("a").hear["system"]?.(READY);
    expect(heard).toEqual(["ready"]);
  });

  test("nobody left leaves no channel", async () => {
    const { stop } = listen();
    await settled();
    stop();
    await pass(1_000);
    expect(supabase.channels).toEqual([]);
    expect(supabase.removing).toBe(0);
  });

  test("everybody gone and back within the removal joins the user's topic only after it was left", async () => {
    const { stop } = listen();
    await settled();
    stop();
    await pass(260);
    expect(supabase.removing).toBe(1);
    const { heard } = listen();
    await pass(1_000);
    supabase.hints?.hear["broadcast"]?.({ payload: { job_id: "a" } });
    expect(heard).toEqual(["changed"]);
  });

  test("renewing joins anew", async () => {
    const { renew, heard } = listen();
    await settled();
    const before = supabase.of("a").topic;
    renew();
    await pass(1_100);
    expect(supabase.of("a").topic).not.toBe(before);
    expect(heard).toEqual(["lost"]);
  });
});

describe("the broadcast", () => {
  test("of the user's jobs is private, one for all of them, and rings for the job that it names", async () => {
    const [a, b] = [listen("a"), listen("b")];
    await settled();
    expect(supabase.hints?.topic).toBe("analysis_jobs:user-1");
    expect(supabase.channels.filter((channel) => channel.private)).toHaveLength(1);
    supabase.hints?.hear["broadcast"]?.({ payload: { job_id: "b" } });
    supabase.hints?.hear["broadcast"]?.({ payload: { job_id: "of another tab" } });
    supabase.hints?.hear["broadcast"]?.({});
    expect([a.heard, b.heard]).toEqual([[], ["changed"]]);
  });

  test("that is refused is no loss, and is asked for again a minute later", async () => {
    const { heard } = listen();
    await settled();
    supabase.hints?.status("CHANNEL_ERROR");
    await pass(59_000);
    expect(supabase.hints).toBeUndefined();
    await pass(1_100);
    expect(supabase.hints).toBeDefined();
    expect(heard).toEqual([]);
  });

  test("needs somebody to be signed in", async () => {
    supabase.session = null;
    listen();
    await settled();
    expect(supabase.hints).toBeUndefined();
    expect(supabase.channels).toHaveLength(1);
  });
});

test("a page that comes to the front, or online, looks at its jobs", async () => {
  const { heard, stop } = listen();
  document.dispatchEvent(new Event("visibilitychange"));
  dispatchEvent(new Event("online"));
  expect(heard).toEqual(["changed", "changed"]);
  stop();
  await pass(1_000);
  dispatchEvent(new Event("online"));
  expect(heard).toEqual(["changed", "changed"]);
});

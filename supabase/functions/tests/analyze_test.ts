import { analyze, type Surroundings } from "../analyze-sync/handler.ts";
import { encodeBase64 } from "../analyze-sync/base64.ts";
import type { JsonObject } from "../_shared/body.ts";
import { checkContract, type Contract } from "../_shared/contract.ts";
import { assertEquals, assertProblem } from "./assert.ts";
import { callOf, type Seen, tokenWith, withServer } from "./servers.ts";

const USER = "6f0f7a0e-5b0e-4a51-8f52-0f5f1f4b1a11";
const TOKEN = tokenWith({ sub: USER });
const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1]);
const ASYNC_OFF = { healthy: true, types: { echo: "sofia" }, flags: { sofia: { async: false } } };
const ASYNC_ON = { healthy: true, types: { echo: "sofia" }, flags: { sofia: { async: true } } };
const SAID = { type: "object", properties: { said: { type: "string" } }, required: ["said"] };
const CONTRACT: Contract = {
  type: "echo",
  prompt_version: "echo.v1",
  result_schema: SAID,
  sync: {
    model: "gemini-test",
    system: "Be brief.",
    user_template: "Say {{text}}",
    response_schema: SAID,
    timeout_seconds: 25,
    prices: { input: 0.1, cached_input: 0.01, output: 0.2 },
  },
};

function gemini(text: string, more: JsonObject = {}): JsonObject {
  const candidate = { finishReason: "STOP", content: { parts: [{ text: "hm", thought: true }, { text }] }, ...more };
  const usageMetadata = {
    promptTokenCount: 110,
    cachedContentTokenCount: 10,
    candidatesTokenCount: 5,
    thoughtsTokenCount: 5,
  };
  return { candidates: [candidate], usageMetadata };
}

interface World {
  flags?: unknown;
  known?: unknown;
  model?: (seen: Seen) => Response | Promise<Response>;
  record?: () => Response;
  contract?: Contract;
}

function answerAs(world: World): (seen: Seen) => Response | Promise<Response> {
  return (seen) => {
    switch (seen.path.split("/").at(-1)) {
      case "get_flags":
        return Response.json(world.flags ?? ASYNC_OFF);
      case "check_sync_analysis":
        return Response.json(world.known ?? null);
      case "record_sync_analysis":
        return (world.record ?? (() => Response.json({ id: "job-1", status: "completed" })))();
      case "meal.png":
        return new Response(PNG);
      default:
        return (world.model ?? (() => Response.json(gemini('{"said": "oi"}'))))(seen);
    }
  };
}

function ask(url: string, world: World, input: JsonObject = { text: "oi" }): Promise<Response> {
  const around: Surroundings = {
    project: { url, anonKey: "anon", serviceKey: "service" },
    gemini: () => ({ url: `${url}/gemini`, key: "gemini-key" }),
    loadContract: () => Promise.resolve(world.contract ?? CONTRACT),
    now: () => 0,
    newId: () => "id-1",
  };
  const body = JSON.stringify({ type: "echo", input });
  const request = new Request(url, { method: "POST", headers: { authorization: `Bearer ${TOKEN}` }, body });
  return analyze(around, callOf(request));
}

function inWorld(world: World, test: (url: string, seen: Seen[]) => Promise<void>): Promise<void> {
  return withServer(answerAs(world), test);
}

Deno.test("the model is asked by the contract, and the answer is written down as the user's", () =>
  inWorld({}, async (url, seen) => {
    const answer = await ask(url, {}, { text: "oi", files: [{ bucket: "inputs", path: "me/meal.png" }] });

    assertEquals(await answer.json(), { id: "job-1", status: "completed", cached: false, result: { said: "oi" } });
    const [flags, check, file, model, record] = seen;
    assertEquals(seen.length, 5);
    for (const asUser of [flags, check, file]) {
      assertEquals(asUser?.headers.get("authorization"), `Bearer ${TOKEN}`);
    }
    assertEquals(file?.path, "/storage/v1/object/authenticated/inputs/me/meal.png");
    assertEquals(model?.path, "/gemini/v1/models/gemini-test:generateContent");
    assertEquals([model?.headers.get("x-goog-api-key"), model?.headers.get("authorization")], ["gemini-key", null]);
    const asked = JSON.parse(model?.body ?? "");
    assertEquals(asked.systemInstruction.parts[0].text, "Be brief.");
    assertEquals(asked.contents[0].parts, [
      { inlineData: { mimeType: "image/png", data: encodeBase64(PNG) } },
      { text: "Say oi" },
    ]);
    assertEquals(asked.generationConfig.responseJsonSchema, SAID);
    assertEquals(record?.headers.get("authorization"), "Bearer service");
    const written = JSON.parse(record?.body ?? "");
    assertEquals([written.user_id, written.result, written.idempotency_key], [USER, { said: "oi" }, "sync:id-1"]);
    assertEquals(
      [written.usage.input_tokens, written.usage.output_tokens, written.usage.cost_micro_usd],
      [110, 10, 13], // 100 * 0.1 + 10 * 0.01 + 10 * 0.2 = 12.1
    );
  }));

for (
  const [name, flags] of Object.entries({
    "the user's flag is on": ASYNC_ON,
    "its type has no flag": { healthy: true, types: {}, flags: {} },
  })
) {
  Deno.test(`while jobs get done it refuses when ${name}`, () =>
    inWorld({ flags }, async (url, seen) => {
      await assertProblem(() => ask(url, {}), 409, "async_healthy");
      assertEquals(seen.length, 1);
    }));
}

Deno.test("while jobs do not get done it answers everybody", () =>
  inWorld({ flags: { ...ASYNC_ON, healthy: false } }, async (url) => assertEquals((await ask(url, {})).status, 200)));

Deno.test("what is known already asks no model", () =>
  inWorld({ known: { id: "job-0", status: "completed", cached: true, result: 1 } }, async (url, seen) => {
    const answer = await ask(url, {});
    assertEquals([answer.status, (await answer.json()).id, seen.length], [200, "job-0", 2]);
  }));

const FAILURES: [string, World["model"], number, string][] = [
  ["is overloaded", () => new Response("no", { status: 503 }), 503, "provider_unavailable"],
  [
    "says slow down",
    () => new Response("no", { status: 429, headers: { "retry-after": "9" } }),
    503,
    "provider_unavailable",
  ],
  ["refuses the key", () => new Response("API key gemini-key", { status: 403 }), 503, "provider_unavailable"],
  ["sends us elsewhere", () => Response.redirect("http://127.0.0.1:9/"), 503, "provider_unavailable"],
  ["answers HTML", () => new Response("<html>"), 502, "unusable_answer"],
  ["answers nothing", () => Response.json({}), 502, "unusable_answer"],
  ["answers no JSON", () => Response.json(gemini("oi")), 502, "unusable_answer"],
  ["answers another shape", () => Response.json(gemini('{"said": 1}')), 502, "unusable_answer"],
  ["was cut off", () => Response.json(gemini('{"said', { finishReason: "MAX_TOKENS" })), 502, "unusable_answer"],
  ["blocks the question", () => Response.json({ promptFeedback: { blockReason: "SAFETY" } }), 422, "answer_blocked"],
  ["blocks its answer", () => Response.json(gemini("", { finishReason: "SAFETY" })), 422, "answer_blocked"],
];

for (const [what, model, status, code] of FAILURES) {
  Deno.test(`a model that ${what} is ${status}, and nothing is written down`, () =>
    inWorld(model === undefined ? {} : { model }, async (url, seen) => {
      await assertProblem(() => ask(url, {}), status, code);
      assertEquals(seen.some((each) => each.path.endsWith("record_sync_analysis")), false);
    }));
}

Deno.test("a model that does not answer in time is given up", async () => {
  const held = Promise.withResolvers<Response>();
  await inWorld({ model: () => held.promise }, async (url) => {
    await assertProblem(
      () => ask(url, { contract: { ...CONTRACT, sync: { ...CONTRACT.sync, timeout_seconds: 0.2 } } }),
      504,
      "too_slow",
    );
    held.resolve(new Response());
  });
});

Deno.test("an answer that cannot be written down is told all the same, after a second try", () =>
  inWorld({ record: () => new Response("", { status: 500 }) }, async (url, seen) => {
    const answer = await (await ask(url, {})).json();
    assertEquals([answer.id, answer.result], [null, { said: "oi" }]);
    assertEquals(seen.filter((each) => each.path.endsWith("record_sync_analysis")).length, 2);
  }));

Deno.test("a file that is no picture is refused", () =>
  withServer(
    (seen) => seen.path.includes("storage") ? new Response("#!/bin/sh") : answerAs({})(seen),
    (url) =>
      assertProblem(
        () => ask(url, {}, { files: [{ bucket: "inputs", path: "me/x" }] }),
        400,
        "invalid_request",
        "input.files",
      ),
  ));

Deno.test("what code adds is no model's to change, and the whole is a result of the type", () =>
  inWorld({ model: () => Response.json(gemini('{"said": "oi", "disclaimer": "none"}')) }, async (url) => {
    const sync = { ...CONTRACT.sync, fixed: { disclaimer: "ours" } };
    const schema = (type: string) => ({ ...SAID, properties: { ...SAID.properties, disclaimer: { type } } });
    const good = await ask(url, { contract: { ...CONTRACT, sync, result_schema: schema("string") } });

    assertEquals((await good.json()).result, { said: "oi", disclaimer: "ours" });
    const wrong = { ...CONTRACT, sync, result_schema: schema("number") };
    await assertProblem(() => ask(url, { contract: wrong }), 502, "unusable_answer");
  }));

Deno.test("a contract that is none is not taken for one", async () => {
  const { sync: _, ...withoutSync } = CONTRACT;
  await assertProblem(() => checkContract(withoutSync), 404, "not_found");
  for (const wrong of [null, { ...CONTRACT, type: 1 }, { ...CONTRACT, sync: { ...CONTRACT.sync, system: 1 } }]) {
    await assertProblem(() => checkContract(wrong), 503, "not_configured");
  }
  assertEquals(checkContract(CONTRACT), CONTRACT);
});

Deno.test("base64 is base64 at every length", () => {
  for (const length of [0, 1, 2, 3, 98_303, 98_304, 98_305, 300_001]) {
    const bytes = new Uint8Array(length).map((_, index) => index % 251);
    const back = Uint8Array.from(atob(encodeBase64(bytes)), (character) => character.charCodeAt(0));
    assertEquals([back.length, back.every((byte, index) => byte === bytes[index])], [length, true]);
  }
});

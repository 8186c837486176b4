import { encodeBase64 } from "../analyze-sync/base64.ts";
import { checkContract } from "../_shared/contract.ts";
import { assertEquals, assertProblem } from "./assert.ts";
import { withServer } from "./servers.ts";
import {
  answerAs,
  ask,
  ASYNC_ON,
  CONTRACT,
  gemini,
  inWorld,
  PNG,
  SAID,
  TOKEN,
  USER,
  type World,
} from "./surroundings.ts";

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

for (const [name, file] of Object.entries({ file: "one", files: ["one"] })) {
  Deno.test(`a ${name} that is no picture is refused`, () =>
    withServer(
      (seen) => seen.path.includes("storage") ? new Response("#!/bin/sh") : answerAs({})(seen),
      (url) => {
        const stored = { bucket: "inputs", path: "me/x" };
        const input = { [name]: Array.isArray(file) ? [stored] : stored };
        return assertProblem(() => ask(url, {}, input), 400, "invalid_request", `input.${name}`);
      },
    ));
}

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
  const wrongSync = [{ ...CONTRACT.sync, system: 1 }, { ...CONTRACT.sync, by: { field: "a", variants: { b: {} } } }];
  for (const wrong of [null, { ...CONTRACT, type: 1 }, ...wrongSync.map((sync) => ({ ...CONTRACT, sync }))]) {
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

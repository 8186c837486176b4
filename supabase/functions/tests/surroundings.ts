// What surrounds analyze-sync in tests: PostgREST, Storage and Gemini in one server, and a contract to ask by.

import { analyze, type Surroundings } from "../analyze-sync/handler.ts";
import { loadFoods } from "../analyze-sync/meal.ts";
import type { JsonObject } from "../_shared/body.ts";
import type { Contract } from "../_shared/contract.ts";
import { loadGuard } from "../_shared/guard.ts";
import { callOf, type Seen, tokenWith, withServer } from "./servers.ts";

export const USER = "6f0f7a0e-5b0e-4a51-8f52-0f5f1f4b1a11";
export const TOKEN = tokenWith({ sub: USER });
/** Nothing but a beginning and an end. */
export const PNG = Uint8Array.from(atob("iVBORw0KGgoAAAAASUVORAECAwQ="), (character) => character.charCodeAt(0));
export const ASYNC_OFF = { healthy: true, types: { echo: "sofia" }, flags: { sofia: { async: false } } };
export const ASYNC_ON = { healthy: true, types: { echo: "sofia" }, flags: { sofia: { async: true } } };
export const SAID = { type: "object", properties: { said: { type: "string" } }, required: ["said"] };
export const CONTRACT: Contract = {
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

export function gemini(text: string, more: JsonObject = {}): JsonObject {
  const candidate = { finishReason: "STOP", content: { parts: [{ text: "hm", thought: true }, { text }] }, ...more };
  const usageMetadata = {
    promptTokenCount: 110,
    cachedContentTokenCount: 10,
    candidatesTokenCount: 5,
    thoughtsTokenCount: 5,
  };
  return { candidates: [candidate], usageMetadata };
}

export interface World {
  flags?: unknown;
  known?: unknown;
  model?: (seen: Seen) => Response | Promise<Response>;
  record?: () => Response;
  contract?: Contract;
}

export function answerAs(world: World): (seen: Seen) => Response | Promise<Response> {
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

export function ask(url: string, world: World, input: JsonObject = { text: "oi" }): Promise<Response> {
  const around: Surroundings = {
    project: { url, anonKey: "anon", serviceKey: "service" },
    gemini: () => ({ url: `${url}/gemini`, key: "gemini-key" }),
    loadContract: () => Promise.resolve(world.contract ?? CONTRACT),
    loadGuard,
    loadFoods,
    now: () => 0,
    newId: () => "id-1",
  };
  const body = JSON.stringify({ type: "echo", input });
  const request = new Request(url, { method: "POST", headers: { authorization: `Bearer ${TOKEN}` }, body });
  return analyze(around, callOf(request));
}

export function inWorld(world: World, test: (url: string, seen: Seen[]) => Promise<void>): Promise<void> {
  return withServer(answerAs(world), test);
}

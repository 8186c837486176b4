// One question to Gemini over its REST API, and its answer held to the contract.

import { isObject, type JsonObject } from "../_shared/body.ts";
import type { Prices, Sync } from "../_shared/contract.ts";
import type { GeminiSettings } from "../_shared/env.ts";
import { Problem } from "../_shared/problem.ts";
import { findProblem } from "../_shared/schema.ts";
import type { InlineFile } from "./files.ts";

export interface Usage {
  [name: string]: string | number;
}

const BLOCKS = ["SAFETY", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST", "RECITATION", "IMAGE_SAFETY"];
const MAX_OUTPUT_TOKENS = 8192;

/** Raises 422 where the model will not answer, 502 for an answer that is none, 503 and 504 where it does not come. */
export async function askGemini(
  { url, key }: GeminiSettings,
  sync: Sync,
  question: string,
  files: readonly InlineFile[],
  signal: AbortSignal,
): Promise<{ answer: unknown; usage: Usage }> {
  const response = await send(`${url}/v1/models/${sync.model}:generateContent`, key, {
    systemInstruction: { parts: [{ text: sync.system }] },
    contents: [{ role: "user", parts: [...files.map((file) => ({ inlineData: file })), { text: question }] }],
    generationConfig: {
      maxOutputTokens: sync.max_output_tokens ?? MAX_OUTPUT_TOKENS,
      responseMimeType: "application/json",
      responseJsonSchema: sync.response_schema,
      thinkingConfig: { thinkingLevel: (sync.thinking ?? "low").toUpperCase() },
    },
  }, signal);
  return { answer: parseAnswer(textOf(response), sync.response_schema), usage: usageOf(response, sync) };
}

async function send(url: string, key: string, body: JsonObject, signal: AbortSignal): Promise<JsonObject> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-goog-api-key": key },
      body: JSON.stringify(body),
      signal,
      redirect: "error", // the key is for this host alone
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw providerDown(`HTTP ${response.status}`, response.headers.get("retry-after"));
    }
    const answer: unknown = await response.json();
    return isObject(answer) ? answer : {};
  } catch (error) {
    throw error instanceof Problem ? error : problemOf(error, signal);
  }
}

/** Of an error of `fetch` only the name is told on: its message holds the URL. */
function problemOf(error: unknown, signal: AbortSignal): Problem {
  if (signal.aborted) {
    return new Problem({ status: 504, code: "too_slow", title: "The model did not answer in time." });
  }
  if (error instanceof SyntaxError) {
    return unusable("not JSON");
  }
  return providerDown(error instanceof Error ? error.name : "unknown error", null);
}

function textOf(answer: JsonObject): string {
  const feedback = answer["promptFeedback"];
  if (isObject(feedback) && feedback["blockReason"] !== undefined) {
    throw blocked();
  }
  const candidate = list(answer["candidates"])[0] ?? {};
  const reason = String(candidate["finishReason"]);
  if (BLOCKS.includes(reason)) {
    throw blocked();
  }
  if (reason !== "STOP") {
    throw unusable(`finished by ${reason}`);
  }
  const content = isObject(candidate["content"]) ? candidate["content"] : {};
  return list(content["parts"]).filter((part) => part["thought"] !== true).map((part) => part["text"] ?? "").join("");
}

function parseAnswer(text: string, schema: JsonObject): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable("not JSON");
  }
  return holdTo(schema, value);
}

/** Raises 502 unless the value fits. */
export function holdTo(schema: JsonObject, value: unknown): unknown {
  const problem = findProblem(schema, value);
  if (problem !== null) {
    throw unusable(problem);
  }
  return value;
}

function usageOf(answer: JsonObject, { model, prices }: Sync): Usage {
  const counts = isObject(answer["usageMetadata"]) ? answer["usageMetadata"] : {};
  const count = (name: string) => typeof counts[name] === "number" ? counts[name] : 0;
  const input = count("promptTokenCount");
  const cached = count("cachedContentTokenCount");
  const output = count("candidatesTokenCount") + count("thoughtsTokenCount");
  return {
    provider: "gemini",
    model,
    input_tokens: input,
    cached_tokens: cached,
    output_tokens: output,
    ...prices === undefined ? {} : { cost_micro_usd: costOf(input, cached, output, prices) },
  };
}

/** Dollars per million tokens are millionths of a dollar per token; rounded up, as the worker does. */
function costOf(input: number, cached: number, output: number, prices: Prices): number {
  const fresh = Math.max(0, input - cached);
  const cost = fresh * prices.input + cached * prices.cached_input + output * prices.output;
  return Math.ceil(Number(cost.toFixed(6))); // 0.1 + 0.2 is not to cost one more
}

function list(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function blocked(): Problem {
  return new Problem({ status: 422, code: "answer_blocked", title: "The model does not answer to this content." });
}

export function unusable(reason: string): Problem {
  return new Problem({ status: 502, code: "unusable_answer", title: "The model's answer cannot be used." }, reason);
}

function providerDown(reason: string, retryAfter: string | null): Problem {
  const wanted = /^\d{1,5}$/.test(retryAfter ?? "") ? Number(retryAfter) : 10;
  const title = "The model does not answer just now.";
  return new Problem({ status: 503, code: "provider_unavailable", title, retryAfterSeconds: wanted }, reason);
}

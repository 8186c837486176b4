// One call of one SQL function, as somebody. Its refusals (PTxyz) become problems of the same status.

import { isObject, type JsonObject } from "./body.ts";
import type { Project } from "./env.ts";
import { Problem, unavailable } from "./problem.ts";

const TIMEOUT_MS = 10_000;

export interface Rpc {
  /** As whom: the caller's token, or the service's key. */
  token: string;
  name: string;
  /** JSON text, or what becomes one. */
  arguments: string | JsonObject;
}

/** PostgREST's error body. */
interface Refusal {
  code: string;
  message: string;
  details: JsonObject;
}

export async function callRpc(project: Project, rpc: Rpc): Promise<unknown> {
  const response = await send(project, rpc);
  const text = await response.text().catch((error) => {
    throw unavailable(`${rpc.name}: ${nameOf(error)}`);
  });
  if (response.ok) {
    return text === "" ? null : JSON.parse(text);
  }
  throw problemOf(rpc.name, response.status, readRefusal(text));
}

async function send(project: Project, { token, name, arguments: body }: Rpc): Promise<Response> {
  const headers = {
    apikey: project.anonKey,
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
  };
  try {
    return await fetch(`${project.url}/rest/v1/rpc/${name}`, {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw unavailable(`${name}: ${nameOf(error)}`);
  }
}

function readRefusal(text: string): Refusal {
  const body = parseOr(text, {});
  const details = isObject(body) ? body["details"] : undefined;
  const parsed = typeof details === "string" ? parseOr(details, {}) : {};
  return {
    code: isObject(body) ? String(body["code"] ?? "") : "",
    message: isObject(body) ? String(body["message"] ?? "") : "",
    details: isObject(parsed) ? parsed : {},
  };
}

const CODES: Record<number, string> = {
  400: "invalid_request",
  401: "not_signed_in",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  429: "too_many_requests",
  503: "paused",
};

function problemOf(name: string, status: number, refusal: Refusal): Problem {
  const { code, message } = refusal;
  if (/^PT\d{3}$/.test(code) && CODES[status] !== undefined) {
    const retryAfterSeconds = status === 503 ? 60 : numberOr(refusal.details["retry_after_seconds"], undefined);
    return new Problem({
      status,
      code: CODES[status],
      title: message,
      field: status === 400 ? fieldOf(refusal) : undefined,
      retryAfterSeconds: status === 429 ? retryAfterSeconds ?? 60 : retryAfterSeconds,
    });
  }
  if (status === 401) {
    return new Problem({ status, code: "not_signed_in", title: "The token was not accepted." }, code);
  }
  if (status === 403) {
    return new Problem({ status, code: "forbidden", title: "This is not allowed." }, code);
  }
  if (isMistake(code)) {
    const title = "The request holds a value that cannot be stored.";
    return new Problem({ status: 400, code: "invalid_request", title, field: "body" }, code);
  }
  return unavailable(`${name}: HTTP ${status} ${code}`);
}

/** Invalid values (22...), limits of the server as deep nesting passes them (54...), JSON that PostgREST refuses. */
function isMistake(code: string): boolean {
  return /^(22|54)...$/.test(code) || code === "PGRST102";
}

/** Schemas name the part of the input; of what else can be wrong the message names the argument. */
function fieldOf({ message, details }: Refusal): string {
  if (typeof details["field"] === "string") {
    return ["input", details["field"]].filter((part) => part !== "").join(".");
  }
  if (message.includes("key")) {
    return "idempotency_key";
  }
  return ["scheduled_at", "priority"].find((name) => message.includes(name)) ?? "input";
}

function parseOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

function numberOr(value: unknown, otherwise: number | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? Math.max(0, Math.ceil(value)) : otherwise;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "unknown error";
}

// What all functions do around their one step: CORS, request id, method, errors.

import { type Log, logFor } from "./log.ts";
import { Problem } from "./problem.ts";

export interface Call {
  request: Request;
  requestId: string;
  log: Log;
}

export type Method = "GET" | "POST";
export type Handlers = Partial<Record<Method, (call: Call) => Promise<Response>>>;

const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/;
const CORS = {
  "access-control-allow-origin": "*", // no cookies: who calls is in the header Authorization
  "access-control-expose-headers": "ETag, Location, Retry-After, X-Request-Id",
};
const ALLOWED_HEADERS = "authorization, apikey, x-client-info, content-type, if-none-match, x-request-id";

/** A handler for `Deno.serve`. Whatever a handler throws becomes an answer. */
export function answering(handlers: Handlers): (request: Request) => Promise<Response> {
  const allowed = [...Object.keys(handlers), "OPTIONS"].join(", ");
  return async (request) => {
    const requestId = requestIdOf(request);
    const response = request.method === "OPTIONS"
      ? preflight(allowed)
      : await answer(handlers, allowed, { request, requestId, log: logFor(requestId) });
    for (const [name, value] of Object.entries(CORS)) {
      response.headers.set(name, value);
    }
    response.headers.set("x-content-type-options", "nosniff");
    response.headers.set("x-request-id", requestId);
    return response;
  };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store", ...headers } });
}

async function answer(handlers: Handlers, allowed: string, call: Call): Promise<Response> {
  const handle = handlers[call.request.method as Method];
  if (handle === undefined) {
    const problem = new Problem({ status: 405, code: "method_not_allowed", title: `Allowed are ${allowed}.` });
    const response = problem.toResponse(call.requestId);
    response.headers.set("allow", allowed);
    return response;
  }
  try {
    return await handle(call);
  } catch (error) {
    return refuse(call, error);
  }
}

function refuse({ requestId, log }: Call, error: unknown): Response {
  if (error instanceof Problem) {
    log("refused", { status: error.details.status, code: error.details.code, reason: error.reason });
    return error.toResponse(requestId);
  }
  log("failed", { error: error instanceof Error ? error.name : typeof error }); // a message may hold what was sent
  return new Problem({ status: 500, code: "internal", title: "The function failed." }).toResponse(requestId);
}

function requestIdOf(request: Request): string {
  const sent = request.headers.get("x-request-id");
  return sent !== null && REQUEST_ID.test(sent) ? sent : crypto.randomUUID();
}

function preflight(allowed: string): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": allowed,
      "access-control-allow-headers": ALLOWED_HEADERS,
      "access-control-max-age": "3600",
    },
  });
}

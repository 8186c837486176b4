// Servers on this machine that stand for PostgREST, Storage and Gemini.

import type { Call } from "../_shared/http.ts";
import { logFor } from "../_shared/log.ts";

export interface Seen {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}

type Reply = (seen: Seen) => Response | Promise<Response>;

/** Runs `test` with a server that answers by `reply`, and with everything that the server was asked. */
export async function withServer(reply: Reply, test: (url: string, seen: Seen[]) => Promise<void>): Promise<void> {
  const seen: Seen[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const path = new URL(request.url).pathname;
    const one = { method: request.method, path, headers: request.headers, body: await request.text() };
    seen.push(one);
    return await reply(one);
  });
  try {
    await test(`http://127.0.0.1:${server.addr.port}`, seen);
  } finally {
    await server.shutdown();
  }
}

/** A token with these claims; its signature is nobody's. */
export function tokenWith(claims: Record<string, unknown>): string {
  const encode = (part: unknown) => btoa(JSON.stringify(part)).replaceAll("=", "");
  return `${encode({ alg: "HS256" })}.${encode(claims)}.c2lnbmF0dXJl`;
}

export function callOf(request: Request): Call {
  return { request, requestId: "test", log: logFor("test") };
}

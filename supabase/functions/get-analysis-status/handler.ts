// GET ?job_id= or /<job id>: one call of get_analysis_status as the caller, with an ETag for those who ask often.

import { tokenOf } from "../_shared/auth.ts";
import type { Project } from "../_shared/env.ts";
import type { Call } from "../_shared/http.ts";
import { jobIdOf } from "../_shared/job.ts";
import { callRpc } from "../_shared/rpc.ts";

export async function getStatus(project: Project, { request }: Call): Promise<Response> {
  const token = tokenOf(request);
  const jobId = jobIdOf(new URL(request.url));
  const job = await callRpc(project, { token, name: "get_analysis_status", arguments: { job_id: jobId } });
  const body = JSON.stringify(job);
  const etag = await etagOf(body);
  const headers = { etag, "cache-control": "private, no-cache", vary: "Authorization" };
  if (isKnown(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(body, { headers: { ...headers, "content-type": "application/json" } });
}

async function etagOf(body: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  return `"${[...new Uint8Array(digest, 0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}"`;
}

/** Compared weakly: what compresses an answer on its way marks its tag as weak. */
function isKnown(sent: string | null, etag: string): boolean {
  return (sent ?? "").split(",").map((each) => each.trim()).some((each) =>
    each === "*" || each === etag || each === `W/${etag}`
  );
}

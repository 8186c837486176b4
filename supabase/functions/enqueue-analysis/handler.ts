// POST {type, input, idempotency_key?, priority?, scheduled_at?}: one call of enqueue_analysis as the caller.
//
// 202 with the job's id where it has still to be done; 200 where it has ended, with its result: an earlier result
// answered, or the idempotency key is that of a job that has ended since.

import { tokenOf } from "../_shared/auth.ts";
import { allowOnly, isObject, type JsonObject, readObject } from "../_shared/body.ts";
import type { Project } from "../_shared/env.ts";
import { type Call, json } from "../_shared/http.ts";
import { invalid } from "../_shared/problem.ts";
import { callRpc } from "../_shared/rpc.ts";

const MAX_BYTES = 1024 * 1024; // more than any type takes
const FIELDS = ["type", "input", "idempotency_key", "priority", "scheduled_at"];
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)$/;

export async function enqueue(project: Project, { request, log }: Call): Promise<Response> {
  const token = tokenOf(request);
  const { text, object } = await readObject(request, MAX_BYTES);
  checkFields(object);
  const job = await callRpc(project, { token, name: "enqueue_analysis", arguments: text }) as JsonObject;
  log("enqueued", { job_id: String(job["id"]), status: String(job["status"]), cached: job["cached"] === true });
  const isOver = job["status"] !== "pending" && job["status"] !== "processing";
  const location = `/functions/v1/get-analysis-status/${job["id"]}`;
  return json(isOver ? 200 : 202, job, { location });
}

/** The shape alone: what the SQL function would not understand. What it means is judged there. */
function checkFields(body: JsonObject): void {
  allowOnly(body, FIELDS);
  if (typeof body["type"] !== "string" || body["type"].length === 0) {
    throw invalid("type", "type must be a string.");
  }
  if (!isObject(body["input"])) {
    throw invalid("input", "input must be a JSON object.");
  }
  const key = body["idempotency_key"] ?? null;
  if (key !== null && (typeof key !== "string" || [...key].length < 1 || [...key].length > 200)) {
    throw invalid("idempotency_key", "idempotency_key must have 1 to 200 characters.");
  }
  const priority = body["priority"] ?? null;
  if (priority !== null && (!Number.isInteger(priority) || Math.abs(priority as number) > 1000)) {
    throw invalid("priority", "priority must be a whole number.");
  }
  const time = body["scheduled_at"] ?? null;
  if (time !== null && (typeof time !== "string" || !TIME.test(time) || Number.isNaN(Date.parse(time)))) {
    throw invalid("scheduled_at", "scheduled_at must be a time with its zone, as 2030-01-31T12:00:00Z.");
  }
}

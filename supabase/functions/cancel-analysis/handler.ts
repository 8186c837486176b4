// POST {job_id}: one call of cancel_analysis as the caller. A job that had ended stays as it is; the answer says how.

import { tokenOf } from "../_shared/auth.ts";
import { allowOnly, readObject } from "../_shared/body.ts";
import type { Project } from "../_shared/env.ts";
import { type Call, json } from "../_shared/http.ts";
import { checkJobId } from "../_shared/job.ts";
import { callRpc } from "../_shared/rpc.ts";

const MAX_BYTES = 4096;

export async function cancel(project: Project, { request, log }: Call): Promise<Response> {
  const token = tokenOf(request);
  const { object } = await readObject(request, MAX_BYTES);
  allowOnly(object, ["job_id"]);
  const jobId = checkJobId(object["job_id"]);
  const job = await callRpc(project, { token, name: "cancel_analysis", arguments: { job_id: jobId } });
  log("cancelled", { job_id: jobId });
  return json(200, job);
}

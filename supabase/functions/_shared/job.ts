// Which job a request is about.

import { invalid } from "./problem.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function checkJobId(value: unknown): string {
  if (typeof value !== "string" || !UUID.test(value)) {
    throw invalid("job_id", "job_id must be a UUID.");
  }
  return value.toLowerCase();
}

/** From `/<function>/<job id>` or `?job_id=`. */
export function jobIdOf(url: URL): string {
  const [, , inPath] = url.pathname.split("/");
  return checkJobId(inPath || url.searchParams.get("job_id"));
}

// Where pictures from WhatsApp are kept: in their sender's folder, as if the sender had uploaded them.

import type { ServiceProject } from "../_shared/env.ts";
import { Problem, unavailable } from "../_shared/problem.ts";
import type { Picture } from "./media.ts";

export interface StoredFile {
  [name: string]: string;
  bucket: string;
  path: string;
}

const BUCKET = "analysis-inputs";
const TIMEOUT_MS = 8_000;

/** The file for a job's input. One that is there already, from an earlier delivery of the message, stays as it is. */
export async function storePicture(
  { url, anonKey, serviceKey }: ServiceProject,
  owner: string,
  messageId: string,
  { type, bytes }: Picture,
): Promise<StoredFile> {
  const path = `${owner}/whatsapp/${messageId.replace(/[^\w.=-]/g, "_")}`;
  const address = path.split("/").map(encodeURIComponent).join("/");
  const response = await fetch(`${url}/storage/v1/object/${BUCKET}/${address}`, {
    method: "POST",
    headers: { apikey: anonKey, authorization: `Bearer ${serviceKey}`, "content-type": type },
    body: bytes,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error) => {
    throw unavailable(`storage: ${error instanceof Error ? error.name : "error"}`);
  });
  const said = await response.text().catch(() => "");
  if (!response.ok && !isDuplicate(response.status, said)) {
    throw response.status >= 500 || response.status === 429
      ? unavailable(`storage: HTTP ${response.status}`)
      : new Problem(
        { status: 422, code: "unusable_media", title: "The picture cannot be stored." },
        said.slice(0, 100),
      );
  }
  return { bucket: BUCKET, path };
}

/** Storage answers HTTP 400 with the real status in the body. */
function isDuplicate(status: number, said: string): boolean {
  return status === 409 || (status === 400 && /"statusCode"\s*:\s*"409"/.test(said));
}

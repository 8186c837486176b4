// The input's files as a model takes them, read with the caller's own right to read them.

import { encodeBase64 } from "./base64.ts";
import { isObject, type JsonObject } from "../_shared/body.ts";
import type { Project } from "../_shared/env.ts";
import { Problem, tooLarge, unavailable } from "../_shared/problem.ts";

export interface InlineFile {
  mimeType: string;
  data: string;
}

const MAX_BYTES = 10 * 1024 * 1024; // of all together; the platform gives a function 256 MB and two seconds of CPU
const MAGIC: readonly [string, string][] = [ // the first bytes in hexadecimal; a dot is any digit
  ["image/jpeg", "ffd8ff"],
  ["image/png", "89504e470d0a1a0a"],
  ["image/webp", "52494646........57454250"],
  ["application/pdf", "255044462d"],
];

export async function readFiles(
  project: Project,
  token: string,
  input: JsonObject,
  signal: AbortSignal,
): Promise<InlineFile[]> {
  const files: InlineFile[] = [];
  let room = MAX_BYTES;
  for (const file of Array.isArray(input["files"]) ? input["files"].filter(isObject) : []) {
    const path = [file["bucket"], ...String(file["path"]).split("/")].map((part) => encodeURIComponent(String(part)));
    const bytes = await download(
      `${project.url}/storage/v1/object/authenticated/${path.join("/")}`,
      project,
      token,
      room,
      signal,
    );
    room -= bytes.length;
    files.push({ mimeType: typeOf(bytes), data: encodeBase64(bytes) });
  }
  return files;
}

async function download(
  url: string,
  project: Project,
  token: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const headers = { apikey: project.anonKey, authorization: `Bearer ${token}` };
    const response = await fetch(url, { headers, signal });
    if (!response.ok || Number(response.headers.get("content-length") ?? 0) > maxBytes) {
      await response.body?.cancel();
      throw response.ok ? tooLarge("The files are too large.") : refusal(response.status);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > maxBytes) {
      throw tooLarge("The files are too large.");
    }
    return bytes;
  } catch (error) {
    throw error instanceof Problem ? error : unavailable(`storage: ${error instanceof Error ? error.name : "error"}`);
  }
}

function refusal(status: number): Problem {
  return status >= 500
    ? unavailable(`storage: HTTP ${status}`)
    : new Problem({ status: 404, code: "not_found", title: "input file not found" });
}

/** By what it is, not by what it is called. */
function typeOf(bytes: Uint8Array): string {
  const head = Array.from(bytes.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const found = MAGIC.find(([, magic]) => new RegExp(`^${magic}`).test(head));
  if (found === undefined) {
    const title = "The file is neither JPEG, PNG, WebP nor PDF.";
    throw new Problem({ status: 400, code: "invalid_request", title, field: "input.files" });
  }
  return found[0];
}

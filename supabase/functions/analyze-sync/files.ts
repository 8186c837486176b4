// The input's files as a model takes them, read with the caller's own right to read them.

import { isObject, type JsonObject } from "../_shared/body.ts";
import type { Project } from "../_shared/env.ts";
import { Problem, tooLarge, unavailable } from "../_shared/problem.ts";
import { encodeBase64 } from "./base64.ts";
import { photoTypeOf, withoutMetadata } from "../_shared/photo.ts";

export interface InlineFile {
  mimeType: string;
  data: string;
}

const MAX_BYTES = 10 * 1024 * 1024; // of all together; the platform gives a function 256 MB and two seconds of CPU

/** `input.file` or `input.files`: photos, stripped of what else is in them. */
export async function readFiles(
  project: Project,
  token: string,
  input: JsonObject,
  signal: AbortSignal,
): Promise<InlineFile[]> {
  const files: InlineFile[] = [];
  let room = MAX_BYTES;
  for (const file of [input["file"], input["files"]].flat().filter(isObject)) {
    const path = [file["bucket"], ...String(file["path"]).split("/")].map((part) => encodeURIComponent(String(part)));
    const bytes = await download(
      `${project.url}/storage/v1/object/authenticated/${path.join("/")}`,
      project,
      token,
      room,
      signal,
    );
    room -= bytes.length;
    const mimeType = photoTypeOf(bytes);
    if (mimeType === null) {
      throw noPhoto(file === input["file"] ? "input.file" : "input.files");
    }
    files.push({ mimeType, data: encodeBase64(withoutMetadata(bytes, mimeType)) });
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

function noPhoto(field: string): Problem {
  const title = "The file is neither JPEG, PNG nor WebP.";
  return new Problem({ status: 400, code: "invalid_request", title, field });
}

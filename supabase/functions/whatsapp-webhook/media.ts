// A picture that somebody sent, from Meta's Graph API: first where it lies, then its bytes, both under our token.

import { isObject, readBytes } from "../_shared/body.ts";
import type { GraphSettings } from "../_shared/env.ts";
import { type PhotoType, photoTypeOf } from "../_shared/photo.ts";
import { Problem, unavailable } from "../_shared/problem.ts";

export interface Picture {
  type: PhotoType;
  bytes: Uint8Array<ArrayBuffer>;
}

const VERSION = "v23.0";
const MAX_BYTES = 5 * 1024 * 1024; // Meta's own limit for pictures
const TIMEOUT_MS = 8_000; // Meta waits for our answer for about twenty seconds

/** Raises 503 where Meta does not answer now, less where it never will give a picture that can be used. */
export async function downloadPicture(graph: GraphSettings, mediaId: string): Promise<Picture> {
  const found = await ask(graph, `${graph.url}/${VERSION}/${encodeURIComponent(mediaId)}`);
  const place = parsed(await read(found, 64 * 1024));
  const url = isObject(place) ? urlOf(graph, place["url"]) : null;
  if (url === null) {
    throw refused("no address of ours");
  }
  const bytes = await read(await ask(graph, url), MAX_BYTES);
  const type = photoTypeOf(bytes);
  if (type === null) {
    throw refused("neither JPEG, PNG nor WebP");
  }
  return { type, bytes };
}

async function ask({ token }: GraphSettings, url: string): Promise<Response> {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: "error", // the token is for this host alone
  }).catch((error) => {
    throw unavailable(`media: ${error instanceof Error ? error.name : "error"}`);
  });
  if (response.ok) {
    return response;
  }
  await response.body?.cancel();
  throw response.status >= 500 || response.status === 429
    ? unavailable(`media: HTTP ${response.status}`)
    : refused(`HTTP ${response.status}`);
}

async function read(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readBytes(response, maxBytes);
  } catch (error) {
    throw error instanceof Problem ? error : unavailable(`media: ${error instanceof Error ? error.name : "error"}`);
  }
}

/** Encrypted, or where we asked: the token goes along. */
function urlOf({ url }: GraphSettings, value: unknown): string | null {
  const given = typeof value === "string" && URL.canParse(value) ? new URL(value) : null;
  return given !== null && (given.protocol === "https:" || given.origin === new URL(url).origin) ? given.href : null;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

function refused(reason: string): Problem {
  return new Problem({ status: 422, code: "unusable_media", title: "The picture cannot be used." }, reason);
}

// Bodies, as far as they may be sent: read no further than the limit, and as what they claim to be.

import { invalid, tooLarge } from "./problem.ts";

export type JsonObject = Record<string, unknown>;

/** Raises 413 at the first byte too many, however much is announced. */
export async function readBytes(message: Pick<Body, "body">, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of message.body ?? []) {
    length += piece.length;
    if (length > maxBytes) {
      throw tooLarge(`At most ${maxBytes} bytes.`);
    }
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

/** The object and the text that it was: whoever passes it on sends the text, for numbers may be longer than ours. */
export async function readObject(request: Request, maxBytes: number): Promise<{ text: string; object: JsonObject }> {
  const text = decode(await readBytes(request, maxBytes));
  const value = parse(text);
  if (!isObject(value)) {
    throw invalid("body", "The body must be a JSON object.");
  }
  return { text, object: value };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nothing beside these names: what is spelt wrong would otherwise be left out in silence. */
export function allowOnly(object: JsonObject, names: readonly string[]): void {
  const unknown = Object.keys(object).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalid(/^[A-Za-z0-9_-]{1,40}$/.test(unknown) ? unknown : "?", "There is no such field.");
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid("body", "The body is not UTF-8.");
  }
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("body", "The body is not JSON.");
  }
}

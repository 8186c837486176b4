// What a delivery of WhatsApp's Cloud API holds, as far as it is for us: text and pictures that people sent.

import { isObject, type JsonObject } from "../_shared/body.ts";

export interface Incoming {
  /** WhatsApp's id of the sender: digits, country code first. */
  phone: string;
  messageId: string;
  /** What was written, or the caption of the picture; null for a picture without words. */
  text: string | null;
  name: string | null;
  /** Of the picture, which lies at Meta; null for a message in words. */
  mediaId: string | null;
}

const MAX_TEXT = 2000;
const MAX_NAME = 60;

/** Everything else (receipts, reactions, voice, other fields of the subscription) is passed over. */
export function readMessages(delivery: unknown): Incoming[] {
  return objects(isObject(delivery) ? delivery["entry"] : null)
    .flatMap((entry) => objects(entry["changes"]))
    .filter((change) => change["field"] === "messages")
    .map((change) => change["value"])
    .filter(isObject)
    .flatMap((value) => {
      const names = namesOf(value);
      return objects(value["messages"]).map((message) => readMessage(message, names)).filter((each) => each !== null);
    });
}

function readMessage(message: JsonObject, names: Map<string, string>): Incoming | null {
  const { from, id } = message;
  if (typeof from !== "string" || !/^\d{6,20}$/.test(from) || typeof id !== "string" || !/^\S{1,180}$/.test(id)) {
    return null;
  }
  const content = contentOf(message);
  return content === null ? null : { phone: from, messageId: id, name: names.get(from) ?? null, ...content };
}

function contentOf({ type, text, image }: JsonObject): Pick<Incoming, "text" | "mediaId"> | null {
  if (type === "text" && isObject(text)) {
    const written = wordsOf(text["body"]);
    return written === null ? null : { text: written, mediaId: null };
  }
  if (type === "image" && isObject(image) && typeof image["id"] === "string" && /^[\w.-]{1,200}$/.test(image["id"])) {
    return { text: wordsOf(image["caption"]), mediaId: image["id"] };
  }
  return null;
}

function wordsOf(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? cut(value, MAX_TEXT) : null;
}

function namesOf(value: JsonObject): Map<string, string> {
  const known = new Map<string, string>();
  for (const { wa_id: phone, profile } of objects(value["contacts"])) {
    const name = isObject(profile) ? profile["name"] : undefined;
    if (typeof phone === "string" && typeof name === "string" && name.trim() !== "") {
      known.set(phone, cut(name.trim(), MAX_NAME));
    }
  }
  return known;
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** By characters as the database counts them, so that none is cut in two. */
function cut(text: string, length: number): string {
  return [...text.toWellFormed().replaceAll("\0", "")].slice(0, length).join("");
}

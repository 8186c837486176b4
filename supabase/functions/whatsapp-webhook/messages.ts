// What a delivery of WhatsApp's Cloud API holds, as far as it is for us: text and pictures that people sent.

import { isObject, type JsonObject } from "../_shared/body.ts";

export interface Incoming {
  /** WhatsApp's id of the sender: digits, country code first. */
  phone: string;
  messageId: string;
  /** For the job: {message?, name?, media?: {id, mime_type}}. A picture stays at Meta until the worker fetches it. */
  input: JsonObject;
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
  const name = names.get(from);
  return content === null
    ? null
    : { phone: from, messageId: id, input: name === undefined ? content : { ...content, name } };
}

function contentOf(message: JsonObject): JsonObject | null {
  const { type, text, image } = message;
  if (type === "text" && isObject(text) && typeof text["body"] === "string" && text["body"].trim() !== "") {
    return { message: cut(text["body"], MAX_TEXT) };
  }
  if (type === "image" && isObject(image) && typeof image["id"] === "string") {
    const media = { id: image["id"], mime_type: String(image["mime_type"] ?? "image/jpeg") };
    const caption = typeof image["caption"] === "string" && image["caption"].trim() !== "" ? image["caption"] : null;
    return caption === null ? { media } : { message: cut(caption, MAX_TEXT), media };
  }
  return null;
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

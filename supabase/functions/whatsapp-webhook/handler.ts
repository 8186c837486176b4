// WhatsApp's Cloud API calls here: once with GET to see that we know the token, then with POST for every message.
//
// Answers 200 as soon as every message is a job: an analysis is never waited for. Words are one quick call; a picture is
// fetched from Meta first, stored in its sender's folder and enqueued as a meal. All messages of a delivery go at once.
//
// Where the database, Storage or Meta do not answer it says 503, and Meta delivers the whole again later; the message's
// id is the job's idempotency key, so that nothing is done twice. What will never be accepted, and whoever sends more
// than the rate allows, is logged and passed over, since Meta would repeat it for days.

import { isObject, type JsonObject, readBytes } from "../_shared/body.ts";
import type { GraphSettings, ServiceProject, WhatsappSecrets } from "../_shared/env.ts";
import { type Call, json } from "../_shared/http.ts";
import type { Log } from "../_shared/log.ts";
import { Problem } from "../_shared/problem.ts";
import { callRpc } from "../_shared/rpc.ts";
import { downloadPicture } from "./media.ts";
import { type Incoming, readMessages } from "./messages.ts";
import { isSame, isSigned } from "./signature.ts";
import { storePicture } from "./storage.ts";

const MAX_BYTES = 3 * 1024 * 1024; // Meta's own limit for a delivery

export interface Surroundings {
  project: ServiceProject;
  secrets: WhatsappSecrets;
  graph: GraphSettings | null;
}

type Fate = "enqueued" | "unknown_phone" | "pictures_not_configured" | "refused";

export async function verifySubscription({ verifyToken }: WhatsappSecrets, { request }: Call): Promise<Response> {
  const asked = new URL(request.url).searchParams;
  const challenge = asked.get("hub.challenge") ?? "";
  const isMeant = asked.get("hub.mode") === "subscribe" && /^[\w-]{1,200}$/.test(challenge);
  if (!isMeant || !await isSame(asked.get("hub.verify_token") ?? "", verifyToken)) {
    throw new Problem({ status: 403, code: "forbidden", title: "The verify token is not ours." });
  }
  return new Response(challenge, { headers: { "content-type": "text/plain", "cache-control": "no-store" } });
}

export async function receive(around: Surroundings, call: Call): Promise<Response> {
  const body = await readBytes(call.request, MAX_BYTES);
  if (!await isSigned(body, call.request.headers.get("x-hub-signature-256"), around.secrets.appSecret)) {
    throw new Problem({ status: 401, code: "not_signed", title: "The signature is not Meta's." });
  }
  const messages = readMessages(parse(body));
  const fates = await Promise.all(messages.map((message) => take(around, message, call.log)));
  call.log("received", { messages: messages.length, enqueued: fates.filter((fate) => fate === "enqueued").length });
  return json(200, { received: messages.length });
}

/** Raises what may be otherwise later; then Meta has to come again. */
async function take(around: Surroundings, message: Incoming, log: Log): Promise<Fate> {
  const about = { message_id: message.messageId };
  try {
    const fate = message.mediaId === null
      ? await enqueue(around.project, message, inputOf(message))
      : await takePicture(around, message, message.mediaId);
    log(fate, about);
    return fate;
  } catch (error) {
    if (error instanceof Problem && error.details.status < 500) {
      log("refused", { ...about, code: error.details.code, field: error.details.field, reason: error.reason });
      return "refused";
    }
    throw error;
  }
}

async function takePicture({ project, graph }: Surroundings, message: Incoming, mediaId: string): Promise<Fate> {
  if (graph === null) {
    return "pictures_not_configured";
  }
  const { serviceKey: token } = project;
  const owner = await callRpc(project, { token, name: "find_whatsapp_user", arguments: { phone: message.phone } });
  if (typeof owner !== "string") {
    return "unknown_phone";
  }
  const file = await storePicture(project, owner, message.messageId, await downloadPicture(graph, mediaId));
  return await enqueue(project, message, message.text === null ? { file } : { file, text: message.text });
}

function inputOf({ text, name }: Incoming): JsonObject {
  return name === null ? { message: text } : { message: text, name };
}

async function enqueue(project: ServiceProject, { phone, messageId }: Incoming, input: JsonObject): Promise<Fate> {
  const job = await callRpc(project, {
    token: project.serviceKey,
    name: "enqueue_whatsapp_message",
    arguments: { phone, message_id: messageId, input },
  });
  return isObject(job) ? "enqueued" : "unknown_phone";
}

/** What Meta has signed is JSON; should it ever not be, it holds no message. */
function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
}

// WhatsApp's Cloud API calls here: once with GET to see that we know the token, then with POST for every message.
//
// Answers 200 as soon as every message is a job, which is one quick call each, all at once: an analysis is never waited
// for. Where the database does not answer it says 503, and Meta delivers the whole again later; the message's id is the
// job's idempotency key, so that nothing is done twice. What will never be accepted is logged and passed over, since
// Meta would repeat it for days.

import { isObject, readBytes } from "../_shared/body.ts";
import type { ServiceProject, WhatsappSecrets } from "../_shared/env.ts";
import { type Call, json } from "../_shared/http.ts";
import type { Log } from "../_shared/log.ts";
import { Problem } from "../_shared/problem.ts";
import { callRpc } from "../_shared/rpc.ts";
import { type Incoming, readMessages } from "./messages.ts";
import { isSame, isSigned } from "./signature.ts";

const MAX_BYTES = 3 * 1024 * 1024; // Meta's own limit for a delivery

type Fate = "enqueued" | "unknown_phone" | "refused";

export async function verifySubscription({ verifyToken }: WhatsappSecrets, { request }: Call): Promise<Response> {
  const asked = new URL(request.url).searchParams;
  const challenge = asked.get("hub.challenge") ?? "";
  const isMeant = asked.get("hub.mode") === "subscribe" && /^[\w-]{1,200}$/.test(challenge);
  if (!isMeant || !await isSame(asked.get("hub.verify_token") ?? "", verifyToken)) {
    throw new Problem({ status: 403, code: "forbidden", title: "The verify token is not ours." });
  }
  return new Response(challenge, { headers: { "content-type": "text/plain", "cache-control": "no-store" } });
}

export async function receive(project: ServiceProject, secrets: WhatsappSecrets, call: Call): Promise<Response> {
  const body = await readBytes(call.request, MAX_BYTES);
  if (!await isSigned(body, call.request.headers.get("x-hub-signature-256"), secrets.appSecret)) {
    throw new Problem({ status: 401, code: "not_signed", title: "The signature is not Meta's." });
  }
  const messages = readMessages(parse(body));
  const fates = await Promise.all(messages.map((message) => enqueue(project, message, call.log)));
  call.log("received", { messages: messages.length, enqueued: fates.filter((fate) => fate === "enqueued").length });
  return json(200, { received: messages.length });
}

/** Raises what may be otherwise later; then Meta has to come again. */
async function enqueue(project: ServiceProject, { phone, messageId, input }: Incoming, log: Log): Promise<Fate> {
  try {
    const job = await callRpc(project, {
      token: project.serviceKey,
      name: "enqueue_whatsapp_message",
      arguments: { phone, message_id: messageId, input },
    });
    const fate = isObject(job) ? "enqueued" : "unknown_phone";
    log(fate, { message_id: messageId });
    return fate;
  } catch (error) {
    if (error instanceof Problem && error.details.status < 500) {
      log("refused", { message_id: messageId, code: error.details.code, field: error.details.field });
      return "refused";
    }
    throw error;
  }
}

/** What Meta has signed is JSON; should it ever not be, it holds no message. */
function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
}

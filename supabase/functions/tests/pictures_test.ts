// Pictures from WhatsApp: from Meta into the sender's folder, and a meal enqueued; never further than may be.

import { photoTypeOf } from "../_shared/photo.ts";
import { receive, type Surroundings } from "../whatsapp-webhook/handler.ts";
import { assertEquals, assertProblem } from "./assert.ts";
import { callOf, type Seen, withServer } from "./servers.ts";
import { PNG, USER } from "./surroundings.ts";

const SECRETS = { verifyToken: "v", appSecret: "secret" };
const ID = "wamid.HBgN+a/b=="; // as Meta's are

interface World {
  place?: (url: string) => Response;
  bytes?: () => Response;
  upload?: () => Response;
  owner?: string | null;
  enqueue?: () => Response;
}

function answerAs(world: World): (seen: Seen) => Response {
  return ({ path, headers }) => {
    const url = `http://${headers.get("host")}/bytes`;
    switch (path.split("/")[1]) {
      case "v23.0":
        return (world.place ?? ((url) => Response.json({ url, mime_type: "image/png" })))(url);
      case "bytes":
        return (world.bytes ?? (() => new Response(PNG)))();
      case "storage":
        return (world.upload ?? (() => Response.json({ Key: "k" })))();
      default:
        return path.endsWith("find_whatsapp_user")
          ? Response.json(world.owner === undefined ? USER : world.owner)
          : (world.enqueue ?? (() => Response.json({ id: "job-1" })))();
    }
  };
}

async function deliver(url: string, image: unknown, graph: "graph" | "none" = "graph"): Promise<number> {
  const message = { from: "5511999990000", id: ID, type: "image", image };
  const body = JSON.stringify({ entry: [{ changes: [{ field: "messages", value: { messages: [message] } }] }] });
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode("secret"), algorithm, false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(body)));
  const hex = Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const headers = { "x-hub-signature-256": `sha256=${hex}` };
  const around: Surroundings = {
    project: { url, anonKey: "anon", serviceKey: "service" },
    secrets: SECRETS,
    graph: graph === "graph" ? { url, token: "meta-token" } : null,
  };
  return (await receive(around, callOf(new Request(url, { method: "POST", headers, body })))).status;
}

function inWorld(world: World, test: (url: string, seen: Seen[]) => Promise<void>): Promise<void> {
  return withServer(answerAs(world), test);
}

function wasAsked(seen: Seen[], part: string): boolean {
  return seen.some(({ path }) => path.includes(part));
}

Deno.test("a picture is fetched with Meta's token, stored with ours, and enqueued with its caption", () =>
  inWorld({}, async (url, seen) => {
    assertEquals(await deliver(url, { id: "77", caption: "almoço" }), 200);

    const [owner, place, bytes, upload, enqueued] = seen;
    assertEquals(seen.length, 5);
    assertEquals([place?.path, bytes?.path], ["/v23.0/77", "/bytes"]);
    const tokens = [owner, place, bytes, upload, enqueued].map((each) => each?.headers.get("authorization"));
    const [ours, theirs] = ["Bearer service", "Bearer meta-token"];
    assertEquals(tokens, [ours, theirs, theirs, ours, ours]);
    const path = `${USER}/whatsapp/wamid.HBgN_a_b==`;
    assertEquals(decodeURIComponent(upload?.path ?? ""), `/storage/v1/object/analysis-inputs/${path}`);
    assertEquals([upload?.headers.get("content-type"), upload?.headers.get("x-upsert")], [photoTypeOf(PNG), null]);
    assertEquals(JSON.parse(enqueued?.body ?? ""), {
      phone: "5511999990000",
      message_id: ID,
      input: { file: { bucket: "analysis-inputs", path }, text: "almoço" },
    });
  }));

Deno.test("a delivery that comes again finds the picture where it is", () => {
  const upload = () => Response.json({ statusCode: "409", error: "Duplicate", message: "exists" }, { status: 400 });
  return inWorld({ upload }, async (url, seen) => {
    assertEquals(await deliver(url, { id: "77" }), 200);
    assertEquals(JSON.parse(seen.at(-1)?.body ?? "").input.text, undefined);
    assertEquals(wasAsked(seen, "enqueue_whatsapp_message"), true);
  });
});

Deno.test("without a token, and of people that nobody knows, nothing is fetched", async () => {
  await inWorld({}, async (url, seen) => {
    assertEquals([await deliver(url, { id: "77" }, "none"), seen.length], [200, 0]);
  });
  await inWorld({ owner: null }, async (url, seen) => {
    assertEquals([await deliver(url, { id: "77" }), seen.length], [200, 1]);
  });
});

const PASSED_OVER: [string, World][] = [
  ["is gone", { place: () => new Response("", { status: 404 }) }],
  ["is not for our token", { place: () => new Response("", { status: 401 }) }],
  ["lies nowhere", { place: () => Response.json({}) }],
  ["lies where the token must not go", { place: () => Response.json({ url: "http://elsewhere.example/" }) }],
  ["has no address", { place: () => new Response("<html>") }],
  ["is no picture", { bytes: () => new Response("%PDF-1.7 ...............") }],
  ["is too large", { bytes: () => new Response(new Uint8Array(5 * 1024 * 1024 + 1)) }],
  ["leads elsewhere", { place: () => Response.json({ url: "ftp://x/" }) }],
  ["is refused by Storage", { upload: () => Response.json({ statusCode: "415" }, { status: 400 }) }],
];

for (const [what, world] of PASSED_OVER) {
  Deno.test(`a picture that ${what} is passed over, since it will be no other later`, () =>
    inWorld(world, async (url, seen) => {
      assertEquals(await deliver(url, { id: "77" }), 200);
      assertEquals(wasAsked(seen, "enqueue_whatsapp_message"), false);
    }));
}

const LATER: [string, World][] = [
  ["Meta fails", { place: () => new Response("", { status: 500 }) }],
  ["Meta is busy", { bytes: () => new Response("", { status: 429 }) }],
  ["Meta sends us elsewhere", { place: () => Response.redirect("http://127.0.0.1:9/") }],
  ["Storage fails", { upload: () => new Response("", { status: 500 }) }],
];

for (const [what, world] of LATER) {
  Deno.test(`where ${what} Meta is asked to come again`, () =>
    inWorld(world, async (url, seen) => {
      await assertProblem(() => deliver(url, { id: "77" }), 503, "unavailable");
      assertEquals(wasAsked(seen, "enqueue_whatsapp_message"), false);
    }));
}

Deno.test("who sends more than the rate allows is not asked to send it again", () => {
  const refusal = { code: "PT429", message: "too many requests", details: '{"retry_after_seconds": 60}' };
  return inWorld({ enqueue: () => Response.json(refusal, { status: 429 }) }, async (url) => {
    assertEquals(await deliver(url, { id: "77" }), 200);
  });
});

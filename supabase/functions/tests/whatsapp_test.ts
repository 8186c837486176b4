import { readMessages } from "../whatsapp-webhook/messages.ts";
import { isSame, isSigned } from "../whatsapp-webhook/signature.ts";
import { assertEquals } from "./assert.ts";

const encoder = new TextEncoder();

function delivery(messages: unknown[], contacts: unknown[] = []): unknown {
  return {
    object: "whatsapp_business_account",
    entry: [{ changes: [{ field: "messages", value: { contacts, messages } }] }],
  };
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map(sorted) : Object.entries(value as Record<string, unknown>).sort();
}

Deno.test("a signature is the HMAC of the very bytes", async () => {
  // printf '{"a":1}' | openssl dgst -sha256 -hmac secret
  const header = "sha256=aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494";

  assertEquals(await isSigned(encoder.encode('{"a":1}'), header, "secret"), true);
  assertEquals(await isSigned(encoder.encode('{"a": 1}'), header, "secret"), false);
  assertEquals(await isSigned(encoder.encode('{"a":1}'), header, "Secret"), false);
  for (const wrong of [null, "", "sha256=", header.slice(0, -1), header.replace("sha256", "sha1"), `${header}0`]) {
    assertEquals(await isSigned(encoder.encode('{"a":1}'), wrong, "secret"), false);
  }
});

Deno.test("texts are the same or not", async () => {
  assertEquals([await isSame("a", "a"), await isSame("a", "b"), await isSame("", "a")], [true, false, false]);
});

Deno.test("text and pictures are read, with the sender's name", () => {
  const messages = [
    { from: "5511999990000", id: "wamid.1", type: "text", text: { body: "oi" } },
    {
      from: "5511999990000",
      id: "wamid.2",
      type: "image",
      image: { id: "77", mime_type: "image/png", caption: "almoço" },
    },
    { from: "5511888880000", id: "wamid.3", type: "image", image: { id: "78" } },
  ];

  const ana = { phone: "5511999990000", name: "Ana" };
  assertEquals(sorted(readMessages(delivery(messages, [{ wa_id: "5511999990000", profile: { name: "Ana" } }]))), [
    sorted({ ...ana, messageId: "wamid.1", text: "oi", mediaId: null }),
    sorted({ ...ana, messageId: "wamid.2", text: "almoço", mediaId: "77" }),
    sorted({ phone: "5511888880000", name: null, messageId: "wamid.3", text: null, mediaId: "78" }),
  ]);
});

Deno.test("everything else is passed over", () => {
  const others = [
    { from: "5511999990000", id: "1", type: "audio", audio: { id: "1" } },
    { from: "5511999990000", id: "1", type: "reaction" },
    { from: "5511999990000", id: "1", type: "text" },
    { from: "5511999990000", id: "1", type: "text", text: { body: "  " } },
    { from: "5511999990000", id: "1", type: "image", image: { id: "../me" } },
    { from: "5511999990000", id: "1", type: "image", image: { id: 77 } },
    { from: "5511999990000", type: "text", text: { body: "oi" } },
    { from: "' or 1=1", id: "1", type: "text", text: { body: "oi" } },
    null,
    7,
  ];

  assertEquals(readMessages(delivery(others)), []);
  for (
    const nothing of [null, 1, "x", [], {}, { entry: 1 }, { entry: [{}] }, { entry: [{ changes: [{ field: "x" }] }] }]
  ) {
    assertEquals(readMessages(nothing), []);
  }
});

Deno.test("long texts are cut between characters, and what no database stores is left out", () => {
  const [message] = readMessages(
    delivery([{ from: "5511999990000", id: "1", type: "text", text: { body: "\0" + "😀".repeat(3000) } }]),
  );

  assertEquals([...String(message?.text)].length, 2000);
  assertEquals(String(message?.text).isWellFormed(), true);
});

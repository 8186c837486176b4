import { answering, json } from "../_shared/http.ts";
import { invalid } from "../_shared/problem.ts";
import { assertEquals } from "./assert.ts";

const URL = "http://localhost/function";
const serve = answering({
  POST: () => Promise.resolve(json(202, { id: 1 })),
  GET: () => Promise.reject(new Error("secret words")),
});

Deno.test("a browser's question is answered without asking the function", async () => {
  const answer = await serve(new Request(URL, { method: "OPTIONS" }));

  assertEquals([answer.status, answer.headers.get("access-control-allow-methods")], [204, "POST, GET, OPTIONS"]);
  for (const name of ["authorization", "apikey", "x-client-info", "content-type", "if-none-match"]) {
    assertEquals(answer.headers.get("access-control-allow-headers")?.split(", ").includes(name), true);
  }
});

Deno.test("every answer may be read by pages and carries a request id", async () => {
  for (const method of ["OPTIONS", "POST", "GET", "DELETE"]) {
    const answer = await serve(new Request(URL, { method, headers: { "x-request-id": "abc-1" } }));
    assertEquals([answer.headers.get("access-control-allow-origin"), answer.headers.get("x-request-id")], [
      "*",
      "abc-1",
    ]);
    assertEquals(answer.headers.get("access-control-expose-headers")?.includes("Retry-After"), true);
    await answer.body?.cancel();
  }
});

Deno.test("a request id that is none is replaced", async () => {
  const answer = await serve(new Request(URL, { method: "POST", headers: { "x-request-id": "a b{}" } }));

  assertEquals(answer.headers.get("x-request-id")?.length, 36);
});

Deno.test("another method is refused and the right ones are named", async () => {
  const answer = await serve(new Request(URL, { method: "DELETE" }));

  assertEquals([answer.status, answer.headers.get("allow")], [405, "POST, GET, OPTIONS"]);
  assertEquals((await answer.json()).code, "method_not_allowed");
});

Deno.test("what was not foreseen is a problem that tells nothing", async () => {
  const answer = await serve(new Request(URL));
  const text = await answer.text();

  assertEquals([answer.status, answer.headers.get("content-type")], [500, "application/problem+json"]);
  assertEquals([JSON.parse(text).code, text.includes("secret")], ["internal", false]);
});

Deno.test("a problem says what, where and under which request id", async () => {
  const refusing = answering({ POST: () => Promise.reject(invalid("input.text", "It is wrong.")) });
  const answer = await refusing(new Request(URL, { method: "POST", headers: { "x-request-id": "r1" } }));

  assertEquals(await answer.json(), {
    status: 400,
    code: "invalid_request",
    title: "It is wrong.",
    field: "input.text",
    request_id: "r1",
  });
});

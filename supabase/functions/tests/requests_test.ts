import { tokenOf, userOfAccepted } from "../_shared/auth.ts";
import { readObject } from "../_shared/body.ts";
import { jobIdOf } from "../_shared/job.ts";
import { assertEquals, assertProblem } from "./assert.ts";
import { tokenWith } from "./servers.ts";

const ID = "6f0f7a0e-5b0e-4a51-8f52-0f5f1f4b1a11";

function post(body: BodyInit, headers: HeadersInit = {}): Request {
  return new Request("http://localhost/f", { method: "POST", body, headers });
}

Deno.test("a body is read as far as it may go", async () => {
  let sent = 0;
  const endless = new ReadableStream({
    pull: (controller) => {
      sent += 1000;
      controller.enqueue(new Uint8Array(1000).fill(32));
    },
  });

  await assertProblem(() => readObject(post(endless), 5000), 413, "too_large");
  assertEquals(sent < 20_000, true);
});

Deno.test("what is no JSON object is refused", async () => {
  for (const body of ["", "x", "1", "null", "[]", '"a"', '{"a":', new Uint8Array([0xff, 0xfe])]) {
    await assertProblem(() => readObject(post(body), 100), 400, "invalid_request", "body");
  }
});

Deno.test("a text that is not UTF-8 is refused rather than mended", async () => {
  const mended = new Uint8Array([...new TextEncoder().encode('{"a":"'), 0xff, ...new TextEncoder().encode('"}')]);

  await assertProblem(() => readObject(post(mended), 100), 400, "invalid_request", "body");
});

Deno.test("a body that is nested without end is refused or read, and hurts nobody", async () => {
  await readObject(post(`{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`), 1_000_000).catch((error) =>
    assertEquals(error.details.status, 400)
  );
});

Deno.test("a token is taken out of the header, whatever it is worth", async () => {
  const withHeader = (authorization: string) => post("", { authorization });

  assertEquals(tokenOf(withHeader("Bearer a.b.c")), "a.b.c");
  assertEquals(tokenOf(withHeader("bearer a.b.c")), "a.b.c");
  for (const wrong of ["", "Bearer", "Bearer ", "Basic eA==", "Bearer a b", "Bearer é"]) {
    await assertProblem(() => tokenOf(withHeader(wrong)), 401, "not_signed_in");
  }
});

Deno.test("the user of an accepted token is read from it, and a key has none", async () => {
  assertEquals(userOfAccepted(tokenWith({ sub: ID, name: "João" })), ID);
  for (const token of [tokenWith({ role: "service_role" }), tokenWith({ sub: "root" }), "a.b.c", "a", "a.e30.c"]) {
    await assertProblem(() => userOfAccepted(token), 401, "not_signed_in");
  }
});

Deno.test("a job is named in the path or in the query", async () => {
  assertEquals(jobIdOf(new URL(`http://x/get-analysis-status/${ID.toUpperCase()}`)), ID);
  assertEquals(jobIdOf(new URL(`http://x/get-analysis-status?job_id=${ID}`)), ID);
  for (const path of ["", "?job_id=", "?job_id=1", "/1", `/${ID}x`]) {
    await assertProblem(
      () => jobIdOf(new URL(`http://x/get-analysis-status${path}`)),
      400,
      "invalid_request",
      "job_id",
    );
  }
});

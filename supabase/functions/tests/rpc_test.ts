import type { Problem } from "../_shared/problem.ts";
import { callRpc } from "../_shared/rpc.ts";
import { assertEquals, assertProblem } from "./assert.ts";
import { withServer } from "./servers.ts";

function refusal(status: number, code: string, message = "no", details: unknown = null): Response {
  return Response.json({ code, message, details, hint: null }, { status });
}

function asking(reply: () => Response): (check: (work: () => Promise<unknown>) => Promise<void>) => Promise<void> {
  return (check) =>
    withServer(reply, async (url) => {
      await check(() => callRpc({ url, anonKey: "anon" }, { token: "t", name: "enqueue_analysis", arguments: {} }));
    });
}

Deno.test("the text of the arguments is passed on as it is, as the caller", () =>
  withServer(() => Response.json({ id: 1 }), async (url, seen) => {
    const text = '{"input": {"n": 12345678901234567890}}';
    const answer = await callRpc({ url, anonKey: "anon" }, { token: "mine", name: "f", arguments: text });

    assertEquals(answer, { id: 1 });
    assertEquals([seen[0]?.path, seen[0]?.body], ["/rest/v1/rpc/f", text]);
    assertEquals([seen[0]?.headers.get("authorization"), seen[0]?.headers.get("apikey")], ["Bearer mine", "anon"]);
  }));

const REFUSALS: [Response, number, string, string?][] = [
  [
    refusal(400, "PT400", "input does not fit", '{"field": "files[0].path"}'),
    400,
    "invalid_request",
    "input.files[0].path",
  ],
  [refusal(400, "PT400", "input must be a JSON object"), 400, "invalid_request", "input"],
  [refusal(400, "PT400", "scheduled_at is more than a year away"), 400, "invalid_request", "scheduled_at"],
  [refusal(401, "PT401"), 401, "not_signed_in"],
  [refusal(401, "PGRST303", "JWT expired"), 401, "not_signed_in"],
  [refusal(401, "42501"), 401, "not_signed_in"],
  [refusal(403, "PT403"), 403, "forbidden"],
  [refusal(403, "42501"), 403, "forbidden"],
  [refusal(404, "PT404"), 404, "not_found"],
  [refusal(409, "PT409"), 409, "conflict"],
  [refusal(413, "PT413"), 413, "too_large"],
  [refusal(429, "PT429"), 429, "too_many_requests"],
  [refusal(503, "PT503"), 503, "paused"],
  [refusal(400, "22P05"), 400, "invalid_request", "body"],
  [refusal(500, "54001"), 400, "invalid_request", "body"],
  [refusal(400, ""), 503, "unavailable"],
  [refusal(404, "PGRST202"), 503, "unavailable"],
  [refusal(500, "57014"), 503, "unavailable"],
  [refusal(503, "PGRST002"), 503, "unavailable"],
  [new Response("<html>Bad Gateway</html>", { status: 502 }), 503, "unavailable"],
];

for (const [reply, status, code, field] of REFUSALS) {
  Deno.test(`HTTP ${reply.status} becomes ${status} ${code} ${field ?? ""} (${REFUSALS.findIndex(([r]) => r === reply)})`, () =>
    asking(() => reply.clone())((work) => assertProblem(work, status, code, field)));
}

Deno.test("a refusal for now says for how long", () =>
  asking(() => refusal(429, "PT429", "slow down", '{"retry_after_seconds": 17}'))(async (work) => {
    const problem = await work().then(() => null, (error) => error as Problem);
    assertEquals(problem?.toResponse("r").headers.get("retry-after"), "17");
  }));

Deno.test("nobody at home is a refusal for now", () =>
  assertProblem(
    () => callRpc({ url: "http://127.0.0.1:9", anonKey: "a" }, { token: "t", name: "f", arguments: {} }),
    503,
    "unavailable",
  ));

// Users of the gateway, who sign up, sign in, and ask for one analysis after the other.
//
//     K6_NO_USAGE_REPORT=true SUPABASE_URL=... SUPABASE_ANON_KEY=... LOAD_SHAPE=ramp50 k6 run benchmarks/load/gateway.js
//
// Shapes and limits are in profile.json, as for locust. Ends with 99 where a limit is not kept. LOAD_STRETCH=0.1 makes
// every stage a tenth as long.
//
// Everybody has signed in before the first one asks: to check a password takes more of a processor than all that follows.
import { check, fail, sleep } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import { Counter, Rate, Trend } from "k6/metrics";

const { shapes, limits } = JSON.parse(open("./profile.json"));
const { SUPABASE_URL, SUPABASE_ANON_KEY, LOAD_TYPE = "load", LOAD_SHAPE = "ramp50", LOAD_STRETCH = "1" } = __ENV;
const CANCELLED = 0.1, LOOK_S = 1, PATIENCE_S = 60;
const TERMINAL = ["completed", "failed", "cancelled"];

const endToEnd = new Trend("end_to_end", true);
const failures = new Rate("failures");
const watched = new Counter("watched");

export const options = {
  setupTimeout: "5m",
  scenarios: {
    users: {
      executor: "ramping-vus",
      stages: shapes[LOAD_SHAPE].map(([seconds, target]) => ({
        duration: `${Math.round(seconds * LOAD_STRETCH * 1000)}ms`,
        target,
      })),
      gracefulRampDown: "10s",
      gracefulStop: "10s",
    },
  },
  thresholds: {
    failures: [`rate<=${limits.failures}`],
    "http_req_duration{name:enqueue-analysis}": [`p(95)<=${limits.enqueue_p95_ms}`],
    end_to_end: [`p(95)<=${limits.end_to_end_p95_ms}`],
    watched: ["count>0"],
  },
};

let token; // of this virtual user

export function setup() {
  const most = Math.max(...shapes[LOAD_SHAPE].map(([, users]) => users));
  return Array.from({ length: most }, signIn);
}

export default function (tokens) {
  token = tokens[(exec.vu.idInTest - 1) % tokens.length];
  analyse();
  sleep(5 + 10 * Math.random());
}

function signIn() {
  const person = { email: `load-${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() };
  ask("POST", "/auth/v1/signup", "signup", [200], person);
  const answer = ask("POST", "/auth/v1/token?grant_type=password", "sign in", [200], person);
  return answer.status === 200 ? answer.json("access_token") : fail("nobody can sign in");
}

function analyse() {
  const began = Date.now();
  const body = { type: LOAD_TYPE, input: { number: Math.floor(Math.random() * 2 ** 31) } };
  const answer = ask("POST", "/functions/v1/enqueue-analysis", "enqueue-analysis", [200, 202], body);
  if (answer.status !== 200 && answer.status !== 202) return;
  const id = answer.json("id");
  if (Math.random() < CANCELLED) {
    ask("POST", "/functions/v1/cancel-analysis", "cancel-analysis", [200], { job_id: id });
    return;
  }
  const status = watch(id, began + PATIENCE_S * 1000);
  endToEnd.add(Date.now() - began);
  watched.add(1);
  failures.add(status !== "completed");
}

function watch(id, until) {
  let status = "pending", etag = "";
  while (!TERMINAL.includes(status) && Date.now() < until) {
    sleep(LOOK_S);
    const path = `/functions/v1/get-analysis-status/${id}`;
    const answer = ask("GET", path, "get-analysis-status", [200, 304], null, { "If-None-Match": etag });
    if (answer.status === 200) {
      status = answer.json("status");
      etag = answer.headers.Etag;
    }
  }
  return status;
}

function ask(method, path, name, expected, body = null, headers = {}) {
  const answer = http.request(method, SUPABASE_URL + path, body && JSON.stringify(body), {
    headers: {
      apikey: SUPABASE_ANON_KEY,
      "Content-Type": "application/json",
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    tags: { name },
  });
  const done = check(answer, { [`${name} is answered`]: ({ status }) => expected.includes(status) });
  failures.add(!done);
  if (!done) console.error(`${name}: HTTP ${answer.status}: ${String(answer.body).slice(0, 200)}`);
  return answer;
}

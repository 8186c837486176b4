// POST {type, input}: the whole analysis in one request, for while jobs do not get done or are not on for this user.
//
// It refuses where a job would do (409 async_healthy), since a job can be watched, cancelled and tried again. Before a
// model is asked, check_sync_analysis judges the input as enqueue_analysis would, rate included, and answers from the
// cache. Chats are held to the worker's rules before anybody reads them. The result is written down as a completed job, so that the user's history has no gap.

import { tokenOf, userOfAccepted } from "../_shared/auth.ts";
import { allowOnly, isObject, type JsonObject, readObject } from "../_shared/body.ts";
import { chooseSync, type Contract, type LoadContract, type Sync } from "../_shared/contract.ts";
import type { GeminiSettings, ServiceProject } from "../_shared/env.ts";
import type { Guard } from "../_shared/guard.ts";
import { type Call, json } from "../_shared/http.ts";
import type { Log } from "../_shared/log.ts";
import { invalid, Problem } from "../_shared/problem.ts";
import { callRpc } from "../_shared/rpc.ts";
import { readFiles } from "./files.ts";
import { finish, helpAlone, type Tools } from "./finish.ts";
import { askGemini, holdTo, unusable, type Usage } from "./gemini.ts";
import type { FoodTable } from "./meal.ts";
import { writeQuestion } from "./question.ts";

export interface Surroundings {
  project: ServiceProject;
  gemini: () => GeminiSettings;
  loadContract: LoadContract;
  loadGuard: () => Promise<Guard>;
  loadFoods: () => Promise<FoodTable>;
  now: () => number;
  newId: () => string;
}

interface Question {
  type: string;
  input: JsonObject;
}

interface Answered {
  user_id: string;
  result: unknown;
  usage: Usage;
  seconds: number;
}

const MAX_BYTES = 1024 * 1024;
const MAX_SECONDS = 25; // browsers, proxies and the platform give up not long after

export async function analyze(around: Surroundings, { request, log }: Call): Promise<Response> {
  const begun = around.now();
  const token = tokenOf(request);
  const question = await readQuestion(request);
  refuseWhereAJobWouldDo(await callRpc(around.project, { token, name: "get_flags", arguments: {} }), question.type);
  const user_id = userOfAccepted(token);
  const contract = await around.loadContract(question.type);
  const known = await callRpc(around.project, { token, name: "check_sync_analysis", arguments: { ...question } });
  if (isObject(known)) {
    return json(known["status"] === "completed" ? 200 : 202, known);
  }
  const { result, usage } = await ask(around, token, contract, question, log);
  const seconds = (around.now() - begun) / 1000;
  const id = await record(around, question, { user_id, result, usage, seconds }, (reason) => {
    log("not_recorded", { type: question.type, reason });
  });
  log("analyzed", { type: question.type, job_id: id ?? undefined, seconds });
  return json(200, { id, status: "completed", cached: false, result });
}

async function readQuestion(request: Request): Promise<Question> {
  const { object: { type, input, ...rest } } = await readObject(request, MAX_BYTES);
  allowOnly(rest, []);
  if (typeof type !== "string" || type.length === 0) {
    throw invalid("type", "type must be a string.");
  }
  if (!isObject(input)) {
    throw invalid("input", "input must be a JSON object.");
  }
  return { type, input };
}

/** The flags are those of the user: another one may be on the other side. */
function refuseWhereAJobWouldDo(answer: unknown, type: string): void {
  const { healthy, types, flags } = isObject(answer) ? answer : {};
  const key = isObject(types) ? types[type] : undefined;
  const flag = isObject(flags) && typeof key === "string" ? flags[key] : undefined;
  const isAsync = key === undefined || (isObject(flag) && flag["async"] === true);
  if (healthy === true && isAsync) {
    throw new Problem({ status: 409, code: "async_healthy", title: "Enqueue a job: jobs get done." });
  }
}

/** Where to find help is said with or without a model. */
async function ask(around: Surroundings, token: string, contract: Contract, { input }: Question, log: Log) {
  const sync = chooseSync(contract, input);
  const tools = { guard: await around.loadGuard(), loadFoods: around.loadFoods };
  const help = helpAlone(tools, sync, input);
  try {
    return await askModel(around, tools, token, { contract, sync, input }, log);
  } catch (error) {
    if (help === null || !(error instanceof Problem)) {
      throw error;
    }
    log("help_without_model", { type: contract.type, code: error.details.code });
    return { result: holdTo(contract.result_schema, help), usage: {} };
  }
}

/** Clients read the result like any other of the type, so it has to be one. */
async function askModel(
  { project, gemini }: Surroundings,
  tools: Tools,
  token: string,
  { contract, sync, input }: { contract: Contract; sync: Sync; input: JsonObject },
  log: Log,
): Promise<{ result: unknown; usage: Usage }> {
  const signal = AbortSignal.timeout(Math.min(sync.timeout_seconds, MAX_SECONDS) * 1000);
  const settings = gemini();
  const files = await readFiles(project, token, input, signal);
  const { answer, usage } = await askGemini(settings, sync, writeQuestion(tools.guard, sync, input), files, signal);
  const finished = await finish(tools, sync, input, answer);
  if (finished === null) {
    throw unusable("the answer has the form and cannot be used");
  }
  if (finished.crossed.length > 0) {
    log("red_lines_crossed", { type: contract.type, lines: finished.crossed.join(" ") });
  }
  const result = holdTo(contract.result_schema, finished.result);
  return { result, usage: { ...usage, prompt_version: contract.prompt_version } };
}

/** Sent again where the answer was lost. It is paid for, so the user gets it even where it cannot be written down. */
async function record(
  { project, newId }: Surroundings,
  question: Question,
  answered: Answered,
  onFailure: (reason: string) => void,
): Promise<string | null> {
  const body = { ...question, ...answered, idempotency_key: `sync:${newId()}` };
  const rpc = { token: project.serviceKey, name: "record_sync_analysis", arguments: body };
  try {
    const job = await callRpc(project, rpc).catch((error) => {
      if (error instanceof Problem && error.details.code === "unavailable") {
        return callRpc(project, rpc);
      }
      throw error;
    });
    return isObject(job) ? String(job["id"]) : null;
  } catch (error) {
    onFailure(error instanceof Problem ? error.reason ?? error.details.title : "unknown error");
    return null;
  }
}

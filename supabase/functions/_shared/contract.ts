// What a model is asked for one type of analysis: _shared/contracts/<type>.json, exported from the worker's own types and
// prompts. Of what stands there, this is read here:
//
//     {
//       "type": "echo",
//       "prompt_version": "echo.v1",
//       "result_schema": {...},              JSON schema of the job's result, which clients rely on
//       "sync": {                            absent where no single answer of a model is the result
//         "model": "gemini-3.5-flash-lite",
//         "system": "the system's words",
//         "user_template": "Leia. {{note}}", {{name}} is a field of the input, {{input}} all but its files
//         "response_schema": {...},          JSON schema of the model's answer
//         "timeout_seconds": 25,
//         "by": {"field": "persona", "variants": {"sofia": {"system": "...", "fixed": {...}}}},
//                                            optional: what differs with a field of the input
//         "data": [{"name": "historico", "field": "history", "line": "{{role}}: {{text}}"}],
//                                            optional: fields of the input, fenced, before the template (see question.ts)
//         "fixed": {"disclaimer": "..."},    optional: what code adds to the answer, and no model may change
//         "finish": "reply",                 optional: what code makes of the answer (see finish.ts)
//         "max_output_tokens": 8192,         optional
//         "thinking": "low",                 optional
//         "prices": {"input": 0.3, "cached_input": 0.03, "output": 2.5}    optional: US dollars per million tokens
//       }
//     }
//
// Where functions are deployed the files come along as `static_files` of the function.

import { isObject, type JsonObject } from "./body.ts";
import { invalid, Problem } from "./problem.ts";

export interface Prices {
  input: number;
  cached_input: number;
  output: number;
}

/** A part of the data that a model is told. */
export interface DataPart {
  /** As the model reads it. */
  name: string;
  /** Of the input: a text, or a list of texts or, with `line`, of objects. */
  field: string;
  line?: string;
  /** By field of a line, what a model reads for its values: {"role": {"user": "pessoa"}}. */
  words?: Record<string, Record<string, string>>;
  /** Of a list only the newest lines, together at most so many signs. */
  newest?: number;
}

export interface Sync {
  model: string;
  system: string;
  user_template: string;
  response_schema: JsonObject;
  timeout_seconds: number;
  data?: DataPart[];
  fixed?: JsonObject;
  finish?: "reply" | "meal";
  max_output_tokens?: number;
  thinking?: "minimal" | "low" | "medium" | "high";
  prices?: Prices;
}

export interface Contract {
  type: string;
  prompt_version: string;
  result_schema: JsonObject;
  sync: Omit<Sync, "system"> & {
    system?: string;
    by?: { field: string; variants: Record<string, Partial<Sync>> };
  };
}

export type LoadContract = (type: string) => Promise<Contract>;

const TYPE = /^[a-z][a-z0-9_]{0,62}$/;

/** Raises 404 for a type that has no synchronous way. */
export const loadContract: LoadContract = async (type) => {
  if (!TYPE.test(type)) {
    throw noSyncWay();
  }
  const file = new URL(`./contracts/${type}.json`, import.meta.url);
  const text = await Deno.readTextFile(file).catch((error) => {
    throw error instanceof Deno.errors.NotFound ? noSyncWay() : error;
  });
  return checkContract(JSON.parse(text));
};

export function checkContract(value: unknown): Contract {
  if (isObject(value) && value["sync"] === undefined) {
    throw noSyncWay();
  }
  if (
    !isObject(value) || !hasTexts(value, ["type", "prompt_version"]) || !isObject(value["result_schema"]) ||
    !isSync(value["sync"])
  ) {
    throw notConfigured();
  }
  return value as unknown as Contract;
}

/** What this input is asked with. Raises 400 where there is no such variant. */
export function chooseSync({ sync }: Contract, input: JsonObject): Sync {
  const { by, ...common } = sync;
  const name = by === undefined ? "" : String(input[by.field]);
  const variant = by === undefined ? {} : Object.hasOwn(by.variants, name) ? by.variants[name] : undefined;
  if (variant === undefined) {
    throw invalid(`input.${by?.field}`, "There is no such variant.");
  }
  const chosen = { ...common, ...variant };
  if (typeof chosen.system !== "string") {
    throw notConfigured();
  }
  return { ...chosen, system: chosen.system };
}

function isSync(value: unknown): boolean {
  if (!isObject(value) || !hasTexts(value, ["model", "user_template"])) {
    return false;
  }
  const by = value["by"];
  const isComplete = isObject(by)
    ? isObject(by["variants"]) &&
      Object.values(by["variants"]).every((each) => isObject(each) && hasTexts(each, ["system"]))
    : hasTexts(value, ["system"]);
  return isComplete && isObject(value["response_schema"]) && typeof value["timeout_seconds"] === "number";
}

function hasTexts(value: JsonObject, names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === "string");
}

export function notConfigured(): Problem {
  return new Problem({ status: 503, code: "not_configured", title: "This function is not configured." }, "contract");
}

/** In one pass: what a user wrote is never taken for a placeholder. */
export function fillTemplate(template: string, input: JsonObject): string {
  const { file: _file, files: _files, ...words } = input;
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = name === "input" ? words : Object.hasOwn(words, name) ? words[name] : "";
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}

function noSyncWay(): Problem {
  return new Problem({ status: 404, code: "not_found", title: "There is no synchronous way for this type." });
}

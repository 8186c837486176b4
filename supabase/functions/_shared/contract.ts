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
//         "fixed": {"disclaimer": "..."},    optional: what code adds to the answer, and no model may change
//         "max_output_tokens": 8192,         optional
//         "thinking": "low",                 optional
//         "prices": {"input": 0.3, "cached_input": 0.03, "output": 2.5}    optional: US dollars per million tokens
//       }
//     }
//
// Where functions are deployed the files come along as `static_files` of the function.

import { isObject, type JsonObject } from "./body.ts";
import { Problem } from "./problem.ts";

export interface Prices {
  input: number;
  cached_input: number;
  output: number;
}

export interface Contract {
  type: string;
  prompt_version: string;
  result_schema: JsonObject;
  sync: {
    model: string;
    system: string;
    user_template: string;
    response_schema: JsonObject;
    timeout_seconds: number;
    fixed?: JsonObject;
    max_output_tokens?: number;
    thinking?: "minimal" | "low" | "medium" | "high";
    prices?: Prices;
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
    !isObject(value["sync"]) || !hasTexts(value["sync"], ["model", "system", "user_template"]) ||
    !isObject(value["sync"]["response_schema"]) || typeof value["sync"]["timeout_seconds"] !== "number"
  ) {
    throw new Problem({ status: 503, code: "not_configured", title: "This function is not configured." }, "contract");
  }
  return value as unknown as Contract;
}

function hasTexts(value: JsonObject, names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === "string");
}

/** In one pass: what a user wrote is never taken for a placeholder. */
export function fillTemplate(template: string, input: JsonObject): string {
  const { files: _, ...words } = input;
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = name === "input" ? words : Object.hasOwn(words, name) ? words[name] : "";
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}

function noSyncWay(): Problem {
  return new Problem({ status: 404, code: "not_found", title: "There is no synchronous way for this type." });
}

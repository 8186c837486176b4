// What a model is asked for one type of analysis: _shared/contracts/<type>.json, exported from the worker's own prompts.
//
//     {
//       "type": "medical_exam",
//       "prompt_version": "medical_exam.v1",
//       "model": "gemini-3.8-flash",
//       "system": "the system's words",
//       "user_template": "Leia o laudo. {{note}}",     {{name}} is a field of the input, {{input}} all but its files
//       "response_schema": {...},                      JSON schema of the answer
//       "timeout_seconds": 25,
//       "max_output_tokens": 8192,                     optional
//       "thinking": "low",                             optional
//       "prices": {"input": 1.5, "cached_input": 0.15, "output": 7.5}    optional, US dollars per million tokens
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
  model: string;
  system: string;
  user_template: string;
  response_schema: JsonObject;
  timeout_seconds: number;
  max_output_tokens?: number;
  thinking?: "minimal" | "low" | "medium" | "high";
  prices?: Prices;
}

export type LoadContract = (type: string) => Promise<Contract>;

const TYPE = /^[a-z][a-z0-9_]{0,62}$/;
const TEXTS = ["type", "prompt_version", "model", "system", "user_template"];

/** Raises 404 for a type that has none: it has no synchronous way. */
export const loadContract: LoadContract = async (type) => {
  if (!TYPE.test(type)) {
    throw noContract();
  }
  const file = new URL(`./contracts/${type}.json`, import.meta.url);
  const text = await Deno.readTextFile(file).catch((error) => {
    throw error instanceof Deno.errors.NotFound ? noContract() : error;
  });
  return checkContract(JSON.parse(text));
};

export function checkContract(value: unknown): Contract {
  if (
    !isObject(value) || TEXTS.some((name) => typeof value[name] !== "string") ||
    !isObject(value["response_schema"]) || typeof value["timeout_seconds"] !== "number"
  ) {
    throw new Problem({ status: 503, code: "not_configured", title: "This function is not configured." }, "contract");
  }
  return value as unknown as Contract;
}

/** In one pass: what a user wrote is never taken for a placeholder. */
export function fillTemplate(template: string, input: JsonObject): string {
  const { files: _, ...words } = input;
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = name === "input" ? words : Object.hasOwn(words, name) ? words[name] : "";
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}

function noContract(): Problem {
  return new Problem({ status: 404, code: "not_found", title: "There is no synchronous way for this type." });
}

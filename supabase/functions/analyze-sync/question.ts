// What a model is told of an input: its data, each part fenced so that nothing in it is taken for an instruction, and
// after them the contract's own words. The same text as the worker's.

import { isObject, type JsonObject } from "../_shared/body.ts";
import { type DataPart, fillTemplate, type Sync } from "../_shared/contract.ts";
import type { Guard } from "../_shared/guard.ts";
import { lengthOf } from "../_shared/text.ts";

export function writeQuestion(guard: Guard, { data, user_template }: Sync, input: JsonObject): string {
  const parts = (data ?? [])
    .map((part): [string, string] => [part.name, textOf(part, input[part.field])])
    .filter(([, text]) => text !== "")
    .map(([name, text]) => guard.fence(name, text));
  return [...parts, fillTemplate(user_template, input)].join("\n");
}

function textOf(part: DataPart, value: unknown): string {
  if (typeof value === "string") {
    return value;
  }
  const lines = (Array.isArray(value) ? value : []).map((each) => lineOf(part, each));
  return newest(lines, part.newest ?? Infinity).join("\n");
}

function lineOf({ line, words }: DataPart, value: unknown): string {
  if (line === undefined || !isObject(value)) {
    return String(value);
  }
  const told = Object.entries(words ?? {}).map((
    [field, known],
  ) => [field, known[String(value[field])] ?? value[field]]);
  return fillTemplate(line, { ...value, ...Object.fromEntries(told) });
}

/** Those at the end that fit, in their order. */
function newest(lines: readonly string[], signs: number): readonly string[] {
  let left = signs;
  for (let index = lines.length - 1; index >= 0; index--) {
    left -= lengthOf(lines[index] ?? "");
    if (left < 0) {
      return lines.slice(index + 1);
    }
  }
  return lines;
}

// Whether a value has the shape that a JSON schema demands, for the keywords that pydantic emits for our models.

import { isObject, type JsonObject } from "./body.ts";

/** The first problem as "path: what", or null. A schema with a keyword that is not known here is a problem, too. */
export function findProblem(schema: JsonObject, value: unknown): string | null {
  return check({ root: schema, path: "$" }, schema, value);
}

interface Place {
  root: JsonObject;
  path: string;
}

type Check = (place: Place, wanted: unknown, value: unknown, schema: JsonObject) => string | null;

const DESCRIBING = new Set(["title", "description", "default", "examples", "format", "$defs", "propertyOrdering"]);

const CHECKS: Record<string, Check> = {
  $ref: (place, wanted, value) => check(place, resolve(place.root, wanted), value),
  type: ({ path }, wanted, value) =>
    [wanted].flat().some((type) => isType(type, value)) ? null : `${path}: has the wrong type`,
  enum: ({ path }, wanted, value) =>
    (wanted as unknown[]).some((each) => each === value) ? null : `${path}: is none of the choices`,
  const: ({ path }, wanted, value) => same(wanted, value) ? null : `${path}: is not the one value`,
  anyOf: (place, wanted, value) => {
    const problems = (wanted as JsonObject[]).map((each) => check(place, each, value));
    return problems.includes(null) ? null : problems[0] ?? null;
  },
  properties: (place, wanted, value) =>
    !isObject(value)
      ? null
      : first(Object.entries(wanted as Record<string, JsonObject>), ([name, schema]) =>
        Object.hasOwn(value, name) ? check(inside(place, `.${name}`), schema, value[name]) : null),
  required: ({ path }, wanted, value) =>
    !isObject(value)
      ? null
      : first(wanted as string[], (name) => Object.hasOwn(value, name) ? null : `${path}.${name}: is missing`),
  additionalProperties: (place, wanted, value, schema) => {
    const known = isObject(schema["properties"]) ? schema["properties"] : {};
    const extra = isObject(value) ? Object.entries(value).filter(([name]) => !Object.hasOwn(known, name)) : [];
    return wanted === true
      ? null
      : first(extra, ([, member]) =>
        isObject(wanted)
          ? check(inside(place, ".?"), wanted, member)
          : `${place.path}: has a field that is not known`);
  },
  items: (place, wanted, value) =>
    !Array.isArray(value)
      ? null
      : first([...value.entries()], ([index, item]) => check(inside(place, `[${index}]`), wanted as JsonObject, item)),
  minItems: bound((value) => Array.isArray(value) ? value.length : null, (size, limit) => size >= limit),
  maxItems: bound((value) => Array.isArray(value) ? value.length : null, (size, limit) => size <= limit),
  minLength: bound(lengthOf, (size, limit) => size >= limit),
  maxLength: bound(lengthOf, (size, limit) => size <= limit),
  minimum: bound(numberOf, (size, limit) => size >= limit),
  maximum: bound(numberOf, (size, limit) => size <= limit),
  exclusiveMinimum: bound(numberOf, (size, limit) => size > limit),
  exclusiveMaximum: bound(numberOf, (size, limit) => size < limit),
  pattern: ({ path }, wanted, value) =>
    typeof value !== "string" || new RegExp(String(wanted), "u").test(value) ? null : `${path}: has the wrong form`,
};

function check(place: Place, schema: JsonObject, value: unknown): string | null {
  return first(Object.entries(schema), ([keyword, wanted]) => {
    if (DESCRIBING.has(keyword)) {
      return null;
    }
    const one = CHECKS[keyword];
    return one === undefined ? `${place.path}: ${keyword} is not understood` : one(place, wanted, value, schema);
  });
}

function bound(measure: (value: unknown) => number | null, holds: (size: number, limit: number) => boolean): Check {
  return ({ path }, wanted, value) => {
    const size = measure(value);
    return size === null || holds(size, wanted as number) ? null : `${path}: is out of bounds`;
  };
}

function first<T>(items: Iterable<T>, find: (item: T) => string | null): string | null {
  for (const item of items) {
    const problem = find(item);
    if (problem !== null) {
      return problem;
    }
  }
  return null;
}

function resolve(root: JsonObject, reference: unknown): JsonObject {
  const name = /^#\/\$defs\/(.+)$/.exec(String(reference))?.[1] ?? "";
  const found = isObject(root["$defs"]) ? root["$defs"][name] : undefined;
  return isObject(found) ? found : { [`$ref ${name}`]: true };
}

function inside(place: Place, part: string): Place {
  return { ...place, path: place.path + part };
}

function isType(type: unknown, value: unknown): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    default:
      return false;
  }
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function lengthOf(value: unknown): number | null {
  return typeof value === "string" ? [...value].length : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

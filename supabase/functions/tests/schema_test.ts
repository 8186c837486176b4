import type { JsonObject } from "../_shared/body.ts";
import { fillTemplate } from "../_shared/contract.ts";
import { findProblem } from "../_shared/schema.ts";
import { assertEquals } from "./assert.ts";

const SCHEMA: JsonObject = {
  $defs: {
    Food: { type: "object", properties: { grams: { type: "number", exclusiveMinimum: 0 } }, required: ["grams"] },
  },
  type: "object",
  title: "Meal",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 3, pattern: "^[a-zé]+$" },
    foods: { type: "array", items: { $ref: "#/$defs/Food" }, minItems: 1, maxItems: 2 },
    meal: { anyOf: [{ enum: ["lunch", "dinner"] }, { type: "null" }] },
    share: { type: "number", minimum: 0, maximum: 1 },
    count: { type: "integer" },
    kind: { const: "meal" },
    sure: { type: "boolean" },
  },
  required: ["foods"],
  additionalProperties: false,
};

const GOOD: unknown[] = [
  { foods: [{ grams: 1 }] },
  {
    foods: [{ grams: 1, more: "allowed" }, { grams: 0.5 }],
    name: "pé",
    meal: null,
    share: 1,
    count: 3,
    kind: "meal",
    sure: true,
  },
];

const BAD: [unknown, string][] = [
  [null, "$: has the wrong type"],
  [{}, "$.foods: is missing"],
  [{ foods: [] }, "$.foods: is out of bounds"],
  [{ foods: [{ grams: 1 }, { grams: 1 }, { grams: 1 }] }, "$.foods: is out of bounds"],
  [{ foods: [{}] }, "$.foods[0].grams: is missing"],
  [{ foods: [{ grams: 0 }] }, "$.foods[0].grams: is out of bounds"],
  [{ foods: [{ grams: "1" }] }, "$.foods[0].grams: has the wrong type"],
  [{ foods: [{ grams: 1 }], name: "" }, "$.name: is out of bounds"],
  [{ foods: [{ grams: 1 }], name: "abcd" }, "$.name: is out of bounds"],
  [{ foods: [{ grams: 1 }], name: "A" }, "$.name: has the wrong form"],
  [{ foods: [{ grams: 1 }], meal: "tea" }, "$.meal: is none of the choices"],
  [{ foods: [{ grams: 1 }], share: 2 }, "$.share: is out of bounds"],
  [{ foods: [{ grams: 1 }], count: 1.5 }, "$.count: has the wrong type"],
  [{ foods: [{ grams: 1 }], kind: "snack" }, "$.kind: is not the one value"],
  [{ foods: [{ grams: 1 }], sure: 1 }, "$.sure: has the wrong type"],
  [{ foods: [{ grams: 1 }], extra: 1 }, "$: has a field that is not known"],
];

Deno.test("what has the shape has no problem", () => {
  for (const value of GOOD) {
    assertEquals(findProblem(SCHEMA, value), null);
  }
});

for (const [value, problem] of BAD) {
  Deno.test(`${JSON.stringify(value)} has not the shape`, () => assertEquals(findProblem(SCHEMA, value), problem));
}

Deno.test("a schema that is not understood lets nothing pass", () => {
  assertEquals(findProblem({ not: {} }, 1), "$: not is not understood");
  assertEquals(findProblem({ $ref: "#/$defs/Nothing" }, 1) === null, false);
});

Deno.test("a template is filled in one pass, without files", () => {
  const input = { note: "{{secret}} $&", secret: "s", n: 2, files: [1] };

  assertEquals(fillTemplate("a {{note}} {{n}} {{nothing}}", input), "a {{secret}} $& 2 ");
  assertEquals(fillTemplate("{{input}}", input), '{"note":"{{secret}} $&","secret":"s","n":2}');
  assertEquals(fillTemplate("{{files}}{{toString}}", input), "");
});

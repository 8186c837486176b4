// Foods and grams become the result that the worker makes of them.

import { findProblem } from "../_shared/schema.ts";
import { loadContract } from "../_shared/contract.ts";
import { findUnknown, loadFoods, reportMeal, round } from "../analyze-sync/meal.ts";
import { assertEquals } from "./assert.ts";

const VECTORS = JSON.parse(
  await Deno.readTextFile(new URL("../../../tests/contract/functions/meal_vectors.json", import.meta.url)),
);
const FIXED_HERE = ["hinted", "disclaimer", "prompt_version", "model"];
const table = await loadFoods();

function sorted(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value),
    (_, each) =>
      each !== null && typeof each === "object" && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => one < other ? -1 : 1))
        : each,
  );
}

Deno.test("every meal of the vectors is reported as the worker reports it", () => {
  for (const [seen, meal, wanted] of VECTORS.meals) {
    const expected = Object.fromEntries(Object.entries(wanted).filter(([name]) => !FIXED_HERE.includes(name)));
    assertEquals(sorted(reportMeal(table, seen, meal)), sorted(expected));
  }
});

Deno.test("what the contract fixes is what the worker says where no detector helps", async () => {
  const { sync, result_schema } = await loadContract("sofia_image");
  const [[seen, meal, { model: _, ...wanted }]] = VECTORS.meals;
  const result = { ...reportMeal(table, seen, meal), ...sync.fixed };
  assertEquals(sorted(result), sorted(wanted));
  assertEquals(findProblem(result_schema, { ...result, model: sync.model }), null);
});

Deno.test("numbers are rounded half to even, on what their bits say", () => {
  const cases: [number, number, number][] = [
    ...[[0.25, 1, 0.2], [0.75, 1, 0.8], [2.25, 1, 2.2], [0.35, 1, 0.3], [0.05, 1, 0.1], [1.005, 2, 1]],
    ...[[0.125, 2, 0.12], [0.375, 2, 0.38], [0, 1, 0], [128.25, 1, 128.2], [99.95, 1, 100]],
  ] as [number, number, number][];
  assertEquals(cases.map(([value, decimals]) => round(value, decimals)), cases.map(([, , wanted]) => wanted));
});

Deno.test("a food that a model made up is found", () => {
  const item = { grams: 1, confidence: 1 };
  const seen = {
    is_food: true,
    items: [{ food_id: "banana", ...item }, { food_id: "ambrosia", ...item }],
    unlisted: [],
  };
  assertEquals(findUnknown(table, seen), "ambrosia");
  assertEquals(findUnknown(table, { ...seen, items: [] }), null);
});

// From the foods and grams that a model saw to the result: nutrients by the table, rounded as the worker rounds them,
// with unknown kept apart from zero. The same as the worker's sofia_image, which vectors say.

import type { JsonObject } from "../_shared/body.ts";

/** foods.json. */
export interface FoodTable {
  nutrients: string[];
  unsure: number;
  words: Record<"said" | "amount" | "no_food" | "unlisted" | "unsure" | "unknown_energy", string>;
  foods: [id: string, name: string, per_100g: Amounts][];
}

/** In the order of the table's nutrients; null is unknown. */
type Amounts = (number | null)[];

export interface SeenFoods {
  is_food: boolean;
  items: { food_id: string; grams: number; confidence: number }[];
  unlisted: string[];
}

interface Eaten {
  id: string;
  name: string;
  grams: number;
  confidence: number;
  per_100g: Amounts;
  amounts: Amounts;
}

export async function loadFoods(): Promise<FoodTable> {
  return JSON.parse(await Deno.readTextFile(new URL("../_shared/foods.json", import.meta.url)));
}

/** The first food that a model made up, or null. */
export function findUnknown({ foods }: FoodTable, { items }: SeenFoods): string | null {
  return items.find((item) => !foods.some(([id]) => id === item.food_id))?.food_id ?? null;
}

/** Of the result everything but what is fixed and the model's name. Foods that are not in the table count for nothing. */
export function reportMeal(table: FoodTable, seen: SeenFoods, meal: unknown): JsonObject {
  const eaten = seen.items.flatMap((item) => eatenOf(table, item));
  const confidence = eaten.reduce((sum, item) => sum + item.confidence, 0) / (eaten.length || 1);
  return {
    is_food: eaten.length > 0 || seen.unlisted.length > 0,
    items: eaten.map((item) => ({
      food_id: item.id,
      name: item.name,
      said: table.words.said,
      meal: meal ?? null,
      grams: item.grams,
      derivation: "model",
      amount: table.words.amount,
      confidence: item.confidence,
      nutrients: named(table, item.amounts.map(roundAmount)),
      notes: [],
    })),
    totals: totalOf(table, eaten),
    unlisted: seen.unlisted,
    confidence: round(confidence, 2),
    warnings: warningsOf(table, eaten, seen.unlisted),
  };
}

/** Half to even, on the very number that the bits say, as Python rounds: 0.25 is 0.2 and 0.35 is 0.3. */
export function round(value: number, decimals: number): number {
  const halves = value * 2 ** (decimals + 1);
  if (Number.isInteger(halves) && halves % 2 !== 0) { // as near to one as to the other
    const scale = 10 ** decimals;
    const lower = Math.floor(value * scale);
    return (lower % 2 === 0 ? lower : lower + 1) / scale;
  }
  return Number(value.toFixed(decimals));
}

function eatenOf({ foods }: FoodTable, seen: SeenFoods["items"][number]): Eaten[] {
  const grams = round(seen.grams, 1);
  return foods.filter(([id]) => id === seen.food_id).map(([id, name, per_100g]) => ({
    id,
    name,
    grams,
    confidence: seen.confidence,
    per_100g,
    amounts: per_100g.map((amount) => amount === null ? null : amount * (grams / 100)),
  }));
}

/** The sum over nothing is zero, and known; over parts that all do not tell it is unknown. */
function totalOf(table: FoodTable, eaten: readonly Eaten[]): JsonObject {
  const columns = table.nutrients.map((_, index) => eaten.map((item) => item.amounts[index] ?? null));
  const sums = columns.map((column) => {
    const told = column.filter((amount) => amount !== null);
    return told.length > 0 || column.length === 0 ? told.reduce((sum, amount) => sum + amount, 0) : null;
  });
  return {
    amounts: named(table, sums.map(roundAmount)),
    partly_unknown: table.nutrients.filter((_, index) => columns[index]?.includes(null)),
  };
}

function warningsOf({ words, unsure, nutrients }: FoodTable, eaten: readonly Eaten[], unlisted: string[]): string[] {
  const energy = nutrients.indexOf("kcal");
  const told = (text: string, names: string[]) =>
    names.length === 0 ? [] : [text.replace("{names}", () => [...new Set(names)].join(", "))];
  return [
    ...eaten.length === 0 && unlisted.length === 0 ? [words.no_food] : [],
    ...told(words.unsure, eaten.filter((item) => item.confidence < unsure).map((item) => item.name)),
    ...told(words.unknown_energy, eaten.filter((item) => item.per_100g[energy] === null).map((item) => item.name)),
    ...unlisted.length === 0 ? [] : [words.unlisted.replace("{names}", () => unlisted.join(", "))],
  ];
}

function roundAmount(amount: number | null): number | null {
  return amount === null ? null : round(amount, 1);
}

function named({ nutrients }: FoodTable, amounts: Amounts): JsonObject {
  return Object.fromEntries(nutrients.map((name, index) => [name, amounts[index] ?? null]));
}

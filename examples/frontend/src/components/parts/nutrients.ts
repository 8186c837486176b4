import type { FoodItem, NutrientAmounts } from "../../contracts.ts";

const NAMES = [
  "kcal", "protein", "carbohydrate", "fat", "fibre", "sodium", "calcium", "iron", "vitamin_c", "alcohol",
] as const satisfies (keyof NutrientAmounts)[];

/** The same food in another amount. */
export function withGrams(item: FoodItem, grams: number): FoodItem {
  const factor = grams / item.grams;
  const nutrients = { ...item.nutrients };
  for (const name of NAMES) {
    const amount = nutrients[name];
    nutrients[name] = amount === null ? null : amount * factor;
  }
  return { ...item, grams, nutrients, amount: `${grams} g`, derivation: "weight" };
}

/** What is not known of a food is left out, as the worker does: the sum is then at least this. */
export function sumNutrients(items: readonly FoodItem[]): NutrientAmounts {
  const sum = {} as NutrientAmounts;
  for (const name of NAMES) {
    const known = items.map((item) => item.nutrients[name]).filter((amount) => amount !== null);
    sum[name] = known.length > 0 ? known.reduce((total, amount) => total + amount, 0) : null;
  }
  return sum;
}

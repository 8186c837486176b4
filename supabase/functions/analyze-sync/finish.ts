// What code makes of a model's answer, by the contract's `finish`, and what it says where no model answers.

import { isObject, type JsonObject } from "../_shared/body.ts";
import type { Sync } from "../_shared/contract.ts";
import type { Guard } from "../_shared/guard.ts";
import { findUnknown, type FoodTable, reportMeal, type SeenFoods } from "./meal.ts";

export interface Tools {
  guard: Guard;
  loadFoods: () => Promise<FoodTable>;
}

export interface Finished {
  result: unknown;
  /** Which red lines were crossed, never by which words. */
  crossed: string[];
}

/** `answer` has the shape of the contract's response_schema. Null where it cannot be used all the same. */
export async function finish(tools: Tools, sync: Sync, input: JsonObject, answer: unknown): Promise<Finished | null> {
  const own = isObject(answer) ? answer : {};
  switch (sync.finish ?? "as it is") {
    case "as it is":
      return { result: sync.fixed === undefined ? answer : { ...own, ...sync.fixed }, crossed: [] };
    case "reply":
      return String(own["reply"]).trim() === "" ? null : finishReply(tools.guard, sync, input, own);
    case "meal":
      return finishMeal(await tools.loadFoods(), sync, input, own as unknown as SeenFoods);
  }
}

/** Help goes out with or without a model. Null where the message asks for none. */
export function helpAlone({ guard }: Tools, { finish, fixed }: Sync, input: JsonObject): JsonObject | null {
  const emergency = finish === "reply" ? guard.emergencyIn(String(input["message"])) : null;
  return emergency === null
    ? null
    : { ...fixed, reply: guard.adviceFor(emergency), suggestions: [], emergency: true, model: null };
}

function finishReply(guard: Guard, { fixed, model }: Sync, input: JsonObject, answer: JsonObject): Finished {
  const emergency = guard.emergencyIn(String(input["message"]));
  const apart = Array.isArray(answer["suggestions"]) ? answer["suggestions"].map(String) : [];
  const { text, suggestions, crossed } = guard.finish(emergency, String(answer["reply"]), apart);
  return { result: { ...fixed, reply: text, suggestions, emergency: emergency !== null, model }, crossed };
}

function finishMeal(foods: FoodTable, { fixed, model }: Sync, input: JsonObject, seen: SeenFoods): Finished | null {
  return findUnknown(foods, seen) === null
    ? { result: { ...reportMeal(foods, seen, input["meal"]), ...fixed, model }, crossed: [] }
    : null;
}

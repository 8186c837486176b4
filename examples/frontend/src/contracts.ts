// Written by scripts/write_contracts.py from the worker's own models. Do not edit: run it again.

import type {} from "use-async-analysis"; // to be added to, it has to be there

/** One measured thing. `value` is a number; a result that is none ("< 10,0", "Não reagente") is `value_text`. */
export interface Analyte {
  name: string;
  key: string | null;
  value: number | null;
  value_text: string | null;
  unit: string | null;
  reference: ReferenceRange | null;
  flag: "low" | "normal" | "high" | "unknown";
  confidence: number;
}

/** Grams a day. */
export interface Bounds {
  low: number;
  high: number;
}

export interface ChatTurn {
  role: "user" | "assistant";
  text: string;
}

export interface DrVitalInput {
  series: Series[];
  question?: string | null;
}

/** `emergency` says that the reply begins with where to find help. `model` is None where no model wrote it. */
export interface DrVitalResult {
  trends: Trend[];
  reply: string;
  emergency: boolean;
  warnings: string[];
  disclaimer: string;
  prompt_version: string;
  model: string | null;
}

/** Something the app knows: "objetivo", "perder 5 kg até março". */
export interface Fact {
  label: string;
  value: string;
}

/** `said` is how the user put it, `amount` how the grams came about, both to be shown. */
export interface FoodItem {
  food_id: string;
  name: string;
  said: string;
  meal: "breakfast" | "morning_snack" | "lunch" | "snack" | "dinner" | "supper" | null;
  grams: number;
  derivation: "weight" | "volume" | "measure" | "count" | "portion" | "model";
  amount: string;
  confidence: number;
  nutrients: NutrientAmounts;
  notes: string[];
}

export interface HealthInsightsInput {
  series: Series[];
}

/** `warnings` is what should not wait. `written_by` says whose words `text` is. */
export interface HealthInsightsResult {
  trends: Trend[];
  text: string;
  written_by: "model" | "template";
  warnings: string[];
  disclaimer: string;
  prompt_version: string | null;
  model: string | null;
}

/** The same input and `seed` give the same plan; another seed gives another. Adults only. */
export interface MealPlanInput {
  sex: "female" | "male";
  age: number;
  weight_kg: number;
  height_cm: number;
  activity?: "sedentary" | "light" | "moderate" | "high" | "very_high";
  goal?: "lose" | "keep" | "gain";
  diet?: "omnivore" | "vegetarian" | "vegan";
  avoid?: ("gluten" | "lactose")[];
  allergies?: ("wheat" | "milk" | "egg" | "peanut" | "nuts" | "soy" | "fish" | "shellfish")[];
  dislikes?: string[];
  days?: number;
  meals_per_day?: number;
  seed?: number;
}

export interface MealPlanResult {
  targets: PlanTargets;
  days: PlannedDay[];
  shopping_list: ShoppingItem[];
  warnings: string[];
  disclaimer: string;
}

export interface Measurement {
  on: string;
  value: number;
}

/** Photos and PDFs of one report in the order of its pages, of which it may have 20 in all. */
export interface MedicalExamInput {
  files: StoredFile[];
}

export interface MedicalExamResult {
  exam_kind: "hemograma" | "perfil lipídico" | "glicemia" | "tireoide" | "função hepática" | "função renal" | "eletrólitos" | "ferro" | "vitaminas" | "hormônios" | "inflamação" | "misto" | "outro";
  collected_at: string | null;
  laboratory: string | null;
  analytes: Analyte[];
  confidence: number;
  raw_text: string;
  warnings: string[];
  disclaimer: string;
}

/** Energy in kcal; protein, carbohydrate, fat, fibre and alcohol in g; the rest in mg. None is unknown, not zero. */
export interface NutrientAmounts {
  kcal: number | null;
  protein: number | null;
  carbohydrate: number | null;
  fat: number | null;
  fibre: number | null;
  sodium: number | null;
  calcium: number | null;
  iron: number | null;
  vitamin_c: number | null;
  alcohol: number | null;
}

/** Nutrients in `partly_unknown` are at least what `amounts` says: not every food tells them. */
export interface NutrientTotals {
  amounts: NutrientAmounts;
  partly_unknown: ("kcal" | "protein" | "carbohydrate" | "fat" | "fibre" | "sodium" | "calcium" | "iron" | "vitamin_c" | "alcohol")[];
}

/** `kcal` is met within 3 % each day. `resting_kcal` is by Mifflin-St Jeor, `spent_kcal` with activity. */
export interface PlanTargets {
  resting_kcal: number;
  spent_kcal: number;
  kcal: number;
  protein: Bounds;
  carbohydrate: Bounds;
  fat: Bounds;
}

export interface PlannedDay {
  day: number;
  meals: PlannedMeal[];
  totals: NutrientTotals;
}

/** `amount` is in household measures. */
export interface PlannedFood {
  food_id: string;
  name: string;
  grams: number;
  amount: string;
}

export interface PlannedMeal {
  meal: "breakfast" | "morning_snack" | "lunch" | "snack" | "dinner" | "supper";
  foods: PlannedFood[];
  kcal: number;
}

/** `low` and `high` are None where the report prints no such bound, or several that may not all apply. */
export interface ReferenceRange {
  low: number | null;
  high: number | null;
  text: string;
}

/** Points in any order, several a day as they come. */
export interface Series {
  kind: "weight_kg" | "body_fat_percent" | "waist_cm" | "systolic_mmhg" | "diastolic_mmhg" | "glucose_mg_dl" | "heart_rate_bpm" | "steps" | "active_minutes" | "sleep_hours" | "water_ml";
  points: Measurement[];
  target?: Target | null;
}

/** `grams` is what to buy, `quantity` the same as one says it in a market. */
export interface ShoppingItem {
  food_id: string;
  name: string;
  grams: number;
  quantity: string;
}

export interface SofiaImageInput {
  file: StoredFile;
  meal?: "breakfast" | "morning_snack" | "lunch" | "snack" | "dinner" | "supper" | null;
}

/**
 * `is_food` false: nothing to eat on the photo. `unlisted` was seen and is in no table, so it counts for nothing.
 *
 * The grams are a model's estimate, to be confirmed by the user; the nutrients are computed from them.
 */
export interface SofiaImageResult {
  is_food: boolean;
  items: FoodItem[];
  totals: NutrientTotals;
  unlisted: string[];
  hinted: boolean;
  confidence: number;
  warnings: string[];
  disclaimer: string;
  prompt_version: string;
  model: string;
}

/** `meal` is taken for foods that the text itself gives no meal. */
export interface SofiaTextInput {
  text: string;
  meal?: "breakfast" | "morning_snack" | "lunch" | "snack" | "dinner" | "supper" | null;
  locale?: "pt-BR";
}

export interface SofiaTextResult {
  items: FoodItem[];
  totals: NutrientTotals;
  leftovers: TextLeftover[];
  confidence: number;
  warnings: string[];
  disclaimer: string;
}

/** An object in Supabase Storage; that it belongs to the caller is checked when the job is enqueued. */
export interface StoredFile {
  bucket?: "analysis-inputs";
  path: string;
}

/** The user's own goal, or a range printed on a report of theirs; nothing else counts as out of range. */
export interface Target {
  low?: number | null;
  high?: number | null;
  source: "user" | "printed";
}

/** A part of the text that became no item: not understood, or said not to have been eaten. */
export interface TextLeftover {
  text: string;
  reason: "not_understood" | "negated";
}

/**
 * One series in numbers.
 *
 * `change` is last minus first. `slope_per_week` is the least-squares line through all points, None where they are all
 * of one day; `direction` is `unknown` below three points. `outside_target` is None where there is no target.
 */
export interface Trend {
  kind: "weight_kg" | "body_fat_percent" | "waist_cm" | "systolic_mmhg" | "diastolic_mmhg" | "glucose_mg_dl" | "heart_rate_bpm" | "steps" | "active_minutes" | "sleep_hours" | "water_ml";
  name: string;
  unit: string;
  count: number;
  first_on: string;
  last_on: string;
  first: number;
  last: number;
  change: number;
  minimum: number;
  maximum: number;
  mean: number;
  slope_per_week: number | null;
  direction: "rising" | "falling" | "steady" | "unknown";
  outside_target: number | null;
}

/** `history` is oldest first, `memory` what the user told in other conversations, `context` what the app knows. */
export interface UnifiedAssistantInput {
  persona: "sofia" | "dr_vital";
  message: string;
  history?: ChatTurn[];
  memory?: string[];
  context?: Fact[];
}

/** `emergency` says that the reply begins with where to find help. `model` is None where no model wrote it. */
export interface UnifiedAssistantResult {
  reply: string;
  persona: "sofia" | "dr_vital";
  suggestions: string[];
  emergency: boolean;
  disclaimer: string;
  prompt_version: string;
  model: string | null;
}

export interface Contracts {
  dr_vital: { input: DrVitalInput; result: DrVitalResult };
  health_insights: { input: HealthInsightsInput; result: HealthInsightsResult };
  meal_plan: { input: MealPlanInput; result: MealPlanResult };
  medical_exam: { input: MedicalExamInput; result: MedicalExamResult };
  sofia_image: { input: SofiaImageInput; result: SofiaImageResult };
  sofia_text: { input: SofiaTextInput; result: SofiaTextResult };
  unified_assistant: { input: UnifiedAssistantInput; result: UnifiedAssistantResult };
}

declare module "use-async-analysis" {
  interface AnalysisTypes extends Contracts {}
}

import type {
  Analyte,
  DrVitalResult,
  FoodItem,
  HealthInsightsResult,
  MealPlanResult,
  MedicalExamResult,
  NutrientAmounts,
  PlannedDay,
  SofiaImageResult,
  SofiaTextResult,
  Trend,
  UnifiedAssistantResult,
} from "../contracts.ts";
import { sumNutrients } from "../components/parts/nutrients.ts";

type Macros = [kcal: number, protein: number, carbohydrate: number, fat: number];

function nutrients([kcal, protein, carbohydrate, fat]: Macros): NutrientAmounts {
  const rest = { fibre: null, sodium: null, calcium: null, iron: null, vitamin_c: null, alcohol: null };
  return { kcal, protein, carbohydrate, fat, ...rest };
}

function food(name: string, grams: number, amount: string, macros: Macros): FoodItem {
  return {
    food_id: name.toLowerCase().replaceAll(" ", "-"),
    name,
    said: name,
    meal: "lunch",
    grams,
    derivation: "measure",
    amount,
    confidence: 0.9,
    nutrients: nutrients(macros),
    notes: [],
  };
}

const FOOD_DISCLAIMER =
  "Valores estimados a partir de tabelas de composição de alimentos e de medidas caseiras usuais. Servem de referência e não substituem a orientação de um nutricionista.";

export const FOODS: FoodItem[] = [
  food("Arroz branco cozido", 125, "5 × colher de sopa", [160, 3.1, 35.1, 0.3]),
  food("Feijão carioca cozido", 86, "1 concha", [65, 4.1, 11.7, 0.4]),
  food("Peito de frango grelhado", 120, "1 filé", [191, 38.4, 0, 3]),
  food("Salada de alface e tomate", 60, "1 porção", [11, 0.6, 2.1, 0.1]),
];

const totals = { amounts: sumNutrients(FOODS), partly_unknown: [] };

export const MEAL: SofiaTextResult = {
  items: FOODS,
  totals,
  leftovers: [{ text: "um negocinho doce", reason: "not_understood" }],
  confidence: 0.86,
  warnings: ["Não entendi: “um negocinho doce”."],
  disclaimer: FOOD_DISCLAIMER,
};

export const PHOTO: SofiaImageResult = {
  is_food: true,
  items: FOODS,
  totals,
  unlisted: [],
  hinted: true,
  confidence: 0.82,
  warnings: [],
  disclaimer: FOOD_DISCLAIMER,
  prompt_version: "sofia_image.v1",
  model: "gemini-3.5-flash-lite",
};

function analyte(name: string, value: number, unit: string, text: string, flag: Analyte["flag"]): Analyte {
  const reference = { low: null, high: null, text };
  return { name, key: null, value, value_text: null, unit, reference, flag, confidence: 0.98 };
}

export const EXAM: MedicalExamResult = {
  exam_kind: "hemograma",
  collected_at: "2026-03-12",
  laboratory: "Laboratório Vila Serena",
  analytes: [
    analyte("Hemoglobina", 10.9, "g/dL", "12,0 a 15,5", "low"),
    analyte("Hematócrito", 36.2, "%", "36,0 a 46,0", "normal"),
    analyte("VCM", 88.1, "fL", "80,0 a 100,0", "normal"),
    analyte("Leucócitos", 12_400, "/mm³", "4.000 a 11.000", "high"),
    analyte("Plaquetas", 254_000, "/mm³", "150.000 a 400.000", "normal"),
  ],
  confidence: 0.98,
  raw_text: "",
  warnings: [],
  disclaimer:
    "Leitura automática do laudo, apenas informativa. Pode conter erros: confira com o documento original. Não é diagnóstico nem substitui a avaliação de um profissional de saúde.",
};

function trend(change: Partial<Trend> & Pick<Trend, "kind" | "name" | "unit" | "last" | "direction">): Trend {
  const { last } = change;
  return {
    count: 7,
    first_on: "2026-09-07",
    last_on: "2026-10-19",
    first: last,
    change: 0,
    minimum: last,
    maximum: last,
    mean: last,
    slope_per_week: 0,
    outside_target: null,
    ...change,
  };
}

const TRENDS: Trend[] = [
  trend({ kind: "weight_kg", name: "Peso", unit: "kg", last: 79.3, direction: "falling" }),
  trend({ kind: "sleep_hours", name: "Sono", unit: "h", last: 7.3, direction: "rising" }),
  trend({ kind: "steps", name: "Passos", unit: "passos", last: 8300, direction: "rising" }),
];

const HEALTH_DISCLAIMER =
  "Leitura automática das suas próprias medidas, apenas informativa. Não é diagnóstico nem prescrição e não substitui um profissional de saúde.";

export const INSIGHTS: HealthInsightsResult = {
  trends: TRENDS,
  text:
    "Em seis semanas o peso caiu 3,1 kg, num ritmo constante de meio quilo por semana. O sono passou de 6 para mais de 7 horas, e os passos diários subiram de 5.200 para 8.300. Falta 1,3 kg para a sua meta.",
  written_by: "model",
  warnings: [],
  disclaimer: HEALTH_DISCLAIMER,
  prompt_version: null,
  model: null,
};

export const DR_VITAL: DrVitalResult = {
  trends: TRENDS,
  reply:
    "Sim: seu peso caiu 3,1 kg em seis semanas e a tendência é constante. Você também está dormindo mais. Continue registrando para acompanharmos.",
  emergency: false,
  warnings: [],
  disclaimer: HEALTH_DISCLAIMER,
  prompt_version: "dr_vital_reading.v1",
  model: null,
};

export const PARTIAL = "Boas trocas para o arroz branco: arroz integral, que dá mais saciedade; mandioca ou batata-doce, em porç";

export const REPLY: UnifiedAssistantResult = {
  reply:
    "Boas trocas para o arroz branco:\n• arroz integral, que dá mais saciedade\n• mandioca ou batata-doce, em porções parecidas\n• quinoa, com mais proteína",
  persona: "sofia",
  suggestions: ["Como preparar arroz integral?", "Quanto de mandioca equivale?"],
  emergency: false,
  disclaimer: "A Sofia é uma assistente virtual: dá informações gerais e pode errar. Não substitui nutricionista nem médico.",
  prompt_version: "sofia.v1",
  model: null,
};

function planned(name: string, grams: number, amount: string) {
  return { food_id: name.toLowerCase().replaceAll(" ", "-"), name, grams, amount };
}

function day(number: number): PlannedDay {
  return {
    day: number,
    totals: { amounts: nutrients([1712, 88, 214, 52]), partly_unknown: [] },
    meals: [
      {
        meal: "breakfast",
        kcal: 384,
        foods: [planned("Pão francês", 50, "1 unidade"), planned("Ovo mexido", 100, "2 unidades"), planned("Mamão", 120, "1 fatia")],
      },
      {
        meal: "lunch",
        kcal: 612,
        foods: [planned("Arroz branco cozido", 125, "5 × colher de sopa"), planned("Feijão carioca", 86, "1 concha"), planned("Frango grelhado", 120, "1 filé")],
      },
      { meal: "snack", kcal: 226, foods: [planned("Iogurte natural", 170, "1 pote"), planned("Banana", 80, "1 unidade")] },
      { meal: "dinner", kcal: 490, foods: [planned("Omelete com legumes", 150, "1 unidade"), planned("Batata-doce cozida", 140, "1 unidade média")] },
    ],
  };
}

export const PLAN: MealPlanResult = {
  targets: {
    resting_kcal: 1380,
    spent_kcal: 2139,
    kcal: 1711,
    protein: { low: 81.6, high: 149.7 },
    carbohydrate: { low: 171.1, high: 278 },
    fat: { low: 38, high: 66.5 },
  },
  days: [1, 2, 3, 4, 5, 6, 7].map(day),
  shopping_list: [
    { food_id: "arroz", name: "Arroz branco", grams: 350, quantity: "350 g (peso cru)" },
    { food_id: "frango", name: "Peito de frango", grams: 980, quantity: "1 kg" },
    { food_id: "ovo", name: "Ovos", grams: 1400, quantity: "28 unidades" },
  ],
  warnings: [],
  disclaimer:
    "Plano gerado automaticamente para adultos saudáveis, apenas como sugestão. Não serve para gestantes, lactantes ou pessoas em tratamento. Não substitui um nutricionista.",
};

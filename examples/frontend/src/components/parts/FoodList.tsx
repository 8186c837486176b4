import type { FoodItem, NutrientAmounts } from "../../contracts.ts";
import { formatNumber } from "../texts.ts";

export const MEALS: Record<NonNullable<FoodItem["meal"]>, string> = {
  breakfast: "Café da manhã",
  morning_snack: "Lanche da manhã",
  lunch: "Almoço",
  snack: "Lanche da tarde",
  dinner: "Jantar",
  supper: "Ceia",
};

export function FoodList({ items }: { items: readonly FoodItem[] }) {
  return (
    <ul className="aa-foods">
      {items.map((item, index) => (
        <li key={`${index} ${item.food_id}`}>
          <div>
            <strong>{item.name}</strong>
            <span className="aa-hint">{[item.amount, ...item.notes].join(" · ")}</span>
          </div>
          <span className="aa-foods__kcal">
            {item.nutrients.kcal === null ? "—" : `${formatNumber(item.nutrients.kcal)} kcal`}
          </span>
        </li>
      ))}
    </ul>
  );
}

const SHOWN = [
  ["kcal", "Energia", "kcal"],
  ["protein", "Proteína", "g"],
  ["carbohydrate", "Carboidrato", "g"],
  ["fat", "Gordura", "g"],
] as const;

export function Totals({ amounts }: { amounts: NutrientAmounts }) {
  return (
    <dl className="aa-totals">
      {SHOWN.map(([name, label, unit]) => (
        <div key={name}>
          <dt>{label}</dt>
          <dd>
            {amounts[name] === null ? "—" : formatNumber(amounts[name])} <small>{unit}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

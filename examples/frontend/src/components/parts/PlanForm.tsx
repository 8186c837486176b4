import { useId } from "react";
import type { MealPlanInput } from "../../contracts.ts";

export const PLAN_FORM_TEXTS = {
  sex: "Sexo",
  age: "Idade",
  weight: "Peso (kg)",
  height: "Altura (cm)",
  activity: "Atividade física",
  goal: "Objetivo",
  diet: "Alimentação",
  avoid: "Evitar",
};

const CHOICES = {
  sex: { female: "Feminino", male: "Masculino" },
  activity: {
    sedentary: "Quase nenhuma",
    light: "Leve",
    moderate: "Moderada",
    high: "Intensa",
    very_high: "Muito intensa",
  },
  goal: { lose: "Perder peso", keep: "Manter o peso", gain: "Ganhar peso" },
  diet: { omnivore: "De tudo", vegetarian: "Vegetariana", vegan: "Vegana" },
} as const;

/** The bounds of the worker's contract. */
const NUMBERS = {
  age: { min: 18, max: 100, step: 1 },
  weight_kg: { min: 30, max: 300, step: "any" },
  height_cm: { min: 120, max: 230, step: 1 },
} as const;

const AVOIDED = { gluten: "Glúten", lactose: "Lactose" } as const;

interface Props {
  wish: MealPlanInput;
  texts: typeof PLAN_FORM_TEXTS;
  onChange: (change: Partial<MealPlanInput>) => void;
}

export function PlanForm({ wish, texts, onChange }: Props) {
  const avoid = wish.avoid ?? [];
  return (
    <div className="aa-grid">
      <Choice name="sex" label={texts.sex} wish={wish} onChange={onChange} />
      <Amount name="age" label={texts.age} wish={wish} onChange={onChange} />
      <Amount name="weight_kg" label={texts.weight} wish={wish} onChange={onChange} />
      <Amount name="height_cm" label={texts.height} wish={wish} onChange={onChange} />
      <Choice name="activity" label={texts.activity} wish={wish} onChange={onChange} />
      <Choice name="goal" label={texts.goal} wish={wish} onChange={onChange} />
      <Choice name="diet" label={texts.diet} wish={wish} onChange={onChange} />
      <fieldset className="aa-field">
        <legend>{texts.avoid}</legend>
        {(["gluten", "lactose"] as const).map((name) => (
          <label key={name} className="aa-check">
            <input
              type="checkbox"
              checked={avoid.includes(name)}
              onChange={({ target }) =>
                onChange({ avoid: target.checked ? [...avoid, name] : avoid.filter((other) => other !== name) })}
            />
            {AVOIDED[name]}
          </label>
        ))}
      </fieldset>
    </div>
  );
}

interface FieldProps<N> extends Pick<Props, "wish" | "onChange"> {
  name: N;
  label: string;
}

function Choice({ name, label, wish, onChange }: FieldProps<keyof typeof CHOICES>) {
  const id = useId();
  return (
    <div className="aa-field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={wish[name]} onChange={({ target }) => onChange({ [name]: target.value })}>
        {Object.entries(CHOICES[name]).map(([value, shown]) => <option key={value} value={value}>{shown}</option>)}
      </select>
    </div>
  );
}

function Amount({ name, label, wish, onChange }: FieldProps<keyof typeof NUMBERS>) {
  const id = useId();
  return (
    <div className="aa-field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="number"
        required
        {...NUMBERS[name]}
        value={Number.isNaN(wish[name]) ? "" : wish[name]}
        onChange={({ target }) => onChange({ [name]: target.valueAsNumber })}
      />
    </div>
  );
}

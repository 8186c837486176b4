// What Sofia found, to be put right by who ate it: grams changed, foods taken out, then confirmed.

import { useId, useState } from "react";
import type { FoodItem } from "../contracts.ts";
import { Dialog } from "./parts/Dialog.tsx";
import { Totals } from "./parts/FoodList.tsx";
import { Icon } from "./parts/Icon.tsx";
import { sumNutrients, withGrams } from "./parts/nutrients.ts";

const TEXTS = {
  title: "Está certo?",
  lead: "Ajuste as quantidades ou tire o que não comeu.",
  close: "Fechar",
  grams: "Gramas de",
  remove: "Tirar",
  empty: "Não sobrou nada para salvar.",
  confirm: "Confirmar refeição",
};

const MAX_GRAMS = 5_000;

interface Props {
  items: readonly FoodItem[];
  texts?: Partial<typeof TEXTS>;
  onConfirm: (items: FoodItem[]) => void;
  onClose: () => void;
}

/** `typed` is what stands in the field, which for a moment may be no number at all. */
interface Row {
  key: number;
  item: FoodItem;
  typed: string;
}

export function SofiaConfirmationModal({ items, texts, onConfirm, onClose }: Props) {
  const say = { ...TEXTS, ...texts };
  const id = useId();
  const [rows, setRows] = useState(() => items.map(rowOf));
  const edited = rows.map(editedItem);
  const isValid = edited.every((item) => item !== null);
  const change = (index: number, typed: string) =>
    setRows((before) => before.map((row, at) => (at === index ? { ...row, typed } : row)));
  return (
    <Dialog title={say.title} close={say.close} onClose={onClose}>
      <p className="aa-hint">{say.lead}</p>
      {rows.length === 0 && <p className="aa-note" role="status">{say.empty}</p>}
      <ul className="aa-confirm">
        {rows.map(({ key, item, typed }, index) => (
          <li key={key}>
            <div>
              <strong>{item.name}</strong>
              <span className="aa-hint">{item.amount}</span>
            </div>
            <label className="aa-hidden" htmlFor={`${id}${index}`}>{say.grams} {item.name}</label>
            <input
              id={`${id}${index}`}
              inputMode="decimal"
              value={typed}
              aria-invalid={edited[index] === null}
              onChange={(event) => change(index, event.target.value)}
            />
            <span aria-hidden="true">g</span>
            <button
              type="button"
              className="aa-button aa-button--icon"
              aria-label={`${say.remove} ${item.name}`}
              onClick={() => setRows((before) => before.filter((_, at) => at !== index))}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      <div aria-live="polite">
        <Totals amounts={sumNutrients(edited.filter((item) => item !== null))} />
      </div>
      <div className="aa-actions">
        <button
          type="button"
          className="aa-button aa-button--main"
          disabled={!isValid || rows.length === 0}
          onClick={() => onConfirm(edited.filter((item) => item !== null))}
        >
          {say.confirm}
        </button>
      </div>
    </Dialog>
  );
}

function rowOf(item: FoodItem, key: number): Row {
  return { key, item, typed: String(Math.round(item.grams)) };
}

/** Null where what was typed is no amount. What was not touched stays exactly as it was. */
function editedItem({ item, typed }: Row): FoodItem | null {
  if (typed === String(Math.round(item.grams))) return item;
  const grams = Number(typed.replace(",", "."));
  return grams > 0 && grams <= MAX_GRAMS ? withGrams(item, grams) : null;
}

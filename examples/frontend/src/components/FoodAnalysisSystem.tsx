// A meal in words: foods, grams and nutrients, and what was not understood.

import { type FormEvent, useId, useState } from "react";
import type { FoodItem, SofiaTextInput, SofiaTextResult } from "../contracts.ts";
import { AnalysisStatus } from "./parts/AnalysisStatus.tsx";
import { Card, Disclaimer, Warnings } from "./parts/Card.tsx";
import { FoodList, MEALS, Totals } from "./parts/FoodList.tsx";
import { type AnalysisEvents, useAnalysis } from "./provider.tsx";
import { STATUS_TEXTS } from "./texts.ts";

const TEXTS = {
  ...STATUS_TEXTS,
  title: "O que você comeu?",
  lead: "Escreva do seu jeito, com ou sem quantidades.",
  label: "Sua refeição",
  placeholder: "2 ovos mexidos, 1 pão francês e um copo de suco de laranja",
  meal: "Refeição",
  anyMeal: "Conforme o texto",
  submit: "Analisar",
  nothing: "Não reconhecemos nenhum alimento. Tente com outras palavras.",
  confirm: "Conferir e salvar",
};

const MAX_LENGTH = 2_000;

interface Props extends AnalysisEvents<"sofia_text"> {
  texts?: Partial<typeof TEXTS>;
  onConfirm?: (result: SofiaTextResult) => void;
}

export function FoodAnalysisSystem({ texts, onConfirm, ...events }: Props) {
  const say = { ...TEXTS, ...texts };
  const id = useId();
  const [text, setText] = useState("");
  const [meal, setMeal] = useState<FoodItem["meal"]>(null);
  const analysis = useAnalysis("sofia_text", { name: "food-analysis", ...events });
  const { result, isPending, submit } = analysis;
  const send = (event: FormEvent) => {
    event.preventDefault();
    const input: SofiaTextInput = { text: text.trim(), meal };
    if (input.text) void submit(input);
  };
  return (
    <Card icon="leaf" title={say.title} lead={say.lead}>
      <form className="aa-form" onSubmit={send}>
        <div className="aa-field">
          <label htmlFor={`${id}text`}>{say.label}</label>
          <textarea
            id={`${id}text`}
            rows={3}
            maxLength={MAX_LENGTH}
            placeholder={say.placeholder}
            value={text}
            disabled={isPending}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <div className="aa-form__row">
          <div className="aa-field">
            <label htmlFor={`${id}meal`}>{say.meal}</label>
            <select
              id={`${id}meal`}
              value={meal ?? ""}
              disabled={isPending}
              onChange={(event) => setMeal((event.target.value || null) as FoodItem["meal"])}
            >
              <option value="">{say.anyMeal}</option>
              {Object.entries(MEALS).map(([value, label]) => <option key={value} value={value}>{label}</option>)}
            </select>
          </div>
          <button type="submit" className="aa-button aa-button--main" disabled={isPending || !text.trim()}>
            {say.submit}
          </button>
        </div>
      </form>
      <AnalysisStatus
        state={analysis}
        texts={say}
        onCancel={() => void analysis.cancel()}
        onRetry={analysis.canRetry ? () => void analysis.retry() : null}
      />
      {result && (
        <div className="aa-result">
          {result.items.length > 0
            ? (
              <>
                <Totals amounts={result.totals.amounts} />
                <FoodList items={result.items} />
              </>
            )
            : <p className="aa-note">{say.nothing}</p>}
          <Warnings items={result.warnings} />
          {onConfirm && result.items.length > 0 && (
            <div className="aa-actions">
              <button type="button" className="aa-button aa-button--main" onClick={() => onConfirm(result)}>
                {say.confirm}
              </button>
            </div>
          )}
          <Disclaimer>{result.disclaimer}</Disclaimer>
        </div>
      )}
    </Card>
  );
}

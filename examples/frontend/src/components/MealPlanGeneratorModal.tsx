// A profile in, a week of meals out. Closing the modal does not stop the job: opened again, it shows how far it is.

import { type FormEvent, useState } from "react";
import type { MealPlanInput } from "../contracts.ts";
import { AnalysisStatus } from "./parts/AnalysisStatus.tsx";
import { Dialog } from "./parts/Dialog.tsx";
import { PlanForm, PLAN_FORM_TEXTS } from "./parts/PlanForm.tsx";
import { PlanView } from "./parts/PlanView.tsx";
import { type AnalysisEvents, useAnalysis } from "./provider.tsx";
import { STATUS_TEXTS } from "./texts.ts";

const TEXTS = {
  ...STATUS_TEXTS,
  ...PLAN_FORM_TEXTS,
  title: "Seu plano alimentar",
  close: "Fechar",
  submit: "Gerar plano",
  another: "Gerar outro",
};

const PROFILE: MealPlanInput = {
  sex: "female",
  age: 30,
  weight_kg: 65,
  height_cm: 165,
  activity: "light",
  goal: "keep",
  diet: "omnivore",
  avoid: [],
  days: 7,
  meals_per_day: 4,
  seed: 0,
};

interface Props extends AnalysisEvents<"meal_plan"> {
  texts?: Partial<typeof TEXTS>;
  profile?: Partial<MealPlanInput>;
  onClose: () => void;
}

export function MealPlanGeneratorModal({ texts, profile, onClose, ...events }: Props) {
  const say = { ...TEXTS, ...texts };
  const [wish, setWish] = useState<MealPlanInput>({ ...PROFILE, ...profile });
  const analysis = useAnalysis("meal_plan", { name: "meal-plan", ...events });
  const { result, isPending } = analysis;
  const send = (event: FormEvent) => {
    event.preventDefault();
    void analysis.submit(wish);
  };
  return (
    <Dialog title={say.title} close={say.close} onClose={onClose}>
      {!isPending && !result && (
        <form className="aa-form" onSubmit={send}>
          <PlanForm wish={wish} texts={say} onChange={(change) => setWish((before) => ({ ...before, ...change }))} />
          <div className="aa-actions">
            <button type="submit" className="aa-button aa-button--main">{say.submit}</button>
          </div>
        </form>
      )}
      <AnalysisStatus
        state={analysis}
        texts={say}
        onCancel={() => void analysis.cancel()}
        onRetry={analysis.canRetry ? () => void analysis.retry() : null}
      />
      {result && (
        <div className="aa-result">
          <PlanView plan={result} />
          <div className="aa-actions">
            <button
              type="button"
              className="aa-button"
              onClick={() => {
                setWish((before) => ({ ...before, seed: (before.seed ?? 0) + 1 }));
                analysis.reset();
              }}
            >
              {say.another}
            </button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

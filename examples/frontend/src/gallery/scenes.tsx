import type { ReactNode } from "react";
import type { Job } from "use-async-analysis";
import {
  AIHealthAnalysis,
  DrVitalChat,
  FoodAnalysisSystem,
  HealthChatBot,
  MealPlanGeneratorModal,
  MedicalDocumentsSection,
  PremiumExamUploader,
  QuickPhotoCapture,
  SofiaConfirmationModal,
  SofiaVoiceChat,
} from "../components/index.ts";
import { SERIES } from "../demo/samples.ts";
import { DR_VITAL, EXAM, FOODS, INSIGHTS, MEAL, PARTIAL, PHOTO, PLAN, REPLY } from "./samples.ts";
import type { Script } from "./scripted.ts";

interface Scene {
  show: () => ReactNode;
  /** Of the job that runs when the scene opens; without one nothing runs. */
  script?: Script;
}

type Scenes = Record<string, Record<string, Scene>>;

const none = () => {};

/** The states that every component has. */
function states(show: () => ReactNode, result: unknown, running: Partial<Job>, code = "provider_unavailable") {
  const job = (change: Partial<Job>): Scene => ({ show, script: { job: change } });
  return {
    idle: { show },
    queued: job({ status: "pending" }),
    progress: job({ status: "processing", ...running }),
    delayed: { show, script: { job: { status: "pending" }, flags: { healthy: false, why: "no_worker" } } },
    error: job({ status: "failed", error: { code, message: "", retryable: code === "provider_unavailable" } }),
    cancelled: job({ status: "cancelled" }),
    result: job({ status: "completed", result, progress: 1 }),
  } satisfies Record<string, Scene>;
}

const uploading = (show: () => ReactNode) => ({ uploading: { show } });

const chatting = { progress: 0.4, phase: "escrevendo", partial: PARTIAL };
const documents = [
  { id: "1", name: "hemograma-marco.jpg", result: EXAM },
];

export const SCENES: Scenes = {
  QuickPhotoCapture: {
    ...states(() => <QuickPhotoCapture onConfirm={none} />, PHOTO, { progress: 0.3, phase: "analisando" }),
    ...uploading(() => <QuickPhotoCapture />),
  },
  FoodAnalysisSystem: states(() => <FoodAnalysisSystem onConfirm={none} />, MEAL, { progress: 0.4, phase: "interpretando" }),
  SofiaConfirmationModal: {
    idle: { show: () => <SofiaConfirmationModal items={FOODS} onConfirm={none} onClose={none} /> },
  },
  PremiumExamUploader: {
    ...states(() => <PremiumExamUploader />, EXAM, { progress: 0.55, phase: "lendo página 2 de 3" }, "not_a_lab_report"),
    ...uploading(() => <PremiumExamUploader />),
  },
  MedicalDocumentsSection: {
    ...states(
      () => <MedicalDocumentsSection documents={documents} />,
      { ...EXAM, exam_kind: "tireoide", analytes: EXAM.analytes.slice(1, 3) },
      { progress: 0.35, phase: "lendo página 1 de 2" },
    ),
    ...uploading(() => <MedicalDocumentsSection documents={documents} />),
  },
  MealPlanGeneratorModal: states(
    () => <MealPlanGeneratorModal onClose={none} />,
    PLAN,
    { progress: 0.6, phase: "montando os dias" },
    "plan_infeasible",
  ),
  AIHealthAnalysis: states(() => <AIHealthAnalysis series={SERIES} />, INSIGHTS, { progress: 0.3, phase: "escrevendo" }),
  HealthChatBot: states(() => <HealthChatBot />, REPLY, chatting),
  SofiaVoiceChat: states(() => <SofiaVoiceChat />, REPLY, chatting),
  DrVitalChat: states(
    () => <DrVitalChat series={SERIES} />,
    DR_VITAL,
    { progress: 0.5, phase: "escrevendo", partial: "Sim: seu peso caiu 3,1 kg em seis semanas e a tend" },
  ),
};

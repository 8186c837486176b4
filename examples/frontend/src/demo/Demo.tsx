import { type ReactNode, useEffect, useMemo, useState } from "react";
import { type AnalysisType, analyzeSync, createAnalysisClient, type Fallback } from "use-async-analysis";
import {
  AIHealthAnalysis,
  AnalysisProvider,
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
import { Failure } from "../components/parts/AnalysisStatus.tsx";
import type { FoodItem } from "../contracts.ts";
import { createUploader } from "../files/upload.ts";
import { type Connected, connect } from "./connect.ts";
import { SERIES } from "./samples.ts";

export default function Demo() {
  const [connected, setConnected] = useState<Connected | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let isHere = true;
    connecting().then(
      (now) => isHere && setConnected(now),
      (error: unknown) => isHere && setProblem(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      isHere = false;
    };
  }, []);
  return (
    <div className="demo">
      <header className="demo__head">
        <h1>MaxNutrition</h1>
        <p>Análises em segundo plano: peça, saia, volte. O resultado espera por você.</p>
      </header>
      <main>
        {problem && <Failure text={problem} retry="Tentar de novo" onRetry={() => location.reload()} />}
        {connected && <Pages {...connected} />}
      </main>
    </div>
  );
}

let connection: Promise<Connected> | undefined;

/** Once for the page, although StrictMode mounts twice: two sign-ins would be two users. */
function connecting(): Promise<Connected> {
  connection ??= connect();
  return connection;
}

function Pages({ supabase, config }: Connected) {
  const tools = useMemo(() => ({
    client: createAnalysisClient(supabase),
    upload: createUploader(supabase, config),
    fallbackFor: <T extends AnalysisType>(type: T): Fallback<T> | undefined =>
      config.synchronous?.includes(type) ? analyzeSync(supabase, type) : undefined,
  }), [supabase, config]);
  const [page, setPage] = useState(() => location.hash.slice(2) || "exame");
  const go = (next: string) => {
    location.hash = `/${next}`;
    setPage(next);
  };
  return (
    <AnalysisProvider {...tools}>
      <nav className="demo__nav" aria-label="Componentes">
        {Object.entries(PAGES).map(([key, [label]]) => (
          <button key={key} type="button" aria-current={key === page ? "page" : undefined} onClick={() => go(key)}>
            {label}
          </button>
        ))}
      </nav>
      <div className="demo__page">{(PAGES[page] ?? PAGES["exame"])?.[1]()}</div>
    </AnalysisProvider>
  );
}

const PAGES: Record<string, [string, () => ReactNode]> = {
  exame: ["Exame", () => <PremiumExamUploader />],
  documentos: ["Documentos", () => <MedicalDocumentsSection />],
  refeicao: ["Refeição", () => <Meals />],
  foto: ["Foto", () => <Photo />],
  plano: ["Plano alimentar", () => <Plan />],
  tendencias: ["Tendências", () => <AIHealthAnalysis series={SERIES} />],
  sofia: ["Sofia", () => <HealthChatBot />],
  voz: ["Sofia por voz", () => <SofiaVoiceChat />],
  "dr-vital": ["Dr. Vital", () => <DrVitalChat series={SERIES} />],
};

function Meals() {
  const { ask, shown } = useConfirmation();
  return (
    <>
      <FoodAnalysisSystem onConfirm={({ items }) => ask(items)} />
      {shown}
    </>
  );
}

function Photo() {
  const { ask, shown } = useConfirmation();
  return (
    <>
      <QuickPhotoCapture onConfirm={({ items }) => ask(items)} />
      {shown}
    </>
  );
}

function useConfirmation() {
  const [asked, ask] = useState<readonly FoodItem[] | null>(null);
  const [saved, setSaved] = useState(0);
  const shown = (
    <>
      {saved > 0 && <p className="aa-note" role="status">{saved} alimentos no diário.</p>}
      {asked && (
        <SofiaConfirmationModal
          items={asked}
          onClose={() => ask(null)}
          onConfirm={(items) => {
            setSaved((before) => before + items.length);
            ask(null);
          }}
        />
      )}
    </>
  );
  return { ask, shown };
}

function Plan() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" className="aa-button aa-button--main" onClick={() => setIsOpen(true)}>
        Abrir meu plano
      </button>
      {isOpen && <MealPlanGeneratorModal onClose={() => setIsOpen(false)} />}
    </>
  );
}

import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { type ReactNode, StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AnalysisFailure, type Enqueued, type Job, rememberAs, type Signal } from "use-async-analysis";
import type { StoredFile } from "../contracts.ts";
import type { UploadOptions } from "../files/upload.ts";
import { DR_VITAL, EXAM, FOODS, INSIGHTS, MEAL, PHOTO, PLAN, REPLY } from "../gallery/samples.ts";
import { SCENES } from "../gallery/scenes.tsx";
import { scripted } from "../gallery/scripted.ts";
import { SERIES } from "../demo/samples.ts";
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
} from "./index.ts";

const ID = "00000000-0000-4000-8000-000000000000";
let row: Partial<Job>;
let tell: (signal: Signal) => void;
const enqueue = vi.fn();
const cancel = vi.fn();
const upload = vi.fn();

beforeEach(() => {
  localStorage.clear();
  row = { status: "pending" };
  tell = () => {};
  enqueue.mockReset().mockImplementation(async (): Promise<Enqueued> => ({ id: ID, status: "pending" }));
  cancel.mockReset().mockResolvedValue({ status: "cancelled" });
  upload.mockReset().mockImplementation(async (file: File): Promise<StoredFile> => ({ path: `me/${file.name}` }));
});
afterEach(cleanup);

function show(component: ReactNode, more: object = {}) {
  const client = {
    ...scripted({ job: {} }),
    enqueue,
    cancel,
    status: async () => ({ ...(await scripted({ job: row }).status(ID)) }),
    listen: (_id: string, onSignal: (signal: Signal) => void) => {
      tell = onSignal;
      return { renew: () => {}, stop: () => {} };
    },
  };
  return render(
    <StrictMode>
      <AnalysisProvider client={client} upload={upload} {...more}>{component}</AnalysisProvider>
    </StrictMode>,
  );
}

async function becomes(change: Partial<Job>) {
  row = change;
  await act(async () => tell("changed"));
}

const button = (name: string | RegExp) => screen.getByRole("button", { name });
const click = (name: string | RegExp) => act(async () => button(name).click());
const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } });
const aFile = (name = "exame.pdf", type = "application/pdf") => new File(["%PDF"], name, { type });
const pick = (label: RegExp, ...files: File[]) =>
  act(async () => void fireEvent.change(screen.getByLabelText(label), { target: { files } }));

describe("FoodAnalysisSystem", () => {
  test("takes a meal in words from the request to the confirmation", async () => {
    const onConfirm = vi.fn();
    const onComplete = vi.fn();
    show(<FoodAnalysisSystem onConfirm={onConfirm} onComplete={onComplete} />);
    expect(button("Analisar")).toHaveProperty("disabled", true);
    type("Sua refeição", "  2 ovos ");
    type("Refeição", "breakfast");
    await click("Analisar");
    expect(enqueue.mock.calls[0]?.slice(0, 2)).toEqual(["sofia_text", { text: "2 ovos", meal: "breakfast" }]);
    await becomes({ status: "processing", progress: 0.4, phase: "lendo" });
    expect(screen.getByRole("progressbar", { name: "Lendo" }).getAttribute("aria-valuenow")).toBe("40");
    await becomes({ status: "completed", result: MEAL });
    expect(screen.getByText("Feijão carioca cozido")).toBeTruthy();
    expect(screen.getByText(/Não entendi/)).toBeTruthy();
    await click("Conferir e salvar");
    expect(onConfirm).toHaveBeenCalledExactlyOnceWith(MEAL);
    expect(onComplete).toHaveBeenCalledOnce();
  });

  test("says that nothing was recognised, and offers nothing to confirm", async () => {
    show(<FoodAnalysisSystem onConfirm={() => {}} />);
    type("Sua refeição", "xyz");
    await click("Analisar");
    await becomes({ status: "completed", result: { ...MEAL, items: [] } });
    expect(screen.getByText(/Não reconhecemos/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Conferir e salvar" })).toBeNull();
  });

  test("cancels, and can be used again", async () => {
    show(<FoodAnalysisSystem />);
    type("Sua refeição", "2 ovos");
    await click("Analisar");
    await click("Cancelar");
    expect(cancel).toHaveBeenCalledExactlyOnceWith(ID);
    expect(screen.getByText("Análise cancelada.")).toBeTruthy();
    expect(button("Analisar")).toHaveProperty("disabled", false);
  });

  test("shows an error as an alert, and tries the same again", async () => {
    enqueue.mockRejectedValueOnce(new AnalysisFailure("too_many_requests", "rate", true, 5));
    show(<FoodAnalysisSystem />);
    type("Sua refeição", "2 ovos");
    await click("Analisar");
    expect(screen.getByRole("alert").textContent).toContain("muitas análises");
    await click("Tentar de novo");
    expect(enqueue.mock.calls[1]?.[1]).toEqual({ text: "2 ovos", meal: null });
    expect(screen.queryByRole("alert")).toBeNull();
  });

  test("has texts that can be said otherwise", () => {
    show(<FoodAnalysisSystem texts={{ title: "What did you eat?", submit: "Analyse" }} />);
    expect(screen.getByRole("region", { name: "What did you eat?" })).toBeTruthy();
    expect(button("Analyse")).toBeTruthy();
  });
});

describe("files", () => {
  test("an exam of several pages is sent in order, with progress, and read into a table", async () => {
    show(<PremiumExamUploader />);
    await pick(/Escolher arquivos/, aFile("a.pdf"), aFile("b.pdf"));
    await pick(/Escolher arquivos/, aFile("c.pdf"));
    await click("Tirar b.pdf");
    let finish!: (file: StoredFile) => void;
    upload.mockImplementationOnce((_file: File, { onProgress }: UploadOptions) => {
      onProgress(0.5);
      return new Promise<StoredFile>((resolve) => (finish = resolve));
    });
    await click("Analisar exame");
    expect(screen.getByRole("progressbar", { name: "Enviando arquivo…" }).getAttribute("aria-valuenow")).toBe("25");
    await act(async () => finish({ path: "me/a.pdf" }));
    await waitFor(() => expect(enqueue).toHaveBeenCalledOnce());
    expect(enqueue.mock.calls[0]?.[1]).toEqual({ files: [{ path: "me/a.pdf" }, { path: "me/c.pdf" }] });
    await becomes({ status: "completed", result: EXAM });
    const cells = within(screen.getByRole("row", { name: /Hemoglobina/ }));
    expect(cells.getByText("abaixo")).toBeTruthy();
    expect(cells.getByText("12,0 a 15,5")).toBeTruthy();
    await click("Fazer outra");
    expect(screen.queryByRole("table")).toBeNull();
    expect(screen.queryByText("a.pdf")).toBeNull();
  });

  test("cancelling an upload aborts it, and no job is made", async () => {
    show(<PremiumExamUploader />);
    let signal: AbortSignal | undefined;
    upload.mockImplementation((_file: File, options: UploadOptions) => {
      signal = options.signal;
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    });
    await pick(/Escolher arquivos/, aFile());
    await click("Analisar exame");
    await click("Cancelar");
    expect(signal?.aborted).toBe(true);
    expect(enqueue).not.toHaveBeenCalled();
    expect(screen.queryByRole("alert")).toBeNull();
    expect(button("Analisar exame")).toBeTruthy();
  });

  test("an upload that failed can be sent again", async () => {
    show(<PremiumExamUploader />);
    upload.mockRejectedValueOnce(new AnalysisFailure("unavailable", "cut", true));
    await pick(/Escolher arquivos/, aFile());
    await click("Analisar exame");
    expect(screen.getByRole("alert").textContent).toContain("Sem resposta");
    await click("Tentar de novo");
    await waitFor(() => expect(enqueue).toHaveBeenCalledOnce());
  });

  test("a file of the wrong kind is refused before anything is sent", async () => {
    show(<PremiumExamUploader />);
    await pick(/Escolher arquivos/, aFile("notas.txt", "text/plain"));
    await click("Analisar exame");
    expect(screen.getByRole("alert").textContent).toContain("tipo de arquivo");
    expect(screen.queryByRole("button", { name: "Tentar de novo" })).toBeNull();
    expect(upload).not.toHaveBeenCalled();
  });

  test("a photo of a meal is sent at once, and can be confirmed", async () => {
    const onConfirm = vi.fn();
    show(<QuickPhotoCapture onConfirm={onConfirm} />);
    await pick(/Fotografar/, aFile("prato.jpg", "image/jpeg"));
    await waitFor(() => expect(enqueue).toHaveBeenCalledOnce());
    expect(enqueue.mock.calls[0]?.slice(0, 2)).toEqual(["sofia_image", { file: { path: "me/prato.jpg" } }]);
    await becomes({ status: "completed", result: PHOTO });
    await click("Conferir e salvar");
    expect(onConfirm).toHaveBeenCalledExactlyOnceWith(PHOTO);
  });

  test("a photo without food says so", async () => {
    show(<QuickPhotoCapture onConfirm={() => {}} />);
    await pick(/Fotografar/, aFile("gato.jpg", "image/jpeg"));
    await waitFor(() => expect(enqueue).toHaveBeenCalledOnce());
    await becomes({ status: "completed", result: { ...PHOTO, is_food: false, items: [] } });
    expect(screen.getByText(/Não vimos comida/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Conferir e salvar" })).toBeNull();
  });

  test("documents are analysed each on its own, once in StrictMode too", async () => {
    const onComplete = vi.fn();
    show(
      <MedicalDocumentsSection documents={[{ id: "old", name: "antigo.pdf", result: EXAM }]} onComplete={onComplete} />,
    );
    await pick(/Adicionar/, aFile("um.pdf"), aFile("dois.pdf"));
    await waitFor(() => expect(enqueue).toHaveBeenCalledTimes(2));
    expect(upload).toHaveBeenCalledTimes(2);
    const list = within(screen.getByRole("list", { name: "Documentos" }));
    expect(list.getAllByRole("progressbar")).toHaveLength(2);
    expect(list.getByText("hemograma · 5 valores lidos · 2 fora da faixa")).toBeTruthy();
    await becomes({ status: "completed", result: EXAM });
    expect(onComplete).toHaveBeenCalledOnce();
  });
});

describe("chats", () => {
  test("Sofia's answer is shown while it is written, then stays, with what could be asked next", async () => {
    show(<HealthChatBot context={[{ label: "objetivo", value: "perder 5 kg" }]} />);
    type("Sua mensagem", "Oi, Sofia");
    await click("Enviar");
    expect(enqueue.mock.calls[0]?.[1]).toEqual({
      persona: "sofia",
      message: "Oi, Sofia",
      history: [],
      context: [{ label: "objetivo", value: "perder 5 kg" }],
    });
    await becomes({ status: "processing", partial: "Boas tro" });
    expect(screen.getByRole("log").textContent).toContain("Boas tro");
    await becomes({ status: "completed", result: REPLY });
    expect(screen.getByRole("log").textContent).toContain("quinoa");
    await click("Como preparar arroz integral?");
    expect(enqueue.mock.calls[1]?.[1]).toMatchObject({
      message: "Como preparar arroz integral?",
      history: [{ role: "user", text: "Oi, Sofia" }, { role: "assistant", text: REPLY.reply }],
    });
  });

  test("an emergency says where to find help at once", async () => {
    show(<HealthChatBot />);
    type("Sua mensagem", "dor no peito");
    await click("Enviar");
    await becomes({ status: "completed", result: { ...REPLY, emergency: true } });
    expect(screen.getByRole("alert").textContent).toContain("192");
  });

  test("Dr. Vital is asked about the measurements, and shows their trends", async () => {
    show(<DrVitalChat series={SERIES} />);
    type("Sua mensagem", "Estou no caminho certo?");
    await click("Enviar");
    expect(enqueue.mock.calls[0]?.[1]).toEqual({ series: SERIES, question: "Estou no caminho certo?" });
    await becomes({ status: "completed", result: DR_VITAL });
    expect(screen.getByText("Peso")).toBeTruthy();
    expect(screen.getByText("caindo")).toBeTruthy();
  });

  test("a browser that cannot hear is written to", () => {
    show(<SofiaVoiceChat />);
    expect(screen.getByText(/Este navegador não ouve/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Falar" })).toBeNull();
  });

  test("what is said is sent, and the answer read aloud", async () => {
    const recognitions: FakeRecognition[] = [];
    class FakeRecognition {
      lang = "";
      interimResults = true;
      onresult?: (event: object) => void;
      onerror?: () => void;
      onend?: () => void;
      abort = vi.fn(() => this.onend?.());
      start = vi.fn(() => void recognitions.push(this));
    }
    const speak = vi.fn();
    vi.stubGlobal("webkitSpeechRecognition", FakeRecognition);
    vi.stubGlobal("speechSynthesis", { speak, cancel: vi.fn() });
    vi.stubGlobal("SpeechSynthesisUtterance", class { lang = ""; constructor(readonly text: string) {} });
    show(<SofiaVoiceChat />);
    await click("Falar");
    expect(recognitions[0]?.lang).toBe("pt-BR");
    expect(button("Parar de ouvir").getAttribute("aria-pressed")).toBe("true");
    await act(async () => {
      recognitions[0]?.onresult?.({ results: [[{ transcript: "posso comer banana" }]] });
      recognitions[0]?.onend?.();
    });
    expect(enqueue.mock.calls[0]?.[1]).toMatchObject({ message: "posso comer banana" });
    await becomes({ status: "completed", result: REPLY });
    expect(speak.mock.calls[0]?.[0]).toMatchObject({ text: REPLY.reply, lang: "pt-BR" });
    await click("Falar");
    await act(async () => recognitions[1]?.onerror?.());
    expect(screen.getByText(/Não consegui ouvir/)).toBeTruthy();
  });
});

describe("modals", () => {
  test("grams are changed, foods taken out, totals follow, and what was not touched stays exact", async () => {
    const onConfirm = vi.fn();
    const [rice, beans] = FOODS;
    if (!rice || !beans) throw new Error("no samples");
    const odd = { ...beans, grams: 86.4 };
    show(<SofiaConfirmationModal items={[rice, odd, rice]} onConfirm={onConfirm} onClose={() => {}} />);
    const fields = screen.getAllByLabelText(/^Gramas de/);
    fireEvent.change(fields[0] as Element, { target: { value: "250" } });
    expect(screen.getByText("545")).toBeTruthy();
    await act(async () => screen.getAllByRole("button", { name: "Tirar Arroz branco cozido" })[1]?.click());
    await click("Confirmar refeição");
    const [confirmed] = onConfirm.mock.calls[0] ?? [];
    expect(confirmed).toHaveLength(2);
    expect(confirmed[0]).toMatchObject({ grams: 250, nutrients: { kcal: 320, fibre: null } });
    expect(confirmed[1]).toBe(odd);
  });

  test.each(["", "0", "-3", "abc", "9999"])("an amount of %j cannot be confirmed", (typed) => {
    show(<SofiaConfirmationModal items={FOODS} onConfirm={() => {}} onClose={() => {}} />);
    fireEvent.change(screen.getByLabelText("Gramas de Arroz branco cozido"), { target: { value: typed } });
    expect(button("Confirmar refeição")).toHaveProperty("disabled", true);
  });

  test("a comma is a decimal point here", async () => {
    const onConfirm = vi.fn();
    show(<SofiaConfirmationModal items={FOODS.slice(0, 1)} onConfirm={onConfirm} onClose={() => {}} />);
    fireEvent.change(screen.getByLabelText("Gramas de Arroz branco cozido"), { target: { value: "62,5" } });
    await click("Confirmar refeição");
    expect(onConfirm.mock.calls[0]?.[0][0].nutrients.kcal).toBe(80);
  });

  test("a plan is asked for with the profile, shown day by day, and another one has another seed", async () => {
    const onClose = vi.fn();
    show(<MealPlanGeneratorModal profile={{ age: 34 }} onClose={onClose} />);
    type("Alimentação", "vegan");
    fireEvent.click(screen.getByLabelText("Lactose"));
    await click("Gerar plano");
    expect(enqueue.mock.calls[0]?.slice(0, 2)).toMatchObject(["meal_plan", { age: 34, diet: "vegan", avoid: ["lactose"], seed: 0 }]);
    await becomes({ status: "completed", result: PLAN });
    await click("Dia 3");
    expect(button("Dia 3").getAttribute("aria-pressed")).toBe("true");
    await click("Gerar outro");
    await click("Gerar plano");
    expect(enqueue.mock.calls[1]?.[1]).toMatchObject({ seed: 1, diet: "vegan" });
    await click("Fechar");
    expect(onClose).toHaveBeenCalledOnce();
    expect(cancel).not.toHaveBeenCalled();
  });

  test("opened again, it goes on with the plan that was being made", async () => {
    rememberAs("meal-plan").keep(ID);
    row = { status: "processing", progress: 0.5, phase: "montando" };
    show(<MealPlanGeneratorModal onClose={() => {}} />);
    await waitFor(() => expect(screen.getByRole("progressbar", { name: "Montando" })).toBeTruthy());
    await becomes({ status: "completed", result: PLAN });
    expect(screen.getByText("Café da manhã")).toBeTruthy();
  });
});

test("trends are shown in numbers and in words", async () => {
  show(<AIHealthAnalysis series={SERIES} />);
  await click("Analisar minhas medidas");
  expect(enqueue.mock.calls[0]?.slice(0, 2)).toEqual(["health_insights", { series: SERIES }]);
  await becomes({ status: "completed", result: INSIGHTS });
  expect(screen.getByText(/o peso caiu 3,1 kg/)).toBeTruthy();
  expect(screen.getByText("07/09/2026 a 19/10/2026 · 7 medidas", { selector: "li:first-child *" })).toBeTruthy();
});

test("without measurements there is nothing to analyse", () => {
  show(<AIHealthAnalysis series={[]} />);
  expect(button("Analisar minhas medidas")).toHaveProperty("disabled", true);
});

const scenes = Object.entries(SCENES).flatMap(([component, states]) =>
  Object.entries(states).map(([state, scene]) => ({ component, state, scene })));

test.each(scenes)("$component, $state: axe finds nothing to complain about", async ({ scene }) => {
  const client = scripted(scene.script ?? { job: {} });
  const memoryFor = () => ({ recall: () => (scene.script ? ID : null), keep: () => {}, forget: () => {} });
  const { container } = render(
    <main>
      <h1>Galeria</h1>
      <AnalysisProvider client={client} upload={upload} memoryFor={memoryFor}>{scene.show()}</AnalysisProvider>
    </main>,
  );
  await act(async () => {});
  // Colours need a real browser; the pictures are checked there.
  const { violations } = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
});

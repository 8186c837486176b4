// Dr. Vital answers questions about the user's own measurements; code computed every number he names.

import { useState } from "react";
import type { ChatTurn, DrVitalResult, Series } from "../contracts.ts";
import { AnalysisStatus } from "./parts/AnalysisStatus.tsx";
import { Card, Disclaimer, Warnings } from "./parts/Card.tsx";
import { Chat, CHAT_TEXTS } from "./parts/Chat.tsx";
import { TrendList } from "./parts/TrendList.tsx";
import { type AnalysisEvents, useAnalysis } from "./provider.tsx";
import { STATUS_TEXTS } from "./texts.ts";

const TEXTS = {
  ...STATUS_TEXTS,
  ...CHAT_TEXTS,
  title: "Pergunte ao Dr. Vital",
  lead: "Perguntas sobre as suas próprias medidas.",
  empty: "Pergunte algo como “Estou no caminho certo?”",
  emergency: "Se for uma emergência, ligue agora para o SAMU: 192.",
};

interface Props extends AnalysisEvents<"dr_vital"> {
  series: Series[];
  texts?: Partial<typeof TEXTS>;
  history?: readonly ChatTurn[];
}

export function DrVitalChat({ series, texts, history = [], onComplete, ...events }: Props) {
  const say = { ...TEXTS, ...texts };
  const [turns, setTurns] = useState(history);
  const [last, setLast] = useState<DrVitalResult | null>(null);
  const analysis = useAnalysis("dr_vital", {
    name: "dr-vital",
    ...events,
    onComplete: (result) => {
      setTurns((before) => [...before, { role: "assistant", text: result.reply }]);
      setLast(result);
      onComplete?.(result);
    },
  });
  const ask = (question: string) => {
    setLast(null);
    setTurns((before) => [...before, { role: "user", text: question }]);
    void analysis.submit({ series, question });
  };
  return (
    <Card icon="heart" title={say.title} lead={say.lead}>
      <Chat
        texts={say}
        turns={turns}
        partial={analysis.isPending ? (analysis.partial ?? "") : null}
        isPending={analysis.isPending}
        onSend={ask}
        status={
          <>
            {last?.emergency && <p className="aa-emergency" role="alert">{say.emergency}</p>}
            <AnalysisStatus
              state={analysis}
              texts={say}
              onCancel={() => void analysis.cancel()}
              onRetry={analysis.canRetry ? () => void analysis.retry() : null}
            />
          </>
        }
      />
      {last && (
        <>
          <Warnings items={last.warnings} />
          <TrendList trends={last.trends} series={series} />
          <Disclaimer>{last.disclaimer}</Disclaimer>
        </>
      )}
    </Card>
  );
}

// The user's measurements read as trends, in numbers and in words.

import type { Series } from "../contracts.ts";
import { AnalysisStatus } from "./parts/AnalysisStatus.tsx";
import { Card, Disclaimer, Warnings } from "./parts/Card.tsx";
import { TrendList } from "./parts/TrendList.tsx";
import { type AnalysisEvents, useAnalysis } from "./provider.tsx";
import { STATUS_TEXTS } from "./texts.ts";

const TEXTS = {
  ...STATUS_TEXTS,
  title: "Suas tendências",
  lead: "O que as suas medidas mostram, sem diagnóstico.",
  submit: "Analisar minhas medidas",
  none: "Ainda não há medidas para analisar.",
};

interface Props extends AnalysisEvents<"health_insights"> {
  series: Series[];
  texts?: Partial<typeof TEXTS>;
}

export function AIHealthAnalysis({ series, texts, ...events }: Props) {
  const say = { ...TEXTS, ...texts };
  const analysis = useAnalysis("health_insights", { name: "health-insights", ...events });
  const { result, isPending } = analysis;
  return (
    <Card icon="heart" title={say.title} lead={say.lead}>
      {series.length === 0 && <p className="aa-note">{say.none}</p>}
      {!isPending && (
        <div className="aa-actions">
          <button
            type="button"
            className={result ? "aa-button" : "aa-button aa-button--main"}
            disabled={series.length === 0}
            onClick={() => void analysis.submit({ series })}
          >
            {result ? say.again : say.submit}
          </button>
        </div>
      )}
      <AnalysisStatus
        state={analysis}
        texts={say}
        onCancel={() => void analysis.cancel()}
        onRetry={analysis.canRetry ? () => void analysis.retry() : null}
      />
      {result && (
        <div className="aa-result">
          <Warnings items={result.warnings} />
          <TrendList trends={result.trends} series={series} />
          <p className="aa-prose">{result.text}</p>
          <Disclaimer>{result.disclaimer}</Disclaimer>
        </div>
      )}
    </Card>
  );
}

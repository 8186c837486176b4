import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { type Analysis, type AnalysisOptions, createAnalysis, IDLE } from "./analysis.ts";
import type { AnalysisState, AnalysisType, ResultOf } from "./types.ts";

export type UseAsyncAnalysis<T extends AnalysisType> =
  & AnalysisState<ResultOf<T>>
  & Pick<Analysis<T>, "submit" | "cancel" | "retry" | "reset">
  & { isPending: boolean; isSuccess: boolean; isError: boolean; canRetry: boolean };

const PENDING = ["submitting", "pending", "processing"];
const onServer = (): AnalysisState<never> => IDLE;

/**
 * One analysis of this component. The job lives on when the component does not; give `memory: rememberAs("name")`,
 * made outside of the component, to find it again.
 */
export function useAsyncAnalysis<T extends AnalysisType>(options: AnalysisOptions<T>): UseAsyncAnalysis<T> {
  const { client, type } = options;
  const [held, hold] = useState(() => ({ client, type, analysis: createAnalysis(options) }));
  let { analysis } = held;
  if (held.client !== client || held.type !== type) {
    analysis = createAnalysis(options);
    hold({ client, type, analysis });
  }
  useEffect(() => analysis.update(options));
  const state = useSyncExternalStore<AnalysisState<ResultOf<T>>>(analysis.subscribe, analysis.getState, onServer);
  return useMemo(() => ({
    ...state,
    submit: analysis.submit,
    cancel: analysis.cancel,
    retry: analysis.retry,
    reset: analysis.reset,
    isPending: PENDING.includes(state.status),
    isSuccess: state.status === "completed",
    isError: state.status === "failed",
    canRetry: analysis.canRetry(),
  }), [analysis, state]);
}

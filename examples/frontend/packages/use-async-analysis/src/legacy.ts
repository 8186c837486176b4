// The call shape that the app had: `useAsyncAnalysis(userId, { onComplete, onError, autoRetry, maxRetries })`.
// Components keep their code and change one import; new ones take the hook itself.

import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { type AnalysisClient, createAnalysis, IDLE } from "./analysis.ts";
import type { AnalysisError, AnalysisState, AnalysisType, InputOf, ResultOf } from "./types.ts";

const FIRST_RETRY_MS = 1_000;

export interface LegacyOptions {
  onComplete?: (result: ResultOf<AnalysisType>) => void;
  onError?: (message: string) => void;
  autoRetry?: boolean;
  maxRetries?: number;
}

export interface LegacyAnalysis {
  status: AnalysisState<unknown>["status"];
  result: ResultOf<AnalysisType> | null;
  error: string | null;
  /** 0 to 100, as it was. */
  progress: number;
  enqueueAnalysis: <T extends AnalysisType>(type: T, input: InputOf<T>) => Promise<string | null>;
  cancelAnalysis: () => Promise<boolean>;
  reset: () => void;
  isProcessing: boolean;
  isCompleted: boolean;
  hasError: boolean;
}

/** Made once, beside the client; what it returns takes the place of the old hook. */
export function createLegacyHook(client: AnalysisClient) {
  return function useAsyncAnalysis(userId: string | null | undefined, options: LegacyOptions = {}): LegacyAnalysis {
    const latest = useRef(options);
    useEffect(() => {
      latest.current = options;
    });
    const retries = useRef(0);
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    const [analysis] = useState(() => createAnalysis<AnalysisType>(forType("" as AnalysisType)));

    function forType(type: AnalysisType) {
      return {
        client,
        type,
        onComplete: (result: ResultOf<AnalysisType>) => latest.current.onComplete?.(result),
        onError: (error: AnalysisError) => {
          const { autoRetry = false, maxRetries = 3, onError } = latest.current;
          if (!autoRetry || !error.retryable || retries.current >= maxRetries) return onError?.(error.message);
          const pause = (error.retryAfterSeconds ?? 0) * 1_000 || FIRST_RETRY_MS * 2 ** retries.current++;
          timer.current = setTimeout(() => void analysis.retry(), pause);
        },
      };
    }
    useEffect(() => () => clearTimeout(timer.current), []);

    const state = useSyncExternalStore<AnalysisState<ResultOf<AnalysisType>>>(
      analysis.subscribe,
      analysis.getState,
      () => IDLE,
    );
    return {
      status: state.status,
      result: state.result,
      error: state.error?.message ?? null,
      progress: Math.round(state.progress * 100),
      enqueueAnalysis: useCallback(async (type, input) => {
        if (!userId) return null;
        clearTimeout(timer.current);
        retries.current = 0;
        analysis.update(forType(type));
        return analysis.submit(input as InputOf<AnalysisType>);
      }, [analysis, userId]),
      cancelAnalysis: analysis.cancel,
      reset: analysis.reset,
      isProcessing: ["submitting", "pending", "processing"].includes(state.status),
      isCompleted: state.status === "completed",
      hasError: state.status === "failed",
    };
  };
}

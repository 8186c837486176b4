// What the components need of the app: a client, an uploader, and the synchronous ways there are.

import { createContext, type ReactNode, useContext, useMemo } from "react";
import {
  type AnalysisClient,
  type AnalysisError,
  type AnalysisType,
  type Fallback,
  type JobMemory,
  rememberAs,
  type ResultOf,
} from "use-async-analysis";
import { useAsyncAnalysis, type UseAsyncAnalysis } from "use-async-analysis/react";
import type { UploadFile } from "../files/upload.ts";

export interface AnalysisTools {
  client: AnalysisClient;
  upload: UploadFile;
  fallbackFor?: <T extends AnalysisType>(type: T) => Fallback<T> | undefined;
  memoryFor?: (name: string) => JobMemory;
}

const Tools = createContext<AnalysisTools | null>(null);

export function AnalysisProvider({ children, ...tools }: AnalysisTools & { children: ReactNode }) {
  const { client, upload, fallbackFor, memoryFor } = tools;
  const value = useMemo(() => tools, [client, upload, fallbackFor, memoryFor]);
  return <Tools value={value}>{children}</Tools>;
}

export function useTools(): AnalysisTools {
  const tools = useContext(Tools);
  if (!tools) throw new Error("There is no AnalysisProvider around this component.");
  return tools;
}

export interface AnalysisEvents<T extends AnalysisType> {
  /** The name under which a reload finds the job again; components that may be there twice need two. */
  name?: string | undefined;
  onComplete?: ((result: ResultOf<T>) => void) | undefined;
  onError?: ((error: AnalysisError) => void) | undefined;
}

export function useAnalysis<T extends AnalysisType>(type: T, events: AnalysisEvents<T> = {}): UseAsyncAnalysis<T> {
  const { client, fallbackFor, memoryFor = rememberAs } = useTools();
  const { name = type, onComplete, onError } = events;
  const memory = useMemo(() => memoryFor(name), [memoryFor, name]);
  return useAsyncAnalysis({ client, type, memory, fallback: fallbackFor?.(type), onComplete, onError });
}

// Files in, a result out: made smaller, uploaded with progress, then analysed as a job.

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type AnalysisError, AnalysisFailure, type InputOf } from "use-async-analysis";
import type { UseAsyncAnalysis } from "use-async-analysis/react";
import { type AnalysisEvents, useAnalysis, useTools } from "../components/provider.tsx";
import type { StoredFile } from "../contracts.ts";
import { downscale } from "./downscale.ts";
import { checkFile } from "./upload.ts";

export type FileAnalysisType = "medical_exam" | "sofia_image";

export interface FileAnalysis<T extends FileAnalysisType> {
  analysis: UseAsyncAnalysis<T>;
  /** 0 to 1 while files are on their way, else null. */
  uploaded: number | null;
  uploadError: AnalysisError | null;
  isBusy: boolean;
  start: (files: File[]) => Promise<void>;
  cancel: () => void;
  /** Null where there is nothing to try again. */
  retry: (() => void) | null;
  reset: () => void;
}

interface Options<T extends FileAnalysisType> extends AnalysisEvents<T> {
  longestSide: number;
  toInput: (files: StoredFile[]) => InputOf<T>;
}

export function useFileAnalysis<T extends FileAnalysisType>(type: T, options: Options<T>): FileAnalysis<T> {
  const { upload } = useTools();
  const analysis = useAnalysis(type, options);
  const [uploaded, setUploaded] = useState<number | null>(null);
  const [uploadError, setUploadError] = useState<AnalysisError | null>(null);
  const underWay = useRef<AbortController>(undefined);
  const lastFiles = useRef<File[]>([]);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => () => underWay.current?.abort(), []);
  const { submit } = analysis;

  const start = useCallback(async (files: File[]) => {
    underWay.current?.abort();
    const { signal } = (underWay.current = new AbortController());
    lastFiles.current = files;
    setUploadError(null);
    setUploaded(0);
    try {
      const { longestSide, toInput } = latest.current;
      const stored: StoredFile[] = [];
      for (const [index, file] of files.entries()) {
        const smaller = await downscale(file, longestSide);
        if (signal.aborted) return; // as by StrictMode, which mounts twice
        checkFile(smaller);
        const onProgress = (share: number) => signal.aborted || setUploaded((index + share) / files.length);
        stored.push(await upload(smaller, { onProgress, signal }));
      }
      if (signal.aborted) return;
      setUploaded(null);
      await submit(toInput(stored));
    } catch (error) {
      if (signal.aborted) return;
      setUploaded(null);
      setUploadError(error instanceof AnalysisFailure ? error : new AnalysisFailure("unavailable", String(error), true));
    }
  }, [submit, upload]);

  const forgetUpload = useCallback(() => {
    underWay.current?.abort();
    setUploaded(null);
    setUploadError(null);
  }, []);

  return useMemo(() => {
    const sendAgain = () => void start(lastFiles.current);
    const analyzeAgain = () => void analysis.retry();
    return {
      analysis,
      uploaded,
      uploadError,
      isBusy: uploaded !== null || analysis.isPending,
      start,
      cancel: () => (uploaded === null ? void analysis.cancel() : forgetUpload()),
      retry: uploadError ? (uploadError.retryable ? sendAgain : null) : analysis.canRetry ? analyzeAgain : null,
      reset: () => {
        forgetUpload();
        analysis.reset();
      },
    };
  }, [analysis, uploaded, uploadError, start, forgetUpload]);
}

export {
  type Analysis,
  type AnalysisClient,
  type AnalysisOptions,
  createAnalysis,
  type Fallback,
} from "./analysis.ts";
export { AnalysisFailure } from "./errors.ts";
export { createGate, type Gate } from "./gate.ts";
export { type JobMemory, rememberAs } from "./memory.ts";
export { analyzeSync, createAnalysisClient } from "./supabase.ts";
export type * from "./types.ts";

/**
 * The app's job types, each `{ input, result }`. The app adds them:
 *
 *     declare module "use-async-analysis" {
 *       interface AnalysisTypes { sofia_text: { input: SofiaTextInput; result: SofiaTextResult } }
 *     }
 */
export interface AnalysisTypes {} // here, since what is only passed on cannot be added to

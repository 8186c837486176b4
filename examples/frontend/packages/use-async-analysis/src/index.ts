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
export type * from "./types.ts"; // as a whole, else the app could not add to AnalysisTypes

// A conversation with one persona of the assistant, a job for each answer.

import { useState } from "react";
import type { ChatTurn, UnifiedAssistantInput, UnifiedAssistantResult } from "../contracts.ts";
import { type AnalysisEvents, useAnalysis } from "./provider.tsx";

const REMEMBERED = 20;

export interface ConversationOptions extends AnalysisEvents<"unified_assistant"> {
  persona: UnifiedAssistantInput["persona"];
  /** What was said on earlier pages. */
  history?: readonly ChatTurn[] | undefined;
  /** What the app knows of the user. */
  context?: UnifiedAssistantInput["context"];
}

export function useConversation({ persona, history = [], context, onComplete, ...events }: ConversationOptions) {
  const [turns, setTurns] = useState<readonly ChatTurn[]>(history);
  const [last, setLast] = useState<UnifiedAssistantResult | null>(null);
  const analysis = useAnalysis("unified_assistant", {
    ...events,
    onComplete: (result) => {
      setTurns((before) => [...before, { role: "assistant", text: result.reply }]);
      setLast(result);
      onComplete?.(result);
    },
  });
  const say = (message: string) => {
    setLast(null);
    setTurns((before) => [...before, { role: "user", text: message }]);
    void analysis.submit({ persona, message, history: turns.slice(-REMEMBERED), ...(context && { context }) });
  };
  return { turns, last, analysis, say, partial: analysis.isPending ? (analysis.partial ?? "") : null };
}

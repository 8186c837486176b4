// How an analysis is going: progress with a way out, an error with a way on, or nothing.

import { useId } from "react";
import type { AnalysisError, AnalysisState } from "use-async-analysis";
import { errorText, type StatusTexts } from "../texts.ts";
import { Icon } from "./Icon.tsx";

interface Props {
  state: Pick<AnalysisState<unknown>, "status" | "phase" | "progress" | "transport" | "delayed" | "error">;
  texts: StatusTexts;
  onCancel: () => void;
  onRetry?: (() => void) | null | undefined;
  /** 0 to 1 while files are on their way. */
  uploaded?: number | null;
  uploadError?: AnalysisError | null;
}

export function AnalysisStatus({ state, texts, onCancel, onRetry, uploaded = null, uploadError = null }: Props) {
  const error = uploadError ?? (state.status === "failed" ? state.error : null);
  if (uploaded !== null) return <Waiting label={texts.uploading} share={uploaded} texts={texts} onCancel={onCancel} />;
  if (error) return <Failure text={errorText(error, texts)} retry={texts.retry} onRetry={onRetry} />;
  switch (state.status) {
    case "submitting":
    case "pending":
      return (
        <Waiting label={texts[state.status]} share={null} texts={texts} onCancel={onCancel} note={noteOf(state, texts)} />
      );
    case "processing": {
      const label = state.phase ? capitalize(state.phase) : texts.processing;
      const share = state.transport === "sync" ? null : state.progress;
      return <Waiting label={label} share={share} texts={texts} onCancel={onCancel} note={noteOf(state, texts)} />;
    }
    case "cancelled":
      return <p className="aa-note" role="status">{texts.cancelled}</p>;
    default:
      return null;
  }
}

function noteOf({ delayed, transport }: Props["state"], texts: StatusTexts): string | undefined {
  if (delayed) return texts.delayed;
  return transport === "polling" ? texts.polling : undefined;
}

interface WaitingProps {
  label: string;
  /** Null: nobody knows how far it is. */
  share: number | null;
  note?: string | undefined;
  texts: StatusTexts;
  onCancel: () => void;
}

function Waiting({ label, share, note, texts, onCancel }: WaitingProps) {
  const id = useId();
  const percent = share === null ? undefined : Math.round(share * 100);
  return (
    <div className="aa-waiting">
      <div className="aa-waiting__row">
        <span id={id} className="aa-waiting__label" role="status">{label}</span>
        {percent !== undefined && <span className="aa-waiting__percent" aria-hidden="true">{percent}%</span>}
      </div>
      <div
        className={percent === undefined ? "aa-bar aa-bar--unknown" : "aa-bar"}
        role="progressbar"
        aria-labelledby={id}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
      >
        <div className="aa-bar__fill" style={percent === undefined ? undefined : { width: `${Math.max(percent, 3)}%` }} />
      </div>
      <div className="aa-waiting__row">
        <span className="aa-hint" role="status">{note}</span>
        <button type="button" className="aa-button aa-button--quiet" onClick={onCancel}>{texts.cancel}</button>
      </div>
    </div>
  );
}

interface FailureProps {
  text: string;
  retry: string;
  onRetry?: (() => void) | null | undefined;
}

export function Failure({ text, retry, onRetry }: FailureProps) {
  return (
    <div className="aa-failure" role="alert">
      <Icon name="alert" />
      <p>{text}</p>
      {onRetry && <button type="button" className="aa-button" onClick={onRetry}>{retry}</button>}
    </div>
  );
}

function capitalize(phase: string): string {
  return phase.charAt(0).toLocaleUpperCase("pt-BR") + phase.slice(1);
}

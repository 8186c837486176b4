// A conversation: what was said, what is being written, and a line to write on.

import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { ChatTurn } from "../../contracts.ts";
import { Icon } from "./Icon.tsx";

export const CHAT_TEXTS = {
  message: "Sua mensagem",
  placeholder: "Escreva aqui…",
  send: "Enviar",
  log: "Conversa",
  writing: "Escrevendo…",
  empty: "",
};

interface Props {
  texts: typeof CHAT_TEXTS;
  turns: readonly ChatTurn[];
  /** The answer so far; null where none is being written. */
  partial: string | null;
  isPending: boolean;
  suggestions?: readonly string[];
  status: ReactNode;
  /** What stands before the field, as a button to speak. */
  tools?: ReactNode;
  onSend: (message: string) => void;
}

export function Chat({ texts, turns, partial, isPending, suggestions = [], status, tools, onSend }: Props) {
  const id = useId();
  const [message, setMessage] = useState("");
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const log = end.current?.parentElement;
    if (log) log.scrollTop = log.scrollHeight;
  }, [turns.length, partial]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!message.trim() || isPending) return;
    onSend(message.trim());
    setMessage("");
  };
  return (
    <div className="aa-chat">
      <div className="aa-chat__log" role="log" aria-label={texts.log} tabIndex={0}>
        {turns.length === 0 && partial === null && <p className="aa-chat__empty">{texts.empty}</p>}
        {turns.map((turn, index) => (
          <p key={index} className={`aa-bubble aa-bubble--${turn.role}`}>{turn.text}</p>
        ))}
        {/* Not announced word by word: the whole answer is, when it is there. */}
        {partial !== null && (
          <p className="aa-bubble aa-bubble--assistant aa-bubble--writing" aria-live="off">
            {partial || texts.writing}
          </p>
        )}
        <div ref={end} />
      </div>
      {status}
      {suggestions.length > 0 && !isPending && (
        <div className="aa-suggestions">
          {suggestions.map((suggestion) => (
            <button key={suggestion} type="button" onClick={() => onSend(suggestion)}>{suggestion}</button>
          ))}
        </div>
      )}
      <form className="aa-chat__form" onSubmit={send}>
        {tools}
        <label className="aa-hidden" htmlFor={id}>{texts.message}</label>
        <input
          id={id}
          value={message}
          maxLength={1_000}
          autoComplete="off"
          placeholder={texts.placeholder}
          onChange={(event) => setMessage(event.target.value)}
        />
        <button
          type="submit"
          className="aa-button aa-button--main aa-button--icon"
          aria-label={texts.send}
          disabled={isPending || !message.trim()}
        >
          <Icon name="send" />
        </button>
      </form>
    </div>
  );
}

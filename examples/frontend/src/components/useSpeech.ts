// The browser's own speech recognition, where there is one.

import { useCallback, useEffect, useRef, useState } from "react";

interface Recognition {
  lang: string;
  interimResults: boolean;
  onresult: ((event: { results: ArrayLike<ArrayLike<{ transcript: string }>> }) => void) | null;
  onerror: (() => void) | null;
  onend: (() => void) | null;
  start(): void;
  abort(): void;
}

type RecognitionClass = new () => Recognition;

declare global {
  interface Window {
    SpeechRecognition?: RecognitionClass;
    webkitSpeechRecognition?: RecognitionClass;
  }
}

export type Speech = "unsupported" | "silent" | "listening" | "unheard";

export function useSpeech(onHeard: (text: string) => void) {
  const [state, setState] = useState<Speech>(() => (recognitionClass() ? "silent" : "unsupported"));
  const running = useRef<Recognition>(undefined);
  const heard = useRef(onHeard);
  useEffect(() => {
    heard.current = onHeard;
  });
  useEffect(() => () => running.current?.abort(), []);

  const listen = useCallback(() => {
    const Recognition = recognitionClass();
    if (!Recognition) return;
    const recognition = new Recognition();
    running.current = recognition;
    recognition.lang = "pt-BR";
    recognition.interimResults = false;
    recognition.onresult = ({ results }) => {
      const text = Array.from(results, (result) => result[0]?.transcript ?? "").join(" ").trim();
      if (text) heard.current(text);
    };
    recognition.onerror = () => setState("unheard");
    recognition.onend = () => setState((before) => (before === "listening" ? "silent" : before));
    setState("listening");
    recognition.start();
  }, []);
  const stop = useCallback(() => running.current?.abort(), []);
  return { state, listen, stop };
}

/** Reads aloud, where the browser can. */
export function speak(text: string): void {
  if (typeof speechSynthesis === "undefined") return;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = "pt-BR";
  speechSynthesis.cancel();
  speechSynthesis.speak(utterance);
}

function recognitionClass(): RecognitionClass | undefined {
  return typeof window === "undefined" ? undefined : (window.SpeechRecognition ?? window.webkitSpeechRecognition);
}

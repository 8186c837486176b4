// Sofia, by voice: speaks where the browser hears and talks, writes where it does not.

import { AnalysisStatus } from "./parts/AnalysisStatus.tsx";
import { Card, Disclaimer } from "./parts/Card.tsx";
import { Chat, CHAT_TEXTS } from "./parts/Chat.tsx";
import { Icon } from "./parts/Icon.tsx";
import { STATUS_TEXTS } from "./texts.ts";
import { type ConversationOptions, useConversation } from "./useConversation.ts";
import { speak, useSpeech } from "./useSpeech.ts";

const TEXTS = {
  ...STATUS_TEXTS,
  ...CHAT_TEXTS,
  title: "Fale com a Sofia",
  lead: "Toque no microfone e fale; a resposta vem em voz e texto.",
  empty: "Toque no microfone para começar.",
  placeholder: "Ou escreva aqui…",
  listen: "Falar",
  stop: "Parar de ouvir",
  listening: "Ouvindo…",
  unsupported: "Este navegador não ouve: escreva a sua mensagem.",
  unheard: "Não consegui ouvir. Tente de novo ou escreva.",
};

interface Props extends Omit<ConversationOptions, "persona"> {
  texts?: Partial<typeof TEXTS>;
}

export function SofiaVoiceChat({ texts, onComplete, ...options }: Props) {
  const say = { ...TEXTS, ...texts };
  const chat = useConversation({
    name: "voice-chat",
    ...options,
    persona: "sofia",
    onComplete: (result) => {
      speak(result.reply);
      onComplete?.(result);
    },
  });
  const { analysis, last } = chat;
  const speech = useSpeech(chat.say);
  const isListening = speech.state === "listening";
  return (
    <Card icon="mic" title={say.title} lead={say.lead}>
      <Chat
        texts={say}
        turns={chat.turns}
        partial={chat.partial}
        isPending={analysis.isPending}
        suggestions={last?.suggestions ?? []}
        onSend={chat.say}
        tools={speech.state !== "unsupported" && (
          <button
            type="button"
            className={isListening ? "aa-button aa-button--icon aa-mic aa-mic--on" : "aa-button aa-button--icon aa-mic"}
            aria-label={isListening ? say.stop : say.listen}
            aria-pressed={isListening}
            disabled={analysis.isPending}
            onClick={isListening ? speech.stop : speech.listen}
          >
            <Icon name={isListening ? "stop" : "mic"} />
          </button>
        )}
        status={
          <>
            {speech.state !== "silent" && <p className="aa-hint" role="status">{say[speech.state]}</p>}
            <AnalysisStatus
              state={analysis}
              texts={say}
              onCancel={() => void analysis.cancel()}
              onRetry={analysis.canRetry ? () => void analysis.retry() : null}
            />
          </>
        }
      />
      {last && <Disclaimer>{last.disclaimer}</Disclaimer>}
    </Card>
  );
}

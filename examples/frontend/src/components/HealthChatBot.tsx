// Sofia, in writing: the answer is shown while it is written.

import { AnalysisStatus } from "./parts/AnalysisStatus.tsx";
import { Card, Disclaimer } from "./parts/Card.tsx";
import { Chat, CHAT_TEXTS } from "./parts/Chat.tsx";
import { STATUS_TEXTS } from "./texts.ts";
import { type ConversationOptions, useConversation } from "./useConversation.ts";

const TEXTS = {
  ...STATUS_TEXTS,
  ...CHAT_TEXTS,
  title: "Converse com a Sofia",
  lead: "Dúvidas sobre alimentação, receitas e hábitos.",
  empty: "Oi! Sou a Sofia. Como posso ajudar hoje?",
  emergency: "Se for uma emergência, ligue agora para o SAMU: 192.",
};

interface Props extends Omit<ConversationOptions, "persona"> {
  texts?: Partial<typeof TEXTS>;
}

export function HealthChatBot({ texts, ...options }: Props) {
  const say = { ...TEXTS, ...texts };
  const chat = useConversation({ name: "health-chat", ...options, persona: "sofia" });
  const { analysis, last } = chat;
  return (
    <Card icon="leaf" title={say.title} lead={say.lead}>
      <Chat
        texts={say}
        turns={chat.turns}
        partial={chat.partial}
        isPending={analysis.isPending}
        suggestions={last?.suggestions ?? []}
        onSend={chat.say}
        status={
          <>
            {last?.emergency && <p className="aa-emergency" role="alert">{say.emergency}</p>}
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

// What every component says while it waits. Each component takes `texts` to say it otherwise.

import type { AnalysisError } from "use-async-analysis";

export const STATUS_TEXTS = {
  submitting: "Enviando…",
  pending: "Na fila…",
  processing: "Analisando…",
  uploading: "Enviando arquivo…",
  delayed: "Está demorando mais que o normal. Pode fechar esta tela: nada se perde, e o resultado aparece aqui.",
  polling: "Conexão instável: a tela se atualiza a cada poucos segundos.",
  cancelled: "Análise cancelada.",
  cancel: "Cancelar",
  retry: "Tentar de novo",
  again: "Fazer outra",
  failed: "Não deu certo desta vez.",
};

export type StatusTexts = typeof STATUS_TEXTS;

const BY_CODE: Record<string, string> = {
  conflict: "Este pedido já foi feito de outro jeito. Comece de novo.",
  file_too_large: "O arquivo é grande demais: até 20 MB.",
  forbidden: "Você não tem acesso a este arquivo.",
  image_unreadable: "Não conseguimos abrir esta imagem.",
  interrupted: "A análise foi interrompida. Tente de novo.",
  not_a_lab_report: "Isto não parece um exame de laboratório. Envie uma foto nítida, de frente e bem iluminada.",
  not_found: "Esta análise não existe mais.",
  not_signed_in: "Sua sessão terminou. Entre de novo.",
  paused: "Esta análise está em manutenção. Tente mais tarde.",
  plan_infeasible: "Não encontramos um plano com todas essas restrições. Tire uma delas e tente de novo.",
  provider_unavailable: "O serviço de análise não respondeu. Tente de novo em alguns minutos.",
  provider_not_configured: "Este serviço não está disponível agora.",
  too_large: "O pedido é grande demais.",
  too_many_requests: "Você pediu muitas análises em pouco tempo. Espere um pouco.",
  unavailable: "Sem resposta do serviço. Confira sua internet e tente de novo.",
  unsupported_file: "Este tipo de arquivo não serve: use JPEG, PNG, WebP ou PDF.",
};

/** A job's own message names the reason, where we have no better words for its code. */
export function errorText(error: AnalysisError, texts: StatusTexts): string {
  return BY_CODE[error.code] ?? (error.message || texts.failed);
}

const numbers = new Map<number, Intl.NumberFormat>();

export function formatNumber(value: number, digits = 0): string {
  let format = numbers.get(digits);
  if (!format) {
    format = new Intl.NumberFormat("pt-BR", { maximumFractionDigits: digits });
    numbers.set(digits, format);
  }
  return format.format(value);
}

/** "2025-03-12" is a day, not a moment: no time zone may move it. */
export function formatDay(day: string): string {
  return day.split("-").reverse().join("/");
}

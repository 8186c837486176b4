// The user's documents, each with an analysis of its own: one may be read while another failed.

import { useEffect, useRef, useState } from "react";
import { ACCEPTED } from "../files/upload.ts";
import { useFileAnalysis } from "../files/useFileAnalysis.ts";
import type { MedicalExamResult } from "../contracts.ts";
import { AnalysisStatus } from "./parts/AnalysisStatus.tsx";
import { Card } from "./parts/Card.tsx";
import { ExamTable } from "./parts/ExamTable.tsx";
import { FilePicker } from "./parts/FilePicker.tsx";
import { Icon } from "./parts/Icon.tsx";
import { STATUS_TEXTS } from "./texts.ts";

const TEXTS = {
  ...STATUS_TEXTS,
  title: "Meus documentos",
  lead: "Cada documento é lido por conta própria; você pode sair e voltar.",
  pick: "Adicionar documentos",
  hint: "JPEG, PNG, WebP ou PDF",
  documents: "Documentos",
  read: "valores lidos",
  outside: "fora da faixa",
};

type Texts = typeof TEXTS;

export interface MedicalDocument {
  id: string;
  name: string;
  /** Read already. */
  result?: MedicalExamResult;
}

interface Props {
  texts?: Partial<Texts>;
  documents?: readonly MedicalDocument[];
  onComplete?: (document: MedicalDocument) => void;
}

interface Added {
  id: string;
  file: File;
}

export function MedicalDocumentsSection({ texts, documents = [], onComplete }: Props) {
  const say = { ...TEXTS, ...texts };
  const [added, setAdded] = useState<Added[]>([]);
  return (
    <Card icon="document" title={say.title} lead={say.lead}>
      <FilePicker
        icon="upload"
        label={say.pick}
        hint={say.hint}
        accept={ACCEPTED}
        multiple
        onPick={(files) => setAdded((before) => [...files.map((file) => ({ id: crypto.randomUUID(), file })), ...before])}
      />
      <ul className="aa-documents" aria-label={say.documents}>
        {added.map(({ id, file }) => (
          <Document key={id} id={id} name={file.name} file={file} say={say} onComplete={onComplete} />
        ))}
        {documents.map((known) => <Document key={known.id} {...known} say={say} onComplete={onComplete} />)}
      </ul>
    </Card>
  );
}

interface DocumentProps extends MedicalDocument {
  file?: File;
  say: Texts;
  onComplete: Props["onComplete"];
}

/** Without a file and without a result it goes on with the job that it began on an earlier page. */
function Document({ id, name, result: known, file, say, onComplete }: DocumentProps) {
  const { analysis, start, cancel, retry, uploaded, uploadError } = useFileAnalysis("medical_exam", {
    name: `document:${id}`,
    onComplete: (result) => onComplete?.({ id, name, result }),
    longestSide: 2_400,
    toInput: (files) => ({ files }),
  });
  const latest = useRef(start);
  useEffect(() => {
    latest.current = start;
  });
  useEffect(() => {
    if (file) void latest.current([file]);
  }, [file]);
  const result = analysis.result ?? known;
  return (
    <li>
      <div className="aa-documents__head">
        <Icon name={result ? "check" : "document"} />
        <strong>{name}</strong>
      </div>
      {!result && (
        <AnalysisStatus
          state={analysis}
          texts={say}
          uploaded={uploaded}
          uploadError={uploadError}
          onCancel={cancel}
          onRetry={retry}
        />
      )}
      {result && (
        <details className="aa-details">
          <summary>{summaryOf(result, say)}</summary>
          <ExamTable result={result} />
        </details>
      )}
    </li>
  );
}

function summaryOf({ exam_kind, analytes }: MedicalExamResult, say: Texts): string {
  const outside = analytes.filter(({ flag }) => flag === "low" || flag === "high").length;
  return [exam_kind, `${analytes.length} ${say.read}`, ...(outside > 0 ? [`${outside} ${say.outside}`] : [])].join(" · ");
}

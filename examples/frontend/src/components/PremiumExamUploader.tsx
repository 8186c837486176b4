// A lab report of several pages: chosen, put together, sent, and read into a table.

import { useState } from "react";
import { ACCEPTED } from "../files/upload.ts";
import { useFileAnalysis } from "../files/useFileAnalysis.ts";
import { AnalysisStatus } from "./parts/AnalysisStatus.tsx";
import { Card } from "./parts/Card.tsx";
import { ExamTable } from "./parts/ExamTable.tsx";
import { FilePicker } from "./parts/FilePicker.tsx";
import { Icon } from "./parts/Icon.tsx";
import type { AnalysisEvents } from "./provider.tsx";
import { formatNumber, STATUS_TEXTS } from "./texts.ts";

const TEXTS = {
  ...STATUS_TEXTS,
  title: "Enviar exame",
  lead: "Fotos ou PDF do laudo, na ordem das páginas.",
  pick: "Escolher arquivos ou soltar aqui",
  hint: "JPEG, PNG, WebP ou PDF, até 10 arquivos",
  pages: "Arquivos escolhidos",
  remove: "Tirar",
  submit: "Analisar exame",
};

const MAX_FILES = 10;
const LONGEST_SIDE = 2_400; // small print has to stay readable

interface Props extends AnalysisEvents<"medical_exam"> {
  texts?: Partial<typeof TEXTS>;
}

export function PremiumExamUploader({ texts, ...events }: Props) {
  const say = { ...TEXTS, ...texts };
  const [files, setFiles] = useState<File[]>([]);
  const { analysis, isBusy, start, cancel, retry, reset, uploaded, uploadError } = useFileAnalysis("medical_exam", {
    name: "exam-upload",
    ...events,
    longestSide: LONGEST_SIDE,
    toInput: (stored) => ({ files: stored }),
  });
  const { result } = analysis;
  return (
    <Card icon="document" title={say.title} lead={say.lead}>
      {!isBusy && !result && (
        <>
          <FilePicker
            icon="upload"
            label={say.pick}
            hint={say.hint}
            accept={ACCEPTED}
            multiple
            onPick={(more) => setFiles((before) => [...before, ...more].slice(0, MAX_FILES))}
          />
          {files.length > 0 && (
            <>
              <ol className="aa-files" aria-label={say.pages}>
                {files.map((file, index) => (
                  <li key={`${index} ${file.name}`}>
                    <Icon name="document" />
                    <span className="aa-files__name">{file.name}</span>
                    <span className="aa-hint">{formatNumber(file.size / 1024 / 1024, 1)} MB</span>
                    <button
                      type="button"
                      className="aa-button aa-button--icon"
                      aria-label={`${say.remove} ${file.name}`}
                      onClick={() => setFiles((before) => before.filter((other) => other !== file))}
                    >
                      <Icon name="close" />
                    </button>
                  </li>
                ))}
              </ol>
              <div className="aa-actions">
                <button type="button" className="aa-button aa-button--main" onClick={() => void start(files)}>
                  {say.submit}
                </button>
              </div>
            </>
          )}
        </>
      )}
      <AnalysisStatus
        state={analysis}
        texts={say}
        uploaded={uploaded}
        uploadError={uploadError}
        onCancel={cancel}
        onRetry={retry}
      />
      {result && (
        <div className="aa-result">
          <ExamTable result={result} />
          <div className="aa-actions">
            <button
              type="button"
              className="aa-button"
              onClick={() => {
                setFiles([]);
                reset();
              }}
            >
              {say.again}
            </button>
          </div>
        </div>
      )}
    </Card>
  );
}

// One photo of a plate, and what is on it.

import { useEffect, useMemo, useState } from "react";
import type { SofiaImageResult } from "../contracts.ts";
import { ACCEPTED } from "../files/upload.ts";
import { useFileAnalysis } from "../files/useFileAnalysis.ts";
import { AnalysisStatus } from "./parts/AnalysisStatus.tsx";
import { Card, Disclaimer, Warnings } from "./parts/Card.tsx";
import { FilePicker } from "./parts/FilePicker.tsx";
import { FoodList, Totals } from "./parts/FoodList.tsx";
import type { AnalysisEvents } from "./provider.tsx";
import { STATUS_TEXTS } from "./texts.ts";

const TEXTS = {
  ...STATUS_TEXTS,
  title: "Foto rápida",
  lead: "Fotografe o prato: a Sofia estima os alimentos e as porções.",
  pick: "Fotografar ou escolher uma foto",
  hint: "JPEG, PNG ou WebP",
  preview: "A foto enviada",
  noFood: "Não vimos comida nesta foto. Tente de mais perto, com boa luz.",
  confirm: "Conferir e salvar",
};

const LONGEST_SIDE = 1_280;
const PHOTOS = ACCEPTED.filter((type) => type.startsWith("image/"));

interface Props extends AnalysisEvents<"sofia_image"> {
  texts?: Partial<typeof TEXTS>;
  /** Offers to go on with the result, as in SofiaConfirmationModal. */
  onConfirm?: (result: SofiaImageResult) => void;
}

export function QuickPhotoCapture({ texts, onConfirm, ...events }: Props) {
  const say = { ...TEXTS, ...texts };
  const [photo, setPhoto] = useState<File | null>(null);
  const { analysis, isBusy, start, cancel, retry, reset, uploaded, uploadError } = useFileAnalysis("sofia_image", {
    name: "quick-photo",
    ...events,
    longestSide: LONGEST_SIDE,
    toInput: ([file]) => ({ file: file ?? { path: "" } }),
  });
  const { result } = analysis;
  const isIdle = !isBusy && !result;
  return (
    <Card icon="camera" title={say.title} lead={say.lead}>
      {photo && !isIdle && <Preview photo={photo} alt={say.preview} />}
      {isIdle && (
        <FilePicker
          icon="camera"
          label={say.pick}
          hint={say.hint}
          accept={PHOTOS}
          camera
          onPick={([file]) => {
            if (!file) return;
            setPhoto(file);
            void start([file]);
          }}
        />
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
          {result.is_food
            ? (
              <>
                <Totals amounts={result.totals.amounts} />
                <FoodList items={result.items} />
              </>
            )
            : <p className="aa-note">{say.noFood}</p>}
          <Warnings items={result.warnings} />
          <div className="aa-actions">
            {onConfirm && result.is_food && (
              <button type="button" className="aa-button aa-button--main" onClick={() => onConfirm(result)}>
                {say.confirm}
              </button>
            )}
            <button type="button" className="aa-button" onClick={reset}>{say.again}</button>
          </div>
          <Disclaimer>{result.disclaimer}</Disclaimer>
        </div>
      )}
    </Card>
  );
}

function Preview({ photo, alt }: { photo: File; alt: string }) {
  const url = useMemo(() => URL.createObjectURL(photo), [photo]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return <img className="aa-preview" src={url} alt={alt} />;
}

import type { Analyte, MedicalExamResult } from "../../contracts.ts";
import { formatDay, formatNumber } from "../texts.ts";
import { Disclaimer, Warnings } from "./Card.tsx";

const FLAGS: Record<Analyte["flag"], string> = {
  low: "abaixo",
  normal: "na faixa",
  high: "acima",
  unknown: "sem faixa",
};

export function ExamTable({ result }: { result: MedicalExamResult }) {
  const { exam_kind, collected_at, laboratory, analytes, warnings, disclaimer } = result;
  const facts = [laboratory, collected_at && `coleta em ${formatDay(collected_at)}`].filter(Boolean);
  return (
    <div className="aa-exam">
      <div className="aa-exam__head">
        <strong>{exam_kind}</strong>
        <span className="aa-hint">{facts.join(" · ")}</span>
      </div>
      <Warnings items={warnings} />
      <div className="aa-scroll" role="region" aria-label="Resultados" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Exame</th>
              <th scope="col" className="aa-right">Resultado</th>
              <th scope="col">Referência</th>
              <th scope="col">Faixa</th>
            </tr>
          </thead>
          <tbody>
            {analytes.map((analyte, index) => (
              <tr key={`${index} ${analyte.name}`}>
                <th scope="row">{analyte.name}</th>
                <td className="aa-right">
                  {analyte.value === null ? analyte.value_text : formatNumber(analyte.value, 3)}{" "}
                  <small>{analyte.unit}</small>
                </td>
                <td className="aa-hint">{analyte.reference?.text ?? "—"}</td>
                <td><span className={`aa-flag aa-flag--${analyte.flag}`}>{FLAGS[analyte.flag]}</span></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Disclaimer>{disclaimer}</Disclaimer>
    </div>
  );
}

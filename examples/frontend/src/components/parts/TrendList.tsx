import type { Series, Trend } from "../../contracts.ts";
import { formatDay, formatNumber } from "../texts.ts";
import { Icon, type IconName } from "./Icon.tsx";

const DIRECTIONS: Record<Trend["direction"], [IconName, string]> = {
  rising: ["up", "subindo"],
  falling: ["down", "caindo"],
  steady: ["steady", "estável"],
  unknown: ["steady", "poucas medidas"],
};

interface Props {
  trends: readonly Trend[];
  series?: readonly Series[] | undefined;
}

export function TrendList({ trends, series = [] }: Props) {
  return (
    <ul className="aa-trends">
      {trends.map((trend) => {
        const [icon, direction] = DIRECTIONS[trend.direction];
        const points = series.find(({ kind }) => kind === trend.kind)?.points ?? [];
        return (
          <li key={trend.kind}>
            <div>
              <strong>{trend.name}</strong>
              <span className="aa-hint">
                {formatDay(trend.first_on)} a {formatDay(trend.last_on)} · {trend.count} medidas
              </span>
            </div>
            <Sparkline values={points.map(({ value }) => value)} />
            <div className="aa-trends__now">
              <strong>
                {formatNumber(trend.last, 1)} <small>{trend.unit}</small>
              </strong>
              <span className="aa-hint"><Icon name={icon} /> {direction}</span>
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function Sparkline({ values }: { values: readonly number[] }) {
  if (values.length < 2) return null;
  const low = Math.min(...values);
  const height = Math.max(...values) - low || 1;
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * 96 + 2;
    return `${x.toFixed(1)},${(26 - ((value - low) / height) * 22).toFixed(1)}`;
  });
  return (
    <svg className="aa-spark" viewBox="0 0 100 30" aria-hidden="true">
      <polyline points={points.join(" ")} />
    </svg>
  );
}

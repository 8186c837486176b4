// Measurements of a made-up person.

import type { Series } from "../contracts.ts";

const weeks = ["2026-09-07", "2026-09-14", "2026-09-21", "2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19"];
const points = (values: readonly number[]) => weeks.map((on, index) => ({ on, value: values[index] ?? 0 }));

export const SERIES: Series[] = [
  {
    kind: "weight_kg",
    points: points([82.4, 81.9, 81.1, 80.9, 80.2, 79.8, 79.3]),
    target: { high: 78, source: "user" },
  },
  { kind: "sleep_hours", points: points([6.1, 6.4, 6.2, 6.9, 7.1, 7, 7.3]) },
  { kind: "steps", points: points([5200, 6100, 5900, 7200, 7000, 8100, 8300]) },
];

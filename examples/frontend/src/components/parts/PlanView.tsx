import { useState } from "react";
import type { MealPlanResult } from "../../contracts.ts";
import { formatNumber } from "../texts.ts";
import { Disclaimer, Warnings } from "./Card.tsx";
import { MEALS, Totals } from "./FoodList.tsx";

export function PlanView({ plan }: { plan: MealPlanResult }) {
  const [shown, setShown] = useState(0);
  const day = plan.days[shown];
  return (
    <div className="aa-plan">
      <p>
        Meta de <strong>{formatNumber(plan.targets.kcal)} kcal</strong> por dia; seu gasto estimado é de{" "}
        {formatNumber(plan.targets.spent_kcal)} kcal.
      </p>
      <Warnings items={plan.warnings} />
      <div className="aa-days" role="group" aria-label="Dias">
        {plan.days.map(({ day: number }, index) => (
          <button key={number} type="button" aria-pressed={index === shown} onClick={() => setShown(index)}>
            Dia {number}
          </button>
        ))}
      </div>
      {day && (
        <>
          <Totals amounts={day.totals.amounts} />
          {day.meals.map((meal) => (
            <section key={meal.meal} className="aa-meal">
              <h3>
                {MEALS[meal.meal]} <small>{formatNumber(meal.kcal)} kcal</small>
              </h3>
              <ul>
                {meal.foods.map((food) => (
                  <li key={food.food_id}>
                    {food.name} <span className="aa-hint">{food.amount}</span>
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </>
      )}
      <details className="aa-details">
        <summary>Lista de compras ({plan.shopping_list.length})</summary>
        <ul className="aa-shopping">
          {plan.shopping_list.map((item) => (
            <li key={item.food_id}>
              {item.name} <span className="aa-hint">{item.quantity}</span>
            </li>
          ))}
        </ul>
      </details>
      <Disclaimer>{plan.disclaimer}</Disclaimer>
    </div>
  );
}

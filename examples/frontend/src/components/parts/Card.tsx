import { type ReactNode, useId } from "react";
import { Icon, type IconName } from "./Icon.tsx";

interface Props {
  icon: IconName;
  title: string;
  lead: string;
  children: ReactNode;
}

/** A region with a name, so that a screen reader can go to it. */
export function Card({ icon, title, lead, children }: Props) {
  const id = useId();
  return (
    <section className="aa-card" aria-labelledby={id}>
      <header className="aa-card__head">
        <span className="aa-card__badge"><Icon name={icon} /></span>
        <div>
          <h2 id={id}>{title}</h2>
          <p>{lead}</p>
        </div>
      </header>
      <div className="aa-card__body">{children}</div>
    </section>
  );
}

export function Disclaimer({ children }: { children: string }) {
  return <p className="aa-disclaimer">{children}</p>;
}

export function Warnings({ items }: { items: readonly string[] }) {
  if (items.length === 0) return null;
  return (
    <ul className="aa-warnings">
      {items.map((warning) => (
        <li key={warning}><Icon name="alert" />{warning}</li>
      ))}
    </ul>
  );
}

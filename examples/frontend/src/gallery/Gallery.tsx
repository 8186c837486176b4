// Every state of every component, at `#/galeria/<component>/<state>`.

import { useMemo } from "react";
import { AnalysisProvider } from "../components/index.ts";
import { SCENES } from "./scenes.tsx";
import { scripted } from "./scripted.ts";

export default function Gallery() {
  const [, , component = "", state = ""] = location.hash.split("/");
  const scene = SCENES[component]?.[state];
  const tools = useMemo(() => ({
    client: scripted(scene?.script ?? { job: {} }),
    upload: () => new Promise<never>(() => {}), // a picture of an upload is of one that goes on
    memoryFor: () => ({ recall: () => (scene?.script ? "running" : null), keep: () => {}, forget: () => {} }),
  }), [scene]);
  if (!scene) return <Contents />;
  return (
    <main className="gallery">
      <AnalysisProvider {...tools}>{scene.show()}</AnalysisProvider>
    </main>
  );
}

function Contents() {
  return (
    <main className="gallery">
      <h1>Galeria</h1>
      {Object.entries(SCENES).map(([component, states]) => (
        <section key={component}>
          <h2>{component}</h2>
          <ul>
            {Object.keys(states).map((state) => (
              <li key={state}>
                <a href={`#/galeria/${component}/${state}`} onClick={() => setTimeout(() => location.reload())}>{state}</a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </main>
  );
}

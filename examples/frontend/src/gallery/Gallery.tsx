// Every state of every component, at `#/galeria/<component>/<state>`: whatever is asked for there ends in that state.

import { useMemo } from "react";
import type { JobMemory } from "use-async-analysis";
import { AnalysisProvider } from "../components/index.ts";
import type { UploadOptions } from "../files/upload.ts";
import { SCENES } from "./scenes.tsx";
import { scripted } from "./scripted.ts";

const NO_MEMORY: JobMemory = { recall: () => null, keep: () => {}, forget: () => {} };

export default function Gallery() {
  const [, , component = "", state = ""] = location.hash.split("/");
  const scene = SCENES[component]?.[state];
  const tools = useMemo(() => ({
    client: scripted(scene?.script ?? { job: {} }),
    upload: (file: File, { onProgress }: UploadOptions) => {
      onProgress(0.62);
      return state === "uploading" ? new Promise<never>(() => {}) : Promise.resolve({ path: file.name });
    },
    memoryFor: () => NO_MEMORY,
  }), [scene, state]);
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

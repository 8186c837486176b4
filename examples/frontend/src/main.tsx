import { lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import "./components/styles.css";
import "./demo/demo.css";

const Demo = lazy(() => import("./demo/Demo.tsx"));
const Gallery = lazy(() => import("./gallery/Gallery.tsx"));

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root.");
createRoot(root).render(
  <StrictMode>
    <Suspense>{location.hash.startsWith("#/galeria") ? <Gallery /> : <Demo />}</Suspense>
  </StrictMode>,
);

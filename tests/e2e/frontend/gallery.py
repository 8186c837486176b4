"""Every state of every component, one after the other, in a browser; and their pictures for the documentation.

    uv run python -m tests.e2e.frontend.gallery

writes them to docs/frontend.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from maxnutrition.demo.web import served
from tests.databases import ROOT
from tests.e2e.frontend.node import FRONTEND, install_packages, node
from tests.e2e.frontend.stage import CHROMIUM_FLAGS, find_chromium

PLATE = ROOT / "tests" / "unit" / "maxnutrition" / "data" / "plate.jpg"
REPORT = ROOT / "src" / "maxnutrition" / "samples" / "tireoide.png"
PICTURES = ROOT / "docs" / "frontend"
MAX_BYTES = 150_000
PATIENCE_MS = 11_000  # a little more than a component has before it asks why it waits
Scheme = Literal["light", "dark"]


def read_scenes() -> list[tuple[str, str]]:
    """Component and state of each scene, as the source of the gallery lists them."""
    source = (FRONTEND / "src" / "gallery" / "scenes.tsx").read_text()
    shared_part, own_part = source.split("export const SCENES")
    shared = re.findall(r"^    (\w+): ?(?:job\(|\{ show)", shared_part, re.MULTILINE)
    found = []
    for name, body in re.findall(r"^  (\w+): (.*?)(?=^  \w+: |\Z)", own_part, re.MULTILINE | re.DOTALL):
        states = [*(shared if "states(" in body else ["idle"]), *(["uploading"] if "uploading(" in body else [])]
        found += [(name, state) for state in states]
    return found


def open_gallery(browser: Browser, scheme: Scheme) -> Page:
    context = browser.new_context(
        locale="pt-BR",
        viewport={"width": 760, "height": 900},
        device_scale_factor=1.5,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.clock.install()
    return page


def show_scene(page: Page, address: str, component: str, state: str) -> None:
    """Does what a user would, and returns when the scene shows what it is to show."""
    page.goto(f"{address}/?{component}-{state}#/galeria/{component}/{state}")
    page.locator(".gallery :is(.aa-card, .aa-dialog)").wait_for()
    if state == "idle":
        return
    _ask(page, component)
    if state == "delayed":
        page.locator(".aa-waiting").first.wait_for()
        page.clock.fast_forward(PATIENCE_MS)
    page.locator(_MARKS[state]).first.wait_for()
    page.mouse.move(0, 0)


_MARKS = {
    "uploading": ".aa-waiting__percent",
    "queued": ".aa-waiting",
    "progress": ".aa-waiting__percent",
    "delayed": ".aa-waiting .aa-hint:not(:empty)",
    "error": ".aa-failure",
    "cancelled": ".aa-note",
    "result": ":is(.aa-totals, .aa-trends, .aa-suggestions, .aa-exam:not(details *), .aa-documents li + li summary)",
}
_QUESTIONS = {
    "HealthChatBot": "Posso trocar o arroz branco por quê no almoço?",
    "SofiaVoiceChat": "Posso trocar o arroz branco por quê no almoço?",
    "DrVitalChat": "Estou no caminho certo?",
}


def _ask(page: Page, component: str) -> None:
    match component:
        case "QuickPhotoCapture":
            page.get_by_label("Fotografar").set_input_files(PLATE)
        case "FoodAnalysisSystem":
            page.get_by_label("Sua refeição").fill("Arroz, feijão, frango, salada e um negocinho doce")
            page.get_by_role("button", name="Analisar").click()
        case "PremiumExamUploader":
            page.get_by_label("Escolher arquivos").set_input_files(REPORT)
            page.get_by_role("button", name="Analisar exame").click()
        case "MedicalDocumentsSection":
            page.get_by_label("Adicionar").set_input_files(REPORT)
        case "MealPlanGeneratorModal":
            page.get_by_role("button", name="Gerar plano").click()
        case "AIHealthAnalysis":
            page.get_by_role("button", name="Analisar minhas medidas").click()
        case _:
            page.get_by_label("Sua mensagem").fill(_QUESTIONS[component])
            page.get_by_role("button", name="Enviar").click()


def take_pictures(browser: Browser, address: str) -> Iterator[Path]:
    for scheme in ("light", "dark"):
        page = open_gallery(browser, scheme)
        page.add_init_script("delete window.SpeechRecognition")
        for component, state in read_scenes():
            if scheme == "light" or state in {"progress", "result"}:
                show_scene(page, address, component, state)
                yield take_picture(page, f"{component}-{state}{'-dark' if scheme == 'dark' else ''}.webp")
        page.context.close()


def take_picture(page: Page, name: str) -> Path:
    """With a margin around."""
    target = PICTURES / name
    shown = page.locator(".gallery :is(.aa-card, .aa-dialog)").first
    page.set_viewport_size({"width": 760, "height": 2_000})  # a dialog is as high as its window lets it
    box = shown.bounding_box()
    assert box is not None
    page.set_viewport_size({"width": 760, "height": max(300, int(box["height"]) + 120)})
    box = shown.bounding_box()
    assert box is not None
    clip = {"x": box["x"] - 20, "y": max(0, box["y"] - 20), "width": box["width"] + 40, "height": box["height"] + 40}
    shot = page.screenshot(clip=clip)  # type: ignore[arg-type]  # a TypedDict of exactly these
    page.set_viewport_size({"width": 760, "height": 900})
    with Image.open(BytesIO(shot)) as image:
        image.convert("RGB").save(target, quality=88, method=6)
    assert target.stat().st_size <= MAX_BYTES, f"{name} is too large"
    return target


def write_pictures() -> None:
    install_packages()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as built,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS) as browser,
    ):
        node("node_modules/vite/bin/vite.js", "build", "--logLevel", "warn", "--emptyOutDir", "--outDir", built)
        with served(Path(built), {}) as address:
            for picture in take_pictures(browser, address):
                print(picture.name)


if __name__ == "__main__":
    write_pictures()

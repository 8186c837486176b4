"""Paper, ink and camera: what the sample reports are drawn with."""

from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

A4_AT_150_DPI = (1240, 1754)
MARGIN = 70
Point = tuple[float, float]


def font(family: str, style: str, size: int) -> ImageFont.FreeTypeFont:
    files = Path(str(import_module(f"font_{family}").__file__)).parent / "files"
    return ImageFont.truetype(str(files / f"{family.capitalize()}-{style}.ttf"), size)


class Sheet:
    """A page that is written from top to bottom."""

    def __init__(self, family: str, ink: str) -> None:
        self.image = Image.new("RGB", A4_AT_150_DPI, "#fdfdfb")
        self.draw = ImageDraw.Draw(self.image)
        self.family = family
        self.ink = ink
        self.y = 50

    def write(self, x: int, text: str, size: int = 25, style: str = "Regular", ink: str = "") -> None:
        self.draw.text((x, self.y), text, font=font(self.family, style, size), fill=ink or self.ink)

    def rule(self, width: int = 1, colour: str = "#b9c0c6") -> None:
        self.draw.line((MARGIN, self.y, A4_AT_150_DPI[0] - MARGIN, self.y), fill=colour, width=width)

    def band(self, colour: str, name: str, address: str) -> None:
        self.draw.rectangle((0, 0, A4_AT_150_DPI[0], 150), fill=colour)
        self.draw.ellipse((70, 35, 150, 115), fill="#ffffff")
        self.draw.polygon([(110, 45), (135, 92), (85, 92)], fill=colour)
        self.y = 35
        self.write(180, name, 44, "Bold", "#ffffff")
        self.y = 95
        self.write(180, address, 22, "Regular", "#e4f0f3")
        self.y = 180

    def letterhead(self, colour: str, name: str, address: str) -> None:
        self.draw.rounded_rectangle((70, 50, 140, 120), 16, outline=colour, width=7)
        self.draw.line((105, 66, 105, 104), fill=colour, width=8)
        self.draw.line((86, 85, 124, 85), fill=colour, width=8)
        self.write(165, name, 40, "Bold", colour)
        self.y += 52
        self.write(165, address, 21)
        self.y += 45
        self.rule(3, colour)
        self.y += 22

    def box(self, rows: list[tuple[str, str]]) -> None:
        top = self.y
        self.y += 14
        for left, right in rows:
            self.write(MARGIN + 20, left, 23)
            self.write(800, right, 23)
            self.y += 36
        self.draw.rectangle((MARGIN, top, A4_AT_150_DPI[0] - MARGIN, self.y + 8), outline="#8b949b", width=2)
        self.y += 36

    def title(self, text: str) -> None:
        self.write(MARGIN, text, 32, "Bold")
        self.y += 48

    def small(self, text: str) -> None:
        self.write(MARGIN, text, 20)
        self.y += 46

    def header(self, columns: tuple[int, ...], names: tuple[str, ...]) -> None:
        self.y += 18
        self.draw.rectangle((MARGIN - 8, self.y - 6, A4_AT_150_DPI[0] - MARGIN, self.y + 38), fill="#dfe8ec")
        for x, name in zip(columns, names, strict=True):
            self.write(x, name, 25, "Bold")
        self.y += 54

    def row(self, columns: tuple[int, ...], cells: tuple[str, ...], *, rule: bool) -> None:
        for x, cell in zip(columns, cells, strict=True):
            self.write(x, cell)
        self.y += 42
        if rule:
            self.y -= 6
            self.rule()
            self.y += 6

    def block(self, name: str, method: str, result: str, references: list[str]) -> None:
        self.write(MARGIN, name, 27, "Bold")
        self.y += 38
        self.write(MARGIN, method, 20)
        self.write(760, "Valores de referência:", 21, "Bold")
        self.y += 34
        self.write(MARGIN, result, 26, "Bold")
        for reference in references:
            self.write(760, reference, 23)
            self.y += 33
        self.y += 20 if len(references) > 1 else 34
        self.rule()
        self.y += 20

    def leader(self, name: str, result: str, reference: str) -> None:
        regular = font(self.family, "Regular", 27)
        start = MARGIN + regular.getlength(name)
        dots = "." * int((700 - start) / regular.getlength("."))
        self.write(MARGIN, f"{name}{dots}:", 27)
        self.write(740, result, 27, "Bold")
        self.y += 44
        self.write(MARGIN + 30, reference, 22)
        self.y += 78

    def footer(self, left: str, right: str) -> None:
        self.y = A4_AT_150_DPI[1] - 110
        self.rule(2)
        self.y += 16
        self.write(MARGIN, left, 20)
        self.write(MARGIN + 640, right, 20)
        self.y += 34
        self.write(MARGIN, "Documento fictício, criado para demonstração.  Página 1 de 1", 18, ink="#6a7278")


def scan(page: Image.Image, seed: int) -> Image.Image:
    """A flatbed scan: straight, with a little grain."""
    grain = np.random.default_rng(seed).normal(0, 2.5, (page.height, page.width, 1))
    return Image.fromarray(np.clip(np.asarray(page) + grain, 0, 255).astype(np.uint8))


def photograph(page: Image.Image, seed: int) -> Image.Image:
    """A phone photo of the page on a table: turned, in perspective, unevenly lit, slightly soft."""
    size = (1500, 2000)
    corners = [(150.0, 175.0), (1300.0, 95.0), (1420.0, 1800.0), (70.0, 1905.0)]
    flat = [(0.0, 0.0), (page.width, 0.0), (page.width, page.height), (0.0, page.height)]
    warp = perspective(corners, flat)
    paper = page.transform(size, Image.Transform.PERSPECTIVE, warp, Image.Resampling.BICUBIC)
    mask = Image.new("L", page.size, 255).transform(size, Image.Transform.PERSPECTIVE, warp)
    shadow = ImageChops.offset(mask, 14, 18).filter(ImageFilter.GaussianBlur(16)).point(lambda v: v * 0.55)
    scene = Image.composite(Image.new("RGB", size, "#1c130c"), table(size, seed), shadow)
    scene.paste(paper, mask=mask)
    return develop(scene, seed)


def develop(scene: Image.Image, seed: int) -> Image.Image:
    """Light that falls from the top left, lens blur, sensor noise."""
    y, x = np.mgrid[0 : scene.height, 0 : scene.width]
    light = 1.02 - 0.16 * (x / scene.width) - 0.12 * (y / scene.height)
    noise = np.random.default_rng(seed).normal(0, 3, (scene.height, scene.width, 3))
    soft = np.asarray(scene.filter(ImageFilter.GaussianBlur(0.8)))
    return Image.fromarray(np.clip(soft * light[..., None] + noise, 0, 255).astype(np.uint8))


def table(size: tuple[int, int], seed: int) -> Image.Image:
    """Wood: stretched noise in brown."""
    grain = np.random.default_rng(seed).normal(0, 1, (size[1] // 4, 6))
    stretched = Image.fromarray((grain * 24 + 128).clip(0, 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    wood = np.asarray(stretched)[..., None] / 255 * np.array([70, 48, 30]) + np.array([96, 66, 42])
    return Image.fromarray(wood.astype(np.uint8))


def plate_of_food(seed: int) -> Image.Image:
    scene = table((1200, 900), seed)
    draw = ImageDraw.Draw(scene)
    draw.ellipse((200, 60, 1000, 840), fill="#f1efe9", outline="#d3cfc4", width=18)
    draw.pieslice((290, 150, 910, 750), 180, 300, fill="#f7f2df")
    draw.pieslice((290, 150, 910, 750), 300, 420, fill="#4b2a1c")
    draw.ellipse((420, 480, 760, 730), fill="#9c5a2e", outline="#6d3a1b", width=10)
    leaves = np.random.default_rng(seed).integers(0, 150, (40, 2))
    for x, y in leaves:
        draw.ellipse((320 + x, 420 + y, 375 + x, 450 + y), fill="#3f7d33")
    return develop(scene, seed)


def perspective(seen: list[Point], flat: list[Point]) -> list[float]:
    """The eight coefficients with which Pillow finds, for a point seen, its place on the flat page."""
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, flat, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(c) for c in np.linalg.solve(np.array(rows), np.array(values))]

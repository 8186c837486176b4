"""The rules for replies in TypeScript and in Python, compared on texts made of what the rules look for."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

from maxnutrition.prompts.fences import fenced
from maxnutrition.prompts.plain_text import shorten
from maxnutrition.prompts.red_lines import line_crossed_by
from supabase_local.functions.process import find_deno
from tests.contract.functions.vectors import emergency_of, reply_to
from tests.databases import ROOT

FUNCTIONS = ROOT / "supabase" / "functions"
TEXTS = 4000
WORDS = """
você voce vc Tu tem está com sofre de é um quadro início anemia diabetes Hipertensão gota isso esses valores indicam
sugere seu diagnóstico é: trata-se se quando não posso significa tome use suspenda recomendo troque reduza dobrar a dose
metformina insulina remédio suplemento de ferro resistência picos médico conforme receita sem falar 850 2 0,5 mg ui
gotas comprimidos a cada 8 horas / dor no peito forte falta de ar nem nunca tive tenho quero morrer me matar rir fome
suicídio tomei todos os remédios boca torta desmaiei Sugestões: Sugestão sugestoes www.a.com http://x/y [a](b) <b> & <
"""
GLUE = (
    [" "] * 12
    + [". ", "! ", "? ", "\n", "\n\n", ", ", ": ", " | ", "  ", "...", ".", "*", "**", "__", "- ", "# ", "\t", "\r\n"]
    + [
        "\u00a0",
        "\u2003",
        "\u2028",
        "\x1c",
        "\x85",
        "\ufeff",
        "\u200b",
        "\u0301",
        "ж",
        "²",
        "٣",
        "İ",
        "ſ",
        "K",
        "ß",
        "ﬁ",
        "😀",
    ]
)


def texts() -> list[str]:
    chance, words = random.Random(20261126), WORDS.split()
    return [
        "".join(chance.choice(words) + chance.choice(GLUE) for _ in range(chance.randrange(1, 14)))
        for _ in range(TEXTS)
    ]


def said_by_typescript(deno_dir: Path, asked: list[str]) -> Any:
    command = [str(find_deno()), "run", "--no-remote", "--no-npm", "--no-prompt", f"--allow-read={FUNCTIONS}"]
    result = subprocess.run(
        [*command, "--config", str(FUNCTIONS / "tests" / "deno.json"), str(FUNCTIONS / "tests" / "guard_answers.ts")],
        input=json.dumps(asked).encode(),
        env={"DENO_DIR": str(deno_dir), "DENO_NO_UPDATE_CHECK": "1"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    return json.loads(result.stdout)


def said_by_python(text: str) -> dict[str, Any]:
    return {
        "line": line_crossed_by(text),
        "emergency": emergency_of(text),
        "reply": reply_to(text, text),
        "short": shorten(text, 20),
        "fenced": fenced("texto", text),
    }


def test_both_sides_say_the_same_of_texts_that_nobody_has_thought_of(tmp_path: Path) -> None:
    asked = texts()
    said = [said_by_python(text) for text in asked]
    answers = said_by_typescript(tmp_path, asked)
    others = [case for case in zip(asked, said, answers, strict=True) if case[1] != case[2]]
    assert others == []
    assert {each["line"] for each in said} == {"diagnosis", "prescription", "dose", None}
    assert {each["emergency"] for each in said} == {"life", "body", None}

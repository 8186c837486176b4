"""The frontend's own checks: types, tests, builds, and that what is written by code is what code would write."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from maxnutrition.contracts import chat, health, meal_plan, medical_exam, sofia_image, sofia_text
from tests.e2e.frontend.node import FRONTEND, LOCK, node

SCRIPTS = FRONTEND / "scripts"
TSC = "node_modules/typescript/bin/tsc"
CODE = [*FRONTEND.glob("src/**/*.ts*"), *FRONTEND.glob("packages/*/src/*.ts")]


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPTS / "write_contracts.py"))


def test_the_contracts_are_those_of_the_worker(script: dict[str, Any]) -> None:
    assert (FRONTEND / "src" / "contracts.ts").read_text() == script["write_contracts"](), (
        "run examples/frontend/scripts/write_contracts.py"
    )


def test_what_the_worker_gives_as_examples_has_the_contracts_types(
    packages: None, script: dict[str, Any], tmp_path: Path
) -> None:
    examples = {
        "meal_plan": (meal_plan.EXAMPLE_INPUT, meal_plan.EXAMPLE_RESULT),
        "medical_exam": (medical_exam.EXAMPLE_INPUT, medical_exam.EXAMPLE_RESULT),
        "sofia_image": (sofia_image.EXAMPLE_INPUT, sofia_image.EXAMPLE_RESULT),
        "sofia_text": (sofia_text.EXAMPLE_INPUT, sofia_text.EXAMPLE_RESULT),
        "unified_assistant": (chat.EXAMPLE_INPUT, chat.EXAMPLE_RESULT),
        "health_insights": (health.EXAMPLE_INPUT, health.EXAMPLE_RESULT),
        "dr_vital": (health.EXAMPLE_DR_VITAL_INPUT, health.EXAMPLE_DR_VITAL_RESULT),
    }
    assert set(examples) == set(script["TYPES"])
    lines = [f'import type {{ Contracts }} from "{FRONTEND}/src/contracts.ts";']
    for name, (taken, _) in examples.items():
        given = script["TYPES"][name][1].model_validate(examples[name][1]).model_dump(mode="json")
        lines += [
            f'export const {name}Input: Contracts["{name}"]["input"] = {json.dumps(taken)};',
            f'export const {name}Result: Contracts["{name}"]["result"] = {json.dumps(given)};',
        ]
    (tmp_path / "examples.ts").write_text("\n".join(lines))
    options = {"types": [], "paths": {"use-async-analysis": [f"{FRONTEND}/packages/use-async-analysis/src/index.ts"]}}
    config = {"extends": f"{FRONTEND}/tsconfig.json", "compilerOptions": options, "include": ["examples.ts"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))

    node(TSC, "-p", str(tmp_path))


def test_the_app_and_the_library_have_the_types_they_say(packages: None) -> None:
    node(TSC, "--noEmit")
    node(TSC, "--noEmit", "-p", "packages/use-async-analysis")


def test_no_type_is_given_up() -> None:
    assert CODE
    for file in CODE:
        text = file.read_text()
        assert not re.search(r"(:|<|as) any\b|@ts-(ignore|nocheck|expect-error)", text), file


def test_the_unit_tests_pass_and_the_size_is_printed(packages: None) -> None:
    output = node("node_modules/vitest/vitest.mjs", "run", "--reporter=default")
    size = re.search(r"core and hook: (\d+) bytes gzipped", output)
    assert size is not None, output
    print(f"use-async-analysis: {size[1]} bytes gzipped")


def test_the_library_can_be_built_and_used_without_react(packages: None, tmp_path: Path) -> None:
    node(TSC, "-p", "packages/use-async-analysis/tsconfig.build.json", "--outDir", str(tmp_path / "dist"))
    assert (tmp_path / "dist" / "react.d.ts").exists()
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "use.js").write_text(
        'import { createAnalysis } from "./dist/index.js"; console.log(createAnalysis({}).getState().status);'
    )
    assert node(str(tmp_path / "use.js")).strip() == "idle"


def test_the_lock_names_no_registry_but_the_public_one() -> None:
    hosts = set(re.findall(r'"resolved": "https?://([^/"]+)', LOCK.read_text()))
    assert hosts <= {"registry.npmjs.org"}

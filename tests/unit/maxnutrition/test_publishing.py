"""What is published of the job types is current, and true."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from maxnutrition.commands import contracts
from maxnutrition.job_types import JOB_TYPES, JobType
from maxnutrition.publishing import contract_of, table_of
from tests.databases import ROOT

CONTRACTS = ROOT / "supabase" / "functions" / "_shared" / "contracts"


def test_the_committed_contracts_are_current() -> None:
    result = CliRunner().invoke(contracts, ["check", str(CONTRACTS)])
    assert (result.exit_code, result.output) == (0, ""), "run `analysis-worker contracts export`"


def test_the_table_in_the_docs_is_current() -> None:
    page = (ROOT / "docs" / "job-types.md").read_text(encoding="utf-8")
    assert table_of(JOB_TYPES) in page, "put the output of `analysis-worker contracts table` into docs/job-types.md"


def test_a_contract_that_is_not_current_is_named(tmp_path: Path) -> None:
    runner, directory = CliRunner(), tmp_path / "contracts"
    assert runner.invoke(contracts, ["check", str(directory)]).exit_code == 1
    runner.invoke(contracts, ["export", str(directory)])
    assert runner.invoke(contracts, ["check", str(directory)]).exit_code == 0
    (directory / "meal_plan.json").write_text("{}")
    result = runner.invoke(contracts, ["check", str(directory)])
    assert (result.exit_code, result.output) == (1, "not current: meal_plan\n")


@pytest.mark.parametrize("name", ["guard", "foods"])
def test_what_else_the_functions_read_has_to_be_current_too(tmp_path: Path, name: str) -> None:
    runner, directory = CliRunner(), tmp_path / "contracts"
    runner.invoke(contracts, ["export", str(directory)])
    (tmp_path / f"{name}.json").write_text("{}")
    result = runner.invoke(contracts, ["check", str(directory)])
    assert (result.exit_code, result.output) == (1, f"not current: {name}\n")


@pytest.mark.parametrize("kind", JOB_TYPES, ids=lambda kind: kind.name)
def test_the_examples_fit_the_schemas(kind: JobType) -> None:
    contract = json.loads(json.dumps(contract_of(kind)))
    for part in ("input", "result"):
        jsonschema.Draft202012Validator.check_schema(contract[f"{part}_schema"])
        jsonschema.validate(contract[f"example_{part}"], contract[f"{part}_schema"])
    kind.input.model_validate(contract["example_input"])
    kind.result.model_validate(contract["example_result"])

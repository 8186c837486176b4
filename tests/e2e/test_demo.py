"""`analysis-worker demo` as a new user runs it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from PIL import Image

from tests.processes import Playground

SAMPLES = ["hemograma.jpg", "lipidios_glicose.jpg", "tireoide.png"]


@pytest.fixture
def playground() -> Iterator[Playground]:
    """A directory that the program may use for temporary files; at the end it and the process table are clean."""
    with tempfile.TemporaryDirectory(prefix="analysis-demo-") as directory:
        Path(directory).chmod(0o755)  # where the tests run as root, PostgreSQL runs as somebody else
        ground = Playground(Path(directory))
        yield ground
        assert ground.wait_until_empty() == ([], [])


def document(run: subprocess.CompletedProcess[str]) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(run.stdout)
    return parsed


def test_the_sample_is_read_and_realtime_woke_the_worker(playground: Playground) -> None:
    run = playground.run("demo", "--json")
    assert run.returncode == 0, run.stderr
    told = document(run)
    assert (told["status"], told["woken_by"], told["error"]) == ("completed", "realtime", None)
    assert isinstance(told["result"], dict)
    assert len(told["result"]["analytes"]) >= 10
    timings = told["timings"]
    assert isinstance(timings, dict)
    assert set(timings) == {"enqueue_ms", "pickup_ms", "run_ms", "total_ms"}
    assert all(ms >= 0 for ms in timings.values())


def test_without_realtime_the_sweep_finds_the_job_and_the_demo_says_so(playground: Playground) -> None:
    run = playground.run("demo", "--json", "--without-realtime")
    assert run.returncode == 0, run.stderr
    told = document(run)
    assert (told["status"], told["woken_by"]) == ("completed", "sweep")


def test_a_person_gets_a_table_with_the_disclaimer(playground: Playground) -> None:
    run = playground.run("demo")
    assert run.returncode == 0, run.stderr
    assert "Hemoglobina" in run.stdout
    assert "Não é diagnóstico" in " ".join(run.stdout.split())
    assert "woken by Supabase Realtime" in " ".join(run.stdout.split())


@pytest.mark.parametrize("sample", SAMPLES[1:])
def test_a_file_of_ones_own_works(playground: Playground, sample: str) -> None:
    with resources.as_file(resources.files("maxnutrition.samples") / sample) as path:
        run = playground.run("demo", "--json", "--image", str(path))
    assert run.returncode == 0, run.stderr
    assert document(run)["status"] == "completed"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"just text\n", "unsupported_file"), (b"\xff\xd8\xff" + bytes(40 * 1024 * 1024), "file_too_large")],
    ids=["text", "40 MB"],
)
def test_a_file_that_cannot_be_a_photo_is_refused_at_once(
    playground: Playground, tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "report.jpg"
    path.write_bytes(content)
    run = playground.run("demo", "--json", "--image", str(path))
    assert run.returncode == 2
    error = document(run)["error"]
    assert isinstance(error, dict)
    assert error["code"] == code


def test_a_meal_in_words_needs_no_key(playground: Playground) -> None:
    run = playground.run("demo", "--type", "sofia_text", "--text", "100 g de arroz e 1 ovo cozido", "--json")
    assert run.returncode == 0, run.stderr
    told = document(run)
    assert (told["type"], told["status"]) == ("sofia_text", "completed")
    assert isinstance(told["result"], dict)
    assert [item["grams"] for item in told["result"]["items"]] == [100, 50]


def test_a_plan_of_meals_needs_no_key(playground: Playground) -> None:
    run = playground.run("demo", "--type", "meal_plan")
    assert run.returncode == 0, run.stderr
    assert "Dia 7" in run.stdout
    assert "Compras:" in run.stdout


@pytest.mark.parametrize("type", ["sofia_image", "unified_assistant", "dr_vital", "whatsapp_message"])
def test_what_needs_a_model_says_which_settings_are_missing(playground: Playground, type: str) -> None:
    run = playground.run("demo", "--type", type, "--json")
    assert run.returncode == 1, run.stderr
    error = document(run)["error"]
    assert isinstance(error, dict)
    assert error["code"] == "provider_not_configured"
    assert "MAXNUTRITION_GEMINI_API_KEY" in error["message"]


def test_a_type_that_does_not_exist_is_refused_with_those_that_do(playground: Playground) -> None:
    run = playground.run("demo", "--type", "horoscope")
    assert run.returncode == 2
    assert "sofia_text" in run.stderr


def test_a_missing_file_is_named(playground: Playground) -> None:
    run = playground.run("demo", "--image", "nowhere.jpg")
    assert run.returncode == 2
    assert "nowhere.jpg: no such file" in run.stderr


def test_a_photo_of_no_report_fails_with_a_clear_reason(playground: Playground, tmp_path: Path) -> None:
    path = tmp_path / "wall.jpg"
    Image.effect_noise((800, 600), 40).convert("RGB").save(path)
    run = playground.run("demo", "--image", str(path))
    assert run.returncode == 1
    assert "not_a_lab_report" in run.stdout


@pytest.mark.parametrize("seed", range(6))
def test_ctrl_c_at_any_moment_leaves_no_process_and_no_file(playground: Playground, seed: int) -> None:
    """The signal goes to the whole group, as from a terminal; the moment is drawn from the length of a demo."""
    moment = random.Random(seed).uniform(0.1, 5.0)
    with playground.started("demo") as process:
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
        output = process.communicate(timeout=30)
        if process.returncode != -signal.SIGINT:  # Python itself was still starting
            assert process.returncode in {0, 130}, output
            assert "Traceback" not in output[1]
        assert playground.wait_until_empty() == ([], [])


def test_a_demo_that_is_killed_leaves_nothing_either(playground: Playground) -> None:
    with playground.started("demo") as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2.0)
        process.kill()
        process.wait(10)
        assert playground.wait_until_empty() == ([], [])

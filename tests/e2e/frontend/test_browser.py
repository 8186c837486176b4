"""The demo in Chromium, against a whole stack with the application's own worker."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.frontend.conftest import Visit
from tests.e2e.frontend.stage import Stage, until

SAMPLES = Path(str(resources.files("maxnutrition.samples")))
REPORT = SAMPLES / "tireoide.png"
SYNC_RESULT: dict[str, Any] = {
    "items": [],
    "totals": {"amounts": dict.fromkeys(["kcal", "protein", "carbohydrate", "fat"]), "partly_unknown": []},
    "leftovers": [],
    "confidence": 1.0,
    "warnings": ["Feito na hora."],
    "disclaimer": "Valores estimados.",
}


def send_exam(page: Page, *files: Path) -> None:
    page.get_by_label("Escolher arquivos").set_input_files(list(files or [REPORT]))
    page.get_by_role("button", name="Analisar exame").click()


def send_meal(page: Page, text: str = "2 ovos cozidos") -> None:
    page.get_by_label("Sua refeição").fill(text)
    page.get_by_role("button", name="Analisar").click()


def result_of(page: Page) -> Locator:
    return page.get_by_role("row", name="TSH")


def food_of(page: Page, name: str) -> Locator:
    """In the result: the name stands in what was written, too."""
    return page.get_by_role("listitem").filter(has_text=name)


def is_running(stage: Stage) -> bool:
    return stage.jobs("status = 'processing'") != []


def test_a_photo_of_a_report_becomes_a_table(visit: Visit, stage: Stage) -> None:
    visitor = visit()
    page = visitor.open("exame")
    send_exam(page, SAMPLES / "hemograma.jpg")

    expect(page.get_by_role("row", name="Hemoglobina")).to_be_visible()
    (job,) = stage.jobs("type = 'medical_exam'")
    assert job["status"] == "completed"
    assert page.get_by_role("row").count() == len(job["result"]["analytes"]) + 1
    assert page.evaluate("localStorage.getItem('use-async-analysis:exam-upload')") is None
    heard = [frame for frame in visitor.heard if str(job["id"]) in frame]
    assert any('"record"' in frame for frame in heard)
    assert any("analysis_jobs:" in frame for frame in heard), "the status broadcast did not arrive"


def test_photos_are_made_smaller_before_they_are_sent(visit: Visit, stage: Stage, tmp_path: Path) -> None:
    from PIL import Image  # noqa: PLC0415 - no other test draws

    large = tmp_path / "grande.jpg"
    Image.effect_noise((5000, 3000), 60).convert("RGB").save(large, quality=95)
    page = visit().open("exame")
    send_exam(page, large)
    (job,) = stage.wait_for_jobs("type = 'medical_exam'")

    path = job["input"]["files"][0]["path"]
    row = stage.database.execute("select metadata from storage.objects where name = %s", [path]).fetchone()
    assert row is not None
    assert row["metadata"]["mimetype"] == "image/jpeg"
    assert row["metadata"]["size"] < large.stat().st_size / 3
    assert path.split("/")[0] == str(job["user_id"])
    expect(page.get_by_role("alert")).to_contain_text("não parece um exame")


def test_a_meal_in_words_is_confirmed_with_other_amounts(visit: Visit) -> None:
    page = visit().open("refeicao")
    send_meal(page, "100 g de arroz branco cozido e 1 banana")
    page.get_by_role("button", name="Conferir e salvar").click()
    page.get_by_label("Gramas de Arroz branco cozido").fill("200")
    page.get_by_role("button", name="Confirmar refeição").click()

    expect(page.get_by_text("2 alimentos no diário.")).to_be_visible()


def test_a_plan_is_made_and_shown_day_by_day(visit: Visit, stage: Stage) -> None:
    page = visit().open("plano")
    page.get_by_role("button", name="Abrir meu plano").click()
    page.get_by_label("Alimentação").select_option("vegetarian")
    page.get_by_role("button", name="Gerar plano").click()

    page.get_by_role("button", name="Dia 7").click()
    expect(page.get_by_text("Almoço")).to_be_visible()
    (job,) = stage.jobs("type = 'meal_plan'")
    assert job["input"]["diet"] == "vegetarian"


def test_trends_are_read_without_a_model(visit: Visit) -> None:
    page = visit().open("tendencias")
    page.get_by_role("button", name="Analisar minhas medidas").click()

    expect(page.get_by_text("caindo")).to_be_visible()


def test_a_cancelled_job_is_cancelled_at_once(visit: Visit, stage: Stage) -> None:
    page = visit().open("exame")
    send_exam(page)
    with stage.worker.frozen_when(lambda: is_running(stage)):
        expect(page.get_by_role("progressbar")).to_be_visible()
        page.get_by_role("button", name="Cancelar").click()
        expect(page.get_by_text("Análise cancelada.")).to_be_visible()
        assert [job["status"] for job in stage.jobs()] == ["cancelled"]

    send_exam(page)
    expect(result_of(page)).to_be_visible()
    assert sorted(job["status"] for job in stage.jobs()) == ["cancelled", "completed"]


def test_a_reload_goes_on_with_the_job(visit: Visit, stage: Stage) -> None:
    page = visit().open("exame")
    send_exam(page)
    with stage.worker.frozen_when(lambda: is_running(stage)):
        page.reload()
        expect(page.get_by_role("progressbar")).to_be_visible()
        assert page.get_by_role("row").count() == 0

    expect(result_of(page)).to_be_visible()
    assert len(stage.jobs()) == 1


def test_a_modal_that_was_closed_shows_the_plan_when_it_is_opened_again(visit: Visit, stage: Stage) -> None:
    stage.worker.stop()
    page = visit().open("plano")
    page.get_by_role("button", name="Abrir meu plano").click()
    page.get_by_role("button", name="Gerar plano").click()
    expect(page.get_by_text("Na fila…")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    stage.worker.start()
    stage.wait_for_jobs("status = 'completed'")
    page.get_by_role("button", name="Abrir meu plano").click()

    expect(page.get_by_role("button", name="Dia 1")).to_be_visible()
    assert len(stage.jobs()) == 1


@pytest.mark.parametrize(
    "faults",
    [{"drop": "abort", "refuse": True}, {"drop": "close", "refuse": True}],
    ids=["cut off", "closed"],
)
def test_realtime_killed_in_the_middle_is_polled_through(visit: Visit, stage: Stage, faults: dict[str, Any]) -> None:
    page = visit(troubled=True).open("exame")
    send_exam(page)
    with stage.worker.frozen_when(lambda: is_running(stage)):
        stage.break_realtime(**faults)
        expect(page.get_by_text("Conexão instável")).to_be_visible()

    expect(result_of(page)).to_be_visible()


def test_realtime_that_falls_silent_is_found_out(visit: Visit, stage: Stage) -> None:
    """Nothing is closed and nothing is said: only the look every 15 s can know."""
    page = visit().open("refeicao")
    stage.worker.stop()
    send_meal(page)
    expect(page.get_by_text("Na fila…")).to_be_visible()
    until(lambda: stage.jobs() != [])
    stage.break_realtime(silent=True)
    stage.worker.start()

    expect(food_of(page, "Ovo")).to_be_visible()


def test_realtime_that_comes_back_is_heard_again(visit: Visit, stage: Stage) -> None:
    visitor = visit(troubled=True)
    page = visitor.open("exame")
    send_exam(page)
    with stage.worker.frozen_when(lambda: is_running(stage)):
        stage.break_realtime(drop="abort", refuse=True)
        expect(page.get_by_text("Conexão instável")).to_be_visible()
        stage.break_realtime(refuse=False)
        expect(page.get_by_text("Conexão instável")).to_have_count(0)
        visitor.heard.clear()

    expect(result_of(page)).to_be_visible()
    assert any('"record"' in frame for frame in visitor.heard)


def test_without_a_worker_and_without_another_way_it_says_so_and_waits(visit: Visit, stage: Stage) -> None:
    stage.worker.stop()
    page = visit().open("refeicao")
    send_meal(page)

    expect(page.get_by_text("Está demorando mais que o normal")).to_be_visible()
    assert [job["status"] for job in stage.jobs()] == ["pending"]
    stage.worker.start()
    expect(food_of(page, "Ovo")).to_be_visible()


def answer_synchronously(asked: list[Any], page: Page) -> None:
    """In place of the function, which has no contract with a model here: what it is asked and what comes of it."""
    headers = {"access-control-allow-origin": "*", "access-control-allow-headers": "*"}

    def answer(route: Route) -> None:
        if route.request.method != "OPTIONS":
            asked.append(json.loads(route.request.post_data or "null"))
        body = {"id": None, "status": "completed", "cached": False, "result": SYNC_RESULT}
        route.fulfill(status=200, headers=headers, json=body)

    page.route("**/functions/v1/analyze-sync", answer)


def test_without_a_worker_it_is_done_synchronously_and_no_job_is_made(visit: Visit, stage: Stage) -> None:
    stage.worker.stop()
    until(lambda: not stage.is_healthy())
    page = visit(("sofia_text",)).open("refeicao")
    asked: list[Any] = []
    answer_synchronously(asked, page)
    send_meal(page)

    expect(page.get_by_text("Feito na hora.")).to_be_visible()
    assert asked == [{"type": "sofia_text", "input": {"text": "2 ovos cozidos", "meal": None}}]
    assert stage.jobs() == []


def test_a_worker_that_leaves_before_it_began_has_the_job_cancelled_and_done_synchronously(
    visit: Visit, stage: Stage
) -> None:
    stage.database.execute("update public.analysis_flags set enabled = true")
    page = visit(("sofia_text",)).open("refeicao")
    asked: list[Any] = []
    answer_synchronously(asked, page)
    until(stage.is_healthy)
    with stage.worker.frozen_when(lambda: True):
        send_meal(page)
        stage.wait_for_jobs("status = 'pending'")
        stage.database.execute("update public.analysis_workers set heartbeat_at = now() - interval '1 hour'")
        expect(page.get_by_text("Feito na hora.")).to_be_visible()

    assert len(asked) == 1
    (job,) = stage.jobs()
    assert job["status"] == "cancelled"
    attempts = stage.database.execute("select 1 from public.analysis_attempts").fetchall()
    assert attempts == []


def test_two_tabs_show_one_job(visit: Visit, stage: Stage) -> None:
    visitor = visit()
    first = visitor.open("exame")
    send_exam(first)
    with stage.worker.frozen_when(lambda: is_running(stage)):
        second = visitor.open("exame")
        expect(second.get_by_role("progressbar")).to_be_visible()

    for page in (first, second):
        expect(result_of(page)).to_be_visible()
    assert len(stage.jobs()) == 1


def test_nobody_sees_the_job_of_somebody_else_in_any_frame(visit: Visit, stage: Stage) -> None:
    somebody, other = visit(), visit()
    theirs = other.open("refeicao")
    stage.worker.stop()
    send_meal(theirs, "3 bananas")  # keeps the other one listening all the while
    (other_job,) = stage.wait_for_jobs("status = 'pending'")
    page = somebody.open("exame")
    send_exam(page)
    (job,) = stage.wait_for_jobs("type = 'medical_exam'")
    stage.worker.start()
    expect(result_of(page)).to_be_visible()
    expect(food_of(theirs, "Banana")).to_be_visible()

    assert any(str(job["id"]) in frame for frame in somebody.heard)
    assert any(str(other_job["id"]) in frame for frame in other.heard)
    assert not any(str(job["id"]) in frame or str(job["user_id"]) in frame for frame in other.heard)
    assert not any(str(other_job["id"]) in frame for frame in somebody.heard)


def test_who_knows_the_id_of_a_job_still_learns_nothing_of_it(visit: Visit, stage: Stage) -> None:
    stage.worker.stop()
    page = visit().open("exame")
    send_exam(page)
    (job,) = stage.wait_for_jobs("status = 'pending'")
    nosy = visit(troubled=True)  # the browser itself notes the 404
    theirs = nosy.open("exame")
    theirs.get_by_label("Escolher arquivos").wait_for(state="attached")
    theirs.evaluate("id => localStorage.setItem('use-async-analysis:exam-upload', id)", str(job["id"]))
    theirs.reload()
    expect(theirs.get_by_label("Escolher arquivos")).to_be_enabled()
    until(lambda: theirs.evaluate("localStorage.getItem('use-async-analysis:exam-upload')") is None)
    stage.worker.start()
    expect(result_of(page)).to_be_visible()

    assert not any('"record"' in frame or str(job["user_id"]) in frame for frame in nosy.heard)
    assert theirs.get_by_role("row").count() == 0

"""What an attempt leaves for the next one."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.sql.factories import Queue, call, refused


def saved(queue: Queue) -> list[object]:
    return [data for (data,) in queue.owner.execute("select data from public.analysis_checkpoints").fetchall()]


def test_the_latest_checkpoint_replaces_the_one_before(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    worker = queue.worker()
    for page in (1, 2):
        answer = call(worker, "save_checkpoint", job_id=job_id, lease_id=lease_id, data={"page": page})
        assert (answer["status"], answer["lease"]) == ("processing", "held")
    assert saved(queue) == [{"page": 2}]


def test_a_stale_lease_saves_nothing_and_is_told_so(queue: Queue) -> None:
    job_id, _ = queue.new_claimed_job()
    answer = call(queue.worker(), "save_checkpoint", job_id=job_id, lease_id=uuid4(), data={"page": 1})
    assert answer["lease"] == "lost"
    assert saved(queue) == []


@pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
def test_a_job_that_ends_drops_its_checkpoint(queue: Queue, end: str) -> None:
    job_id, lease_id = queue.new_claimed_job()
    worker, lease = queue.worker(), {"job_id": job_id, "lease_id": lease_id}
    call(worker, "save_checkpoint", **lease, data={"page": 1})
    match end:
        case "complete":
            call(worker, "complete_job", **lease, result={})
        case "fail":
            call(worker, "fail_job", **lease, error={"code": "c", "message": "m"}, retryable=False)
        case "cancel":
            call(worker, "cancel_analysis", job_id=job_id)
    assert saved(queue) == []


def test_a_job_that_is_tried_again_keeps_it(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    worker, lease = queue.worker(), {"job_id": job_id, "lease_id": lease_id}
    call(worker, "save_checkpoint", **lease, data={"page": 1})
    call(worker, "fail_job", **lease, error={"code": "c", "message": "m"}, retryable=True)
    assert saved(queue) == [{"page": 1}]


def test_what_is_too_large_or_nothing_is_refused(queue: Queue) -> None:
    job_id, lease_id = queue.new_claimed_job()
    worker = queue.worker()
    with refused("PT413", "checkpoint is too large"):
        call(worker, "save_checkpoint", job_id=job_id, lease_id=lease_id, data={"x": "x" * 262_144})
    with refused("PT400", "data is required"):
        worker.execute("select public.save_checkpoint(%s, %s, null)", [job_id, lease_id])

"""What the diagrams show. Run as a module it writes them beside itself."""

from __future__ import annotations

from pathlib import Path

from docs.diagrams.canvas import Canvas

DIRECTORY = Path(__file__).parent


def architecture() -> Canvas:
    canvas = Canvas(860, 460, "Browser, Supabase and workers, and what they say to each other.")
    canvas.box((20, 50), (150, 330), "Browser", "useAsyncAnalysis,", "or any client")
    canvas.box((700, 62), (150, 330), "")
    canvas.box(
        (690, 50),
        (150, 330),
        "Worker",
        "listener: hears",
        "dispatcher: claims",
        "executor: runs, settles",
        "heartbeat: a thread",
        "reconciler: sweeps",
        "",
        "handlers of the app:",
        "models, OCR, foods",
        kind="ours",
    )
    canvas.words((765, 412), "as many as you like", kind="note", anchor="middle")
    _add_supabase(canvas)
    canvas.arrow((170, 75), (300, 75))
    canvas.words((180, 68), "or plain HTTP", kind="note")
    canvas.arrow((362, 100), (362, 140))
    canvas.arrow((170, 165), (300, 165), both=True)
    canvas.words((180, 158), "enqueue, status", kind="note")
    canvas.arrow((690, 75), (560, 75), both=True)
    canvas.words((625, 68), "files", kind="note", anchor="middle")
    canvas.arrow((690, 165), (560, 165), both=True)
    canvas.words((625, 142), "claim, settle,", "heartbeat", kind="note", anchor="middle")
    canvas.arrow((430, 190), (430, 225), both=True)
    canvas.arrow((430, 330), (430, 370))
    canvas.words((440, 354), "log, realtime.send", kind="note")
    canvas.arrow((300, 372), (170, 372), kind="hint")
    canvas.words((235, 364), "it changed", kind="note", anchor="middle")
    canvas.arrow((560, 372), (690, 372), kind="hint")
    canvas.words((625, 364), "new job", kind="note", anchor="middle")
    canvas.words((20, 412), "solid: requests, the truth", "dashed: hints, may be lost", kind="note")
    return canvas


def _add_supabase(canvas: Canvas) -> None:
    canvas.zone((280, 15), (300, 425), "Supabase")
    canvas.box((300, 50), (125, 50), "Edge Functions", "optional", kind="ours")
    canvas.box((440, 50), (120, 50), "Storage", "input files")
    canvas.box((300, 140), (260, 50), "PostgREST", "one RPC for every transition")
    canvas.box(
        (300, 225),
        (260, 105),
        "PostgreSQL",
        "SQL functions, triggers, CHECKs",
        "analysis_jobs: published",
        "_queue, _attempts, _workers: not",
        "row level security",
        kind="ours",
    )
    canvas.box((300, 370), (260, 50), "Realtime", "changes of rows, broadcasts")


def states() -> Canvas:
    canvas = Canvas(860, 330, "The statuses of a job and what leads from one to the next.")
    canvas.box((60, 130), (150, 60), "pending", "waits for scheduled_at")
    canvas.box((370, 130), (150, 60), "processing", "under a lease", kind="ours")
    canvas.box((690, 40), (130, 50), "completed", "result", kind="end")
    canvas.box((690, 135), (130, 50), "failed", "error", kind="end")
    canvas.box((690, 240), (130, 50), "cancelled", kind="end")
    canvas.arrow((10, 160), (60, 160))
    canvas.words((8, 150), "enqueue", kind="note")
    canvas.arrow((210, 150), (370, 150))
    canvas.words((290, 143), "claim: attempt + 1", kind="note", anchor="middle")
    canvas.arrow((370, 175), (210, 175))
    canvas.words(
        (290, 192),
        "retry after a backoff",
        "deferred, released:",
        "attempt given back",
        "worker lost: rescued",
        kind="note",
        anchor="middle",
    )
    canvas.arrow((520, 145), (610, 145), (610, 65), (690, 65))
    canvas.words((618, 58), "complete", kind="note")
    canvas.arrow((520, 160), (690, 160))
    canvas.words((530, 176), "permanent, last attempt,", "too many rescues", kind="note")
    canvas.arrow((445, 190), (445, 255), (690, 255))
    canvas.words((455, 248), "cancel: lease revoked", kind="note")
    canvas.arrow((135, 190), (135, 275), (690, 275))
    canvas.words((145, 292), "cancel", kind="note")
    canvas.arrow((445, 90), (445, 130))
    canvas.words(
        (445, 68),
        "the deadline passes: the worker ends it,",
        "or the reconciler a while later",
        kind="note",
        anchor="middle",
    )
    canvas.arrow((755, 185), (755, 212), (660, 212), (660, 310), (30, 310), (30, 176), (60, 176))
    canvas.words((240, 305), "replay: from its first attempt (cancelled jobs too)", kind="note")
    return canvas


def life() -> Canvas:
    canvas = Canvas(860, 520, "The life of a job, from the browser's request to the result, step by step.")
    columns = {"Browser": 90, "PostgreSQL": 340, "Realtime": 570, "Worker": 770}
    for name, x in columns.items():
        canvas.box((x - 65, 15), (130, 34), name, kind="ours" if name in {"Worker", "PostgreSQL"} else "box")
        canvas.dashes((x, 49), (x, 505))
    browser, database, realtime, worker = columns.values()
    steps = [
        (browser, database, "enqueue_analysis: checked, queued", "line"),
        (database, browser, "id, in milliseconds", "line"),
        (database, realtime, "doorbell and row, at commit", "hint"),
        (realtime, worker, "new job: wake", "hint"),
        (worker, database, "claim_job under a new lease", "line"),
        (database, worker, "the job, its deadline", "line"),
        (worker, database, "report_progress", "line"),
        (database, browser, "row changed, over Realtime", "hint"),
        (worker, database, "heartbeat_worker, every 8 s: which leases are gone?", "line"),
        (worker, database, "complete_job under the lease", "line"),
        (database, browser, "ended: broadcast, and row changed", "hint"),
        (browser, database, "get_analysis_status: the result", "line"),
    ]
    for number, (start, end, text, kind) in enumerate(steps):
        y = 84 + number * 36
        inset = 4 if end > start else -4
        canvas.arrow((start + inset, y), (end - inset, y), kind=kind)
        canvas.words(((start + end) / 2, y - 7), text, kind="note", anchor="middle")
    return canvas


DIAGRAMS = {"architecture.svg": architecture, "states.svg": states, "life.svg": life}


def main() -> None:
    for name, draw in DIAGRAMS.items():
        (DIRECTORY / name).write_text(draw().to_svg(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""No key and nobody's number in a log, whoever logged it, and nothing else taken away."""

from __future__ import annotations

import json
import logging
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from analysis_worker.logs import configure_logging
from analysis_worker.redaction import redacted

SECRETS = [
    "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl",
    "sb_secret_t6tZ0ZaX7QuMZxSY_kxFAiQLYkNer7Tz",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "Bearer abcdef0123456789",
    "https://x.supabase.co/storage/v1/object/sign/a/b.jpg?token=abc.def&download=1",
    "https://generativelanguage.googleapis.com/v1/models?key=notAIzaButAKey",
    "postgresql://postgres:hunter22@db.example.co:5432/postgres",
    "maria.silva+exames@example.com.br",
    "123.456.789-09",
    "12345678909",
    "(11) 98765-4321",
    "+55 11 98765-4321",
    "5511987654321",
]
HARMLESS = [
    "settled in 1234 ms, 98.7 % of 15000",
    "2026-11-26T02:20:25.123456+00:00",
    "claim_job: HTTP 503 PGRST002",
    "worker vm-1a2b3c4d-966a06f7",
    "hematocrit 45,6 % [40,0, 54,0]",
    "gemini-3.5-flash-lite 1.000.000 tokens",
    "http://127.0.0.1:54321/rest/v1/rpc/claim_job",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_secret_or_personal_is_taken_out(secret: str) -> None:
    told = redacted(f"failed for {secret}: again")
    assert "[" in told
    for part in ("eyJ", "sb_secret_t", "AIzaSy", "sk-proj", "abc.def", "AKey", "hunter22", "maria", "4321", "78909"):
        assert part not in told
    assert told.startswith("failed for ")
    assert told.endswith(": again")


@pytest.mark.parametrize("text", [*HARMLESS, str(uuid4())])
def test_what_is_neither_stays(text: str) -> None:
    assert redacted(text) == text


@given(st.uuids())
def test_ids_in_messages_stay(job_id: object) -> None:
    assert redacted(f"job {job_id} ended") == f"job {job_id} ended"


@given(st.text())
def test_any_text_is_read_once(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_lines_of_ours_and_of_libraries_and_tracebacks_are_redacted(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = "12345678-1234-4234-8234-123456789012"
    configure_logging(log_format, "INFO")
    try:
        logger.bind(job_id=job_id, error="maria@example.com").warning("refused sb_secret_abcdefgh")
        logging.getLogger("some.library").warning("GET https://x/y?token=abcdefgh")
        try:
            int("CPF 123.456.789-09")
        except ValueError as error:
            logger.opt(exception=error).error("raised")
    finally:
        logger.remove()
    told = capsys.readouterr().err
    for secret in ("maria", "abcdefgh", "123.456"):
        assert secret not in told
    assert job_id in told
    assert "[cpf]" in told
    if log_format == "json":
        events = [json.loads(line)["event"] for line in told.splitlines()]
        assert events == ["refused [key]", "GET https://x/y?token=[token]", "raised"]

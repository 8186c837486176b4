import subprocess
import sys
from importlib import resources
from uuid import uuid4

import pytest
import respx
from pydantic import SecretStr

from analysis_worker import Handler, JobContext, PermanentError, Settings
from analysis_worker.handlers import by_type
from maxnutrition.app import app
from maxnutrition.contracts.medical_exam import MedicalExamInput, MedicalExamResult
from tests.unit.maxnutrition.fakes import context_for, exam_job

pytestmark = pytest.mark.anyio

URL = "http://127.0.0.1:54321"
REQUEST = MedicalExamInput.model_validate({"files": [{"bucket": "analysis-inputs", "path": "u/exame.png"}]})


async def run(content: bytes, context: JobContext) -> MedicalExamResult:
    settings = Settings(supabase_url=URL, supabase_key=SecretStr("key"))
    with respx.mock(base_url=URL) as router:
        router.get("/storage/v1/object/analysis-inputs/u/exame.png").respond(content=content)
        async with app(settings) as handlers:
            handler = by_type(handlers)["medical_exam"]
            assert isinstance(handler, Handler)
            result = await handler.run(REQUEST, context)
    assert isinstance(result, MedicalExamResult)
    return result


async def test_a_stored_photo_becomes_a_result_with_progress() -> None:
    pytest.importorskip("rapidocr", reason="needs the extra analysis-worker[ocr]")
    context, heard = context_for(exam_job(uuid4()))
    content = (resources.files("maxnutrition.samples") / "tireoide.png").read_bytes()
    result = await run(content, context)
    assert result.exam_kind == "tireoide"
    assert heard.phases == ["baixando", "lendo página 1 de 1", "conferindo", "interpretando"]
    assert [share for share, _ in heard.progress] == sorted(share for share, _ in heard.progress)
    assert MedicalExamResult.model_validate_json(result.model_dump_json()) == result


async def test_a_file_that_is_no_image_fails_for_good() -> None:
    context, _ = context_for(exam_job(uuid4()))
    with pytest.raises(PermanentError) as caught:
        await run(b"PK\x03\x04 an archive", context)
    assert caught.value.code == "unsupported_file"


def test_the_package_imports_where_the_extra_is_missing() -> None:
    blocked = "import sys; sys.modules.update(rapidocr=None, onnxruntime=None, cv2=None); "
    ran = subprocess.run(
        [sys.executable, "-c", f"{blocked}import maxnutrition.app"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr

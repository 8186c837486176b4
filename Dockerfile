# A worker with the analyses of MaxNutrition. For an application of your own: see docs/deployment.md.
#
#     docker build -t analysis-worker .
#     docker run --env-file .env --read-only --tmpfs /tmp analysis-worker

ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/worker UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --quiet uv
WORKDIR /build
# What it depends on, which changes seldom, before what it is.
COPY pyproject.toml uv.lock README.md ./
COPY benchmarks/pyproject.toml benchmarks/
RUN /opt/uv/bin/uv sync --locked --no-dev --extra dashboard --extra maxnutrition --extra metrics --no-install-project
COPY src src
COPY supabase/migrations supabase/migrations
RUN /opt/uv/bin/uv sync --locked --no-dev --extra dashboard --extra maxnutrition --extra metrics --no-editable

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin worker
COPY --from=build /opt/worker /opt/worker
ENV PATH=/opt/worker/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ANALYSIS_WORKER_LOG_FORMAT=json \
    ANALYSIS_WORKER_PORT=8080 \
    ANALYSIS_WORKER_BIND_ADDRESS=0.0.0.0
USER 10001
WORKDIR /tmp
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/livez', timeout=4)"]
# SIGTERM drains: running jobs have ANALYSIS_WORKER_GRACE_SECONDS (25) to finish. Give the container 40 s to stop.
STOPSIGNAL SIGTERM
ENTRYPOINT ["analysis-worker"]
CMD ["run", "--app", "maxnutrition.app:app"]

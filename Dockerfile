# A worker with the analyses of MaxNutrition. For an application of your own: see docs/deployment.md.
#
#     docker build -t analysis-worker .
#     docker run --env-file .env --read-only --tmpfs /tmp --stop-timeout 40 analysis-worker

ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/worker UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --quiet uv
WORKDIR /build
COPY pyproject.toml uv.lock README.md ./
COPY benchmarks/pyproject.toml benchmarks/
# A tenth of what the packages bring are their own tests.
RUN /opt/uv/bin/uv sync --locked --no-dev --all-extras --no-extra local --no-install-project \
    && find /opt/worker -type d -name tests -prune -exec rm -r {} + \
    && cd /opt/worker/lib/python3*/site-packages && echo /opt/own > own.pth
COPY src src
COPY supabase/migrations supabase/migrations
RUN /opt/uv/bin/uv pip install --no-deps --python /opt/worker --target /opt/own .

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin worker
# What changes seldom is a layer of its own, so that a new version of ours is a few megabytes to fetch.
COPY --from=build /opt/worker /opt/worker
COPY --from=build /opt/own /opt/own
ENV PATH=/opt/own/bin:/opt/worker/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ANALYSIS_WORKER_LOG_FORMAT=json \
    ANALYSIS_WORKER_PORT=8080 \
    ANALYSIS_WORKER_BIND_ADDRESS=0.0.0.0
USER 10001
WORKDIR /tmp
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['ANALYSIS_WORKER_PORT'] + '/livez', timeout=4)"]
# SIGTERM drains: running jobs have ANALYSIS_WORKER_GRACE_SECONDS (25) to finish. Give the container 40 s to stop.
STOPSIGNAL SIGTERM
ENTRYPOINT ["analysis-worker"]
CMD ["run", "--app", "maxnutrition.app:app"]

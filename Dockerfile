# syntax=docker/dockerfile:1
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
# Time stamps inside the wheel; with the same sources and hatchling the wheel is the same bytes.
ARG SOURCE_DATE_EPOCH=1735689600
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# The wheel is compiled; --build-arg LLMSIM_COMPILE=0 leaves it as source, which does the same.
ARG LLMSIM_COMPILE=1
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY llmsim llmsim
RUN ["pip", "wheel", "--no-deps", "--wheel-dir", "/wheels", "."]
# Every command and every endpoint: with the terminal dashboard and images, without load tests.
RUN python -m venv /opt/llmsim && set -- /wheels/*.whl && \
    /opt/llmsim/bin/pip install "$1[tui,images,tls]"

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="llmsim" \
      org.opencontainers.image.description="An LLM traffic simulator" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/llmsim /opt/llmsim
ENV PATH=/opt/llmsim/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import http.client as h, ssl\nfor c in h.HTTPConnection('127.0.0.1', 8080, timeout=1), h.HTTPSConnection('127.0.0.1', 8080, timeout=1, context=ssl._create_unverified_context()):\n try:\n  c.request('GET', '/health')\n  raise SystemExit(c.getresponse().status != 200)\n except (OSError, h.HTTPException):\n  pass\nraise SystemExit(1)"]
ENTRYPOINT ["llmsim"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]

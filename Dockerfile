# Perfcast's images: api (the default), worker and ui; beside them test and sbom. How they are used: docs/how-to/containers.md
#   docker build -t cnn-predictor .
#   docker build --target worker -t perfcast-worker .
# Libraries are in /opt/perfcast, our own code in /app/lib; only /app/var and /tmp are written to.
ARG BASE_IMAGE=python:3.13-slim-bookworm

# Wheels that no index has: docker build --build-context wheels=FOLDER
FROM scratch AS wheels
COPY LICENSE /

FROM ${BASE_IMAGE} AS base
# procps: `top`, as operators expect it.
# hadolint ignore=DL3008
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends procps \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin perfcast \
    && install -d -o perfcast -g perfcast /app/var && install -d /app/CNN_Algorithms
ENV PATH=/app/lib/bin:/opt/perfcast/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOME=/tmp DATA_DIR=/app/var MODELS_DIR=/app/CNN_Algorithms API_HOST=0.0.0.0 UI_HOST=0.0.0.0
WORKDIR /app

# What installs: uv, and the sources of packages as build arguments, of which nothing stays in an image.
FROM base AS install
ARG UV_VERSION=0.13.9 UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL PIP_INDEX_URL
ENV UV_CACHE_DIR=/root/.cache/uv UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_PROGRESS=1 UV_FIND_LINKS=/wheels VIRTUAL_ENV=/opt/perfcast
RUN python3 -m venv /uv && /uv/bin/python -m pip install -q --no-cache-dir --disable-pip-version-check uv==${UV_VERSION} \
    && ln -s /uv/bin/uv /usr/local/bin/uv && uv venv -q --python python3 /opt/perfcast \
    && python -c 'import site; open(site.getsitepackages()[0] + "/app.pth", "w").write("/app/lib\n")' \
    && echo "perfcast-client; python_version < '3'" > /not-from-an-index
# Only what names libraries, so that a change of code leaves this layer as it is.
COPY pyproject.toml requirements.txt requirements-torch.txt requirements-dev.txt ./
COPY packages/perfcast-client/pyproject.toml packages/perfcast-client/
ENV LOCKED="uv pip install -q -r pyproject.toml -r packages/perfcast-client/pyproject.toml --override /not-from-an-index -c requirements.txt -c requirements-torch.txt"

FROM install AS api-libraries
# hadolint ignore=DL3003
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,from=wheels,target=/wheels \
    $LOCKED --extra serve --extra otel --extra s3 && uv pip install -q -c requirements-dev.txt pytest \
    && cd /opt/perfcast/lib/python3*/site-packages/pyarrow && rm -rf tests include src

FROM install AS worker-libraries
# Which of PyTorch's builds: uv's names (cpu, cu128, …). A wheel of it in `wheels` goes before.
ARG UV_TORCH_BACKEND=cpu
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,from=wheels,target=/wheels \
    if ls /wheels/torch-*.whl >/dev/null 2>&1; then unset UV_TORCH_BACKEND; fi; \
    $LOCKED --extra serve --extra train --extra cluster --extra otel --extra report --extra s3

FROM install AS ui-libraries
# hadolint ignore=DL3003
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,from=wheels,target=/wheels \
    $LOCKED --extra ui \
    && cd /opt/perfcast/lib/python3*/site-packages/pyarrow && rm -rf tests include src

FROM install AS code
COPY README.md LICENSE ./
COPY packages packages
COPY src src
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,from=wheels,target=/wheels \
    uv pip install -q --no-deps --target /app/lib . ./packages/perfcast-client

# docker build --target test . : the whole suite, with its real servers; --build-arg TESTS=tests/unit for a part
FROM worker-libraries AS test
ARG TESTS=tests
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,from=wheels,target=/wheels \
    if ls /wheels/torch-*.whl >/dev/null 2>&1; then unset UV_TORCH_BACKEND; fi; \
    $LOCKED --extra all --group dev -c requirements-dev.txt
COPY tests/install-services tests/
COPY tests/unit/deploy/crds tests/unit/deploy/crds
# hadolint ignore=DL3008
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends git make \
    && tests/install-services && rm -rf /var/lib/apt/lists/*
COPY . .
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,from=wheels,target=/wheels \
    uv pip install -q --no-deps -e . -e packages/perfcast-client \
    && unset DATA_DIR MODELS_DIR API_HOST UI_HOST && python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder $TESTS

# docker build --target sbom --output sbom . : what the three images are made of, and under which licences
FROM install AS list
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,from=wheels,target=/wheels \
    uv venv -q /list && VIRTUAL_ENV=/list uv pip install -q cyclonedx-bom==7.5.0 pip-licenses==5.5.5
COPY --from=api-libraries /opt/perfcast /images/api
COPY --from=worker-libraries /opt/perfcast /images/worker
COPY --from=ui-libraries /opt/perfcast /images/ui
RUN mkdir /sbom && for image in api worker ui; do \
      /list/bin/cyclonedx-py environment /images/$image --of JSON -o /sbom/$image.cdx.json \
      && /list/bin/pip-licenses --python /images/$image/bin/python --order license > /sbom/$image-licences.txt || exit 1; \
    done
FROM scratch AS sbom
COPY --from=list /sbom /

FROM base AS ready
ARG VERSION=0.1.0 REVISION=unknown
LABEL org.opencontainers.image.title="Perfcast" \
      org.opencontainers.image.description="Learns what a workload will cost before it runs, and serves that knowledge" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
USER 10001:10001
VOLUME /app/var

FROM ready AS worker
COPY --from=worker-libraries /opt/perfcast /opt/perfcast
COPY --from=code /app/lib /app/lib
# Listens on nothing that a HEALTHCHECK could ask (Kubernetes and ECS have no probe of it either): it ends when it can't go
# on, and is started again; a job that stands still is given to another worker (JOB_STALE_SECONDS).
CMD ["perfcast", "worker"]

FROM ready AS ui
COPY --from=ui-libraries /opt/perfcast /opt/perfcast
COPY --from=code /app/lib /app/lib
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-SIc", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["perfcast", "ui"]

# Last, so that it is what `docker build .` makes. Without a learning library; with a check of itself: python -m pytest
FROM ready AS api
COPY --from=api-libraries /opt/perfcast /opt/perfcast
COPY --from=code /app/lib /app/lib
COPY tests/stack/image.py /app/test_image.py
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-SIc", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
CMD ["perfcast", "serve"]

# Four images from one file: `--target bot` (no torch), `--target inference` (no discord.py), in its
# place without a GPU `--target cpu` (llama.cpp, no torch), and `--target sandbox` (where models'
# programs run).

# deploy/pin.sh asks for its digest: docker compose build --build-arg PYTHON_IMAGE
ARG PYTHON_IMAGE=python:3.12-slim
# What changes from version to version. Images install it after their packages, so that an upgrade
# installs no package anew.
FROM scratch AS code
COPY pyproject.toml README.md LICENSE ./
COPY common ./common
COPY jobqueue ./jobqueue
COPY bot ./bot
COPY inference ./inference
COPY playground/__init__.py ./playground/__init__.py
COPY bench/__init__.py ./bench/__init__.py

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --system --uid 10001 --create-home commonroom
WORKDIR /app
# Every package by its hash (`make lock`); what builds ours is among them, so no index is asked.
COPY deploy/requirements /requirements

FROM base AS bot
# Chinese in formulas and tables is drawn from the machine's fonts; libseccomp2 confines the
# processes that read files.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-wqy-microhei libseccomp2 \
    && rm -rf /var/lib/apt/lists/*
RUN pip install --require-hashes -r /requirements/bot.txt
RUN --mount=type=bind,from=code,target=/app,rw pip install --no-deps --no-build-isolation .
USER 10001
ENTRYPOINT ["python", "-m", "bot"]

FROM base AS inference
# The default torch wheel brings CUDA along; the host needs only the driver. Triton builds a C
# program for each of its kernels, with the headers that this Python image has.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev bubblewrap libseccomp2 \
    && rm -rf /var/lib/apt/lists/*
# lagent without its dependencies, for the reason that pyproject.toml gives.
RUN pip install --require-hashes -r /requirements/inference.txt && \
    pip install --require-hashes --no-deps -r /requirements/lagent.txt
RUN --mount=type=bind,from=code,target=/app,rw pip install --no-deps --no-build-isolation .
# A new volume takes its owner from the folder that it covers.
RUN install -d -o commonroom /models /home/commonroom/.cache
USER 10001
ENV COMMONROOM_MODELS=/models
VOLUME /models
ENTRYPOINT ["python", "-m", "inference"]
CMD ["serve"]

FROM base AS cpu
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap libgomp1 libseccomp2 \
    && rm -rf /var/lib/apt/lists/*
RUN pip install --require-hashes -r /requirements/cpu.txt && \
    pip install --require-hashes --no-deps -r /requirements/lagent.txt
RUN --mount=type=bind,from=code,target=/app,rw pip install --no-deps --no-build-isolation .
RUN install -d -o commonroom /models /home/commonroom/.cache
USER 10001
ENV COMMONROOM_MODELS=/models INFERENCE_ENGINE=llamacpp
VOLUME /models
ENTRYPOINT ["python", "-m", "inference"]
CMD ["serve"]

# Programs have an interpreter of their own, with a copy of what they may import. The image keeps
# the copy alone.
FROM base AS programs
RUN pip install --require-hashes -r /requirements/sandbox.txt
RUN --mount=type=bind,from=code,target=/app,rw pip install --no-deps --no-build-isolation .
RUN COMMONROOM_SANDBOX=/opt/sandbox python -m inference.sandbox install

FROM base AS sandbox
RUN apt-get update && apt-get install -y --no-install-recommends libseccomp2 \
    && rm -rf /var/lib/apt/lists/*
RUN pip install --require-hashes -r /requirements/sandbox.txt && \
    pip uninstall -y contourpy fonttools kiwisolver matplotlib mpmath numpy pillow sympy
RUN --mount=type=bind,from=code,target=/app,rw pip install --no-deps --no-build-isolation .
COPY --from=programs /opt/sandbox /opt/sandbox
ENV COMMONROOM_SANDBOX=/opt/sandbox
RUN install -d -o 60700 -g 60700 /run/sandbox
USER 60700:60700
ENTRYPOINT ["python", "-m", "inference.sandbox"]
CMD ["serve", "--socket", "/run/sandbox/sandbox.sock", "--mode", "666"]

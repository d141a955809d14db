# Three images from one file: `--target bot` (no torch), `--target inference` (no discord.py) and
# `--target sandbox` (neither: where models' programs run).

FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --system --uid 10001 --create-home commonroom
WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY jobqueue ./jobqueue
COPY bot ./bot
COPY inference ./inference
COPY playground/__init__.py ./playground/__init__.py
COPY bench/__init__.py ./bench/__init__.py

FROM base AS bot
# Chinese in formulas and tables is drawn from the machine's fonts.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-wqy-microhei \
    && rm -rf /var/lib/apt/lists/*
RUN pip install '.[bot]'
USER 10001
ENTRYPOINT ["python", "-m", "bot"]

FROM base AS inference
# The default torch wheel brings CUDA along; the host needs only the driver. Triton builds a C
# program for each of its kernels, with the headers that this Python image has.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev bubblewrap libseccomp2 \
    && rm -rf /var/lib/apt/lists/*
# lagent without its dependencies, for the reason that pyproject.toml gives.
RUN pip install '.[inference,models,agent,ocr,sandbox]' && pip install --no-deps lagent==0.5.0rc3
# A new volume takes its owner from the folder that it covers.
RUN install -d -o commonroom /models /home/commonroom/.cache
USER 10001
ENV COMMONROOM_MODELS=/models
VOLUME /models
ENTRYPOINT ["python", "-m", "inference"]
CMD ["serve"]

FROM base AS sandbox
RUN apt-get update && apt-get install -y --no-install-recommends libseccomp2 \
    && rm -rf /var/lib/apt/lists/*
RUN pip install '.[sandbox]'
ENV COMMONROOM_SANDBOX=/opt/sandbox
RUN python -m inference.sandbox install && install -d -o 60700 -g 60700 /run/sandbox
USER 60700:60700
ENTRYPOINT ["python", "-m", "inference.sandbox"]
CMD ["serve", "--socket", "/run/sandbox/sandbox.sock", "--mode", "666"]

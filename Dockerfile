# Recollect from this tree. It listens on the loopback address alone, so run it by compose.yaml,
# which shares the host's network; docs/service.md says how it is reached, and what is unproven.
FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir "hatchling>=1.27"
WORKDIR /source
COPY pyproject.toml README.md LICENSE recollect.py ./
COPY indexer indexer
COPY retriever retriever
COPY model model
COPY web web
RUN python -m hatchling build -t wheel -d /dist

FROM python:3.11-slim-bookworm
# An index with torch for processors alone saves the gigabytes of its CUDA libraries:
# docker compose build --build-arg PIP_EXTRA_INDEX_URL=...
ARG PIP_EXTRA_INDEX_URL
# The owner of the index, and whoever may read the folder that is mounted.
ARG UID=1000
COPY constraints.txt /tmp/constraints.txt
COPY --from=build /dist /tmp/dist
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt /tmp/dist/*.whl \
 && rm -r /tmp/dist /tmp/constraints.txt \
 && useradd --uid "$UID" --create-home recollect \
 && install --directory --owner "$UID" --mode 0700 /data
USER recollect
ENV RECOLLECT_DATA=/data/index RECOLLECT_MODELS=/data/models PYTHONUNBUFFERED=1
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["recollect"]
CMD ["serve", "/library"]

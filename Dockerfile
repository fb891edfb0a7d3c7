# The exporter as an image. Alone it listens on its own loopback only; compose.yaml gives it a config that listens.
# The full image has the C compiler that the slim one has not.
FROM python:3.13.14-trixie AS build
# requirements-demo.lock adds what the demo's traffic needs.
ARG LOCK="requirements.lock"
RUN python -m venv --without-pip /opt/llmq
WORKDIR /src
COPY requirements.lock requirements-demo.lock ./
RUN pip --python /opt/llmq/bin/python install --disable-pip-version-check --require-hashes --requirement $LOCK
COPY pyproject.toml README.md LICENSE ./
COPY exporter exporter
COPY alerts/runbooks alerts/runbooks
RUN pip --python /opt/llmq/bin/python install --disable-pip-version-check --no-deps --no-build-isolation .
RUN pip --python /opt/llmq/bin/python uninstall --disable-pip-version-check --yes setuptools
RUN mkdir -p /var/lib/llmq

FROM python:3.13.14-slim-trixie
# A virtual environment works only where it was made, so it keeps its path.
COPY --from=build /opt/llmq /opt/llmq
COPY --from=build --chown=65532:65532 /var/lib/llmq /var/lib/llmq
ENV PATH=/opt/llmq/bin:$PATH
USER 65532:65532
WORKDIR /var/lib/llmq
EXPOSE 4317 4318
ENTRYPOINT ["llmq"]
CMD ["serve"]

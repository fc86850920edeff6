# The project and its locked environment, for docker-compose.yaml. Build it with:
#   docker compose build --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
# To pin the base by content as well, give PYTHON_IMAGE=python:3.11.14-slim-bookworm@sha256:…
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG UV_VERSION=0.13.9
# Optional parts: server (Airflow's users and roles) and celery are what docker-compose.yaml needs; spark brings a JRE.
ARG EXTRAS="server celery s3"
ARG SOURCE_DATE_EPOCH=1764288000
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir --no-compile --disable-pip-version-check "uv==${UV_VERSION}"
WORKDIR /opt/dti
# Dependencies first: they change less often than the project. Of the embedded PostgreSQL the image uses pg_dump and
# pg_restore, which Debian has only of an older version.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --locked --no-default-groups --no-install-project $(printf -- ' --extra %s' ${EXTRAS})
COPY src src
RUN uv sync --locked --no-default-groups $(printf -- ' --extra %s' ${EXTRAS}) && \
    python -m compileall -q --invalidation-mode unchecked-hash src

FROM ${PYTHON_IMAGE}
ARG EXTRAS="server celery s3"
ARG SOURCE_DATE_EPOCH=1764288000
# Spark needs Java 17. Debian's newest patch is taken, so such an image is not the same byte for byte tomorrow.
RUN case " ${EXTRAS} " in *" spark "*) \
      apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless && \
      rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/apt /var/log/dpkg.log ;; esac
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin dti && \
    install -d -o dti -g dti -m 0750 /var/lib/dti /home/dti/airflow && rm -f /var/log/lastlog /var/log/faillog
WORKDIR /opt/dti
COPY --from=build /opt/dti /opt/dti
COPY expectations expectations
COPY include include
COPY migrations migrations
COPY plugins plugins
COPY dags dags
COPY sandbox sandbox
ENV PATH=/opt/dti/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRFLOW_HOME=/home/dti/airflow \
    DTI_PROJECT=/opt/dti \
    DTI_HOME=/var/lib/dti
USER dti
VOLUME /var/lib/dti
CMD ["dti", "--help"]

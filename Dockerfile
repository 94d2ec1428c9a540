# The product as one image: web, worker, timer and management commands differ only in the command.

FROM python:3.11-slim-bookworm AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN pip install --no-cache-dir --root-user-action ignore uv==0.13.9 && uv venv /venv
COPY requirements.txt /tmp/requirements.txt
RUN uv pip install --no-cache --python /venv/bin/python --only-binary :all: --require-hashes -r /tmp/requirements.txt
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN datasets/imaging/codecs/build.sh
# The production settings want values that collecting files makes no use of; none of them reaches the image below.
RUN DJANGO_SETTINGS_MODULE=deepcap.settings.production DEEPCAP_DATA_DIR=/tmp/build DEEPCAP_STATIC_ROOT=/static \
    DEEPCAP_SECRET_KEY="$(/venv/bin/python -c 'import secrets; print(secrets.token_hex(32))')" \
    DEEPCAP_ALLOWED_HOSTS=build.invalid DATABASE_URL=postgres://build.invalid/x CELERY_BROKER_URL=redis://build.invalid \
    /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q deepcap datasets

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    DJANGO_SETTINGS_MODULE=deepcap.settings.production \
    DEEPCAP_DATA_DIR=/data \
    DEEPCAP_STATIC_ROOT=/static
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin deepcap \
    && install -d -o deepcap -g deepcap -m 0700 /data /data/tmp /data/objects
COPY --from=build /venv /venv
COPY --from=build /static /static
COPY --from=build /app /app
WORKDIR /app
USER deepcap
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "deepcap.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8"]

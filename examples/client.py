"""A client of DeepCap's API for services that work for it. It needs the standard library only."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Refused(Exception):
    """The API has refused a request, with a status, a code and a sentence."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')}")
        self.status, self.code = status, body.get("code")


class Cancelled(Exception):
    """The work was stopped or deleted: leave off, nothing more is taken in."""


class DeepCap:
    """The API below ``url``, as the user of ``token``."""

    def __init__(self, url: str, token: str) -> None:
        self.root, self.token = f"{url.rstrip('/')}/api/v1/", token

    def get(self, path: str) -> Any:
        return json.loads(self.read(path))

    def read(self, path: str) -> bytes:
        """Return the body at ``path``, which may be an address that the API has given."""
        return self._send("GET", path)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str = "") -> Any:
        return self._json("POST", path, body or {}, key=key)

    def patch(self, path: str, **body: Any) -> Any:
        return self._json("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self._json("DELETE", path, {"confirmation": "DELETE"})

    def upload(self, path: str, *, filename: str, data: bytes, **fields: str) -> Any:
        """Hand in a file, as multipart/form-data (RFC 7578)."""
        boundary = uuid.uuid4().hex
        parts = [_part(boundary, f'name="{name}"', value.encode()) for name, value in fields.items()]
        parts.append(_part(boundary, f'name="file"; filename="{filename}"', data))
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        answer = self._send("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        return json.loads(answer)

    def all(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a list, page after page."""
        page: str | None = f"{path}{'&' if '?' in path else '?'}page_size=500"
        while page:
            body = self.get(page)
            yield from body["results"]
            page = body["next"]

    def wait_for(self, path: str, *statuses: str, seconds: float = 120) -> dict[str, Any]:
        """Return the object at ``path`` once it has one of ``statuses``. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            row = self.get(path)
            if row["status"] in statuses:
                return row
            time.sleep(0.3)
        raise TimeoutError(f"{path} is still {row['status']}: {row.get('status_detail')}")

    def _json(self, method: str, path: str, body: Mapping[str, Any], *, key: str = "") -> Any:
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        answer = self._send(method, path, json.dumps(body).encode(), headers)
        return json.loads(answer) if answer else None

    def _send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        address = path if path.startswith(self.root) else self.root + path  # never with our token to anybody else
        request = urllib.request.Request(address, data=body, method=method, headers=dict(headers or {}))  # noqa: S310
        request.add_header("Authorization", f"Token {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return response.read()
        except urllib.error.HTTPError as error:
            answer = error.read()
            try:
                refusal = json.loads(answer)
            except ValueError:
                refusal = {"code": "unreadable", "detail": answer[:200].decode(errors="replace")}
            raise Refused(error.code, refusal) from None


class Claim:
    """Work that was claimed. A thread of its own reports while the work is done, which notices a cancellation."""

    def __init__(self, api: DeepCap, kind: str, work: dict[str, Any]) -> None:
        self.api, self.work, self.path = api, work, f"{kind}/{work['id']}/"
        self.claim: str = work["claim"]
        self.cancelled = False
        self._interval = work["lease_seconds"] / 4
        self._over = threading.Event()
        self._reporter = threading.Thread(target=self._report_on, daemon=True)

    @classmethod
    def next(cls, api: DeepCap, kind: str) -> Claim | None:
        """Claim the oldest work of a kind that waits; None when there is none."""
        work = api.post(f"{kind}/claim/")
        return cls(api, kind, work) if work else None

    def __enter__(self) -> Claim:
        self._reporter.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._over.set()
        self._reporter.join()

    def report(self, **said: Any) -> None:
        """Note how far the work is. Raises Cancelled."""
        answer = self.api.post(f"{self.path}heartbeat/", {"claim": self.claim, **said})
        self.cancelled = answer["cancelled"]
        self.go_on()

    def go_on(self) -> None:
        if self.cancelled:
            raise Cancelled(self.path)

    def hand_in(self, what: str, *, filename: str, data: bytes, **fields: str) -> Any:
        return self.api.upload(f"{self.path}{what}/", filename=filename, data=data, claim=self.claim, **fields)

    def finish(self, **values: Any) -> Any:
        return self.api.patch(self.path, claim=self.claim, status="finished", **values)

    def fail(self, reason: str) -> Any:
        return self.api.patch(self.path, claim=self.claim, status="error", status_detail=reason[:500])

    def _report_on(self) -> None:
        while not self._over.wait(self._interval):
            try:
                self.report()
            except Cancelled:
                return
            except (Refused, OSError) as error:
                print(f"{self.path}: {error}")  # the next report may get through; the lease decides


def serve(kind: str, work: Callable[[Claim], None]) -> int:
    """Run a service: claim, do, and ask again. An exception of ``work`` fails what it was given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--token", default=os.environ.get("DEEPCAP_TOKEN", ""), help="or DEEPCAP_TOKEN")
    parser.add_argument("--once", action="store_true", help="end when nothing waits")
    arguments = parser.parse_args()
    api = DeepCap(arguments.url, arguments.token)
    while True:
        if not work_once(api, kind, work):
            if arguments.once:
                return 0
            time.sleep(3)


def work_once(api: DeepCap, kind: str, work: Callable[[Claim], None]) -> bool:
    """Do one piece of work; False when none waits."""
    claim = Claim.next(api, kind)
    if claim is None:
        return False
    with claim:
        try:
            work(claim)
        except Cancelled:
            print(f"{claim.path} was cancelled.")
        except Exception as error:
            if not claim.cancelled:
                claim.fail(f"{type(error).__name__}: {error}")
            raise
    return True


def _part(boundary: str, disposition: str, data: bytes) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + data + b"\r\n"

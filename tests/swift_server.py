"""OpenStack Swift (account, container, object, proxy with s3api) as one process: a real S3 service out of the dev lock.

``python tests/swift_server.py FOLDER PORT`` serves S3 at 127.0.0.1:PORT for ``test:tester`` / ``testing`` until it is
told to stop. The data is thrown away: nothing is synced, one replica, no authentication service.
"""

import json
import logging
import os
import sys
from pathlib import Path
from time import time as now

import eventlet

eventlet.monkey_patch()  # before anything below is imported

from eventlet import wsgi  # noqa: E402
from swift.common import storage_policy, utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

STORAGE_SERVER = """
[DEFAULT]
swift_dir = {folder}/etc
devices = {folder}/srv
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
db_preallocation = off
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
recon_cache_path = {folder}/cache
mb_per_sync = 100000
threads_per_disk = 0
"""
PROXY_SERVER = """
[DEFAULT]
swift_dir = {folder}/etc
log_level = ERROR
cors_allow_origin = *
cors_expose_headers = etag
strict_cors_mode = false
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth copy bulk slo dlo versioned_writes symlink
    proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
cors_preflight_allow_origin = *
max_multi_delete_objects = 1000
multi_delete_concurrency = 8
max_bucket_listing = 1000
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
"""
PLAIN_FILTERS = ("catch_errors", "gatekeeper", "listing_formats", "copy", "bulk", "slo", "dlo", "symlink")


class Memory:
    """What the proxy uses of memcached, in a dictionary."""

    def __init__(self):
        self._values = {}

    def get(self, key, raise_on_error=False):
        value, expires = self._values.get(key, (None, 0))
        return value if not expires or expires > now() else None

    def set(self, key, value, serialize=True, time=0, min_compress_len=0, raise_on_error=False):
        value = json.loads(json.dumps(value)) if serialize else value
        self._values[key] = (value, now() + time if time else 0)

    def incr(self, key, delta=1, time=0):
        self.set(key, max(0, int(self.get(key) or 0) + int(delta)), time=time)
        return self.get(key)

    def decr(self, key, delta=1, time=0):
        return self.incr(key, -delta, time)

    def delete(self, key, server_key=None):
        self._values.pop(key, None)

    def set_multi(self, mapping, server_key=None, serialize=True, time=0, min_compress_len=0):
        for key, value in mapping.items():
            self.set(key, value, serialize, time)

    def get_multi(self, keys, server_key=None):
        return [self.get(key) for key in keys]


def main(folder: Path, port: int) -> None:
    os.fsync = os.fdatasync = lambda file: None
    for name in ("etc", "srv/d1", "cache"):
        (folder / name).mkdir(parents=True)
    (folder / "etc/swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = test\n")
    utils.SWIFT_CONF_FILE = str(folder / "etc/swift.conf")
    utils.validate_configuration = lambda: None
    utils.HASH_PATH_SUFFIX, utils.HASH_PATH_PREFIX = b"test", b""
    log = logging.getLogger("swift.wsgi")
    log.addHandler(logging.NullHandler())

    def serve(socket, application):
        wsgi.server(
            socket, application, log, protocol=SwiftHttpProtocol, log_output=False, capitalize_response_headers=False
        )

    sockets = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in ("account", "container", "object")}
    for kind, socket in sockets.items():
        ring = RingBuilder(4, 1, 0)
        place = {"ip": "127.0.0.1", "port": socket.getsockname()[1]}
        replication = {f"replication_{name}": value for name, value in place.items()}
        ring.add_dev({"id": 0, "region": 1, "zone": 1, "device": "d1", "weight": 1, "meta": "", **place, **replication})
        ring.rebalance()
        ring.get_ring().save(f"{folder}/etc/{kind}.ring.gz")
        (folder / f"etc/{kind}.conf").write_text(STORAGE_SERVER.format(folder=folder, kind=kind))
    storage_policy.reload_storage_policies()
    for kind, socket in sockets.items():
        eventlet.spawn(serve, socket, loadapp(f"{folder}/etc/{kind}.conf", global_conf={"log_name": kind}))

    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in PLAIN_FILTERS)
    (folder / "etc/proxy.conf").write_text(PROXY_SERVER.format(folder=folder) + filters)
    proxy = loadapp(f"{folder}/etc/proxy.conf", global_conf={"log_name": "proxy"})
    memory = Memory()

    def proxy_with_memory(environ, start_response):
        environ["swift.cache"] = memory
        return proxy(environ, start_response)

    serve(eventlet.listen(("127.0.0.1", port)), proxy_with_memory)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))

"""The sandbox: same answers as without it, and whatever a file does to the child is that file's refusal alone."""

import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest

from datasets.imaging import ImagingError, Limits, Rejected, Sandbox, Skipped
from datasets.imaging.examine import examine, render
from datasets.imaging.process import SandboxFault
from datasets.imaging.sandbox import ROOM_BYTES

from . import samples
from .test_raster import chunk

CT = "dicom/pydicom/CT_small.dcm"


class HostileSandbox(Sandbox):
    program = "tests.imaging.hostile_child"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(memory_bytes=1 << 30, seconds_per_file=60) as shared:
        yield shared


@pytest.fixture(scope="module")
def hostile():
    with HostileSandbox(memory_bytes=256 << 20, seconds_per_file=60) as shared:
        yield shared


def ordered(order: bytes) -> bytes:
    return samples.local(CT) + order.rjust(8, b"\0")


def child_of(sandbox: Sandbox) -> int:
    assert sandbox._child is not None
    return sandbox._child._process.pid


def gone(pid: int, within: float = 20.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


SAME = [sample for sample in samples.load(samples.LOCAL) if "pngsuite" not in sample.path]


@pytest.mark.parametrize("sample", SAME[::5], ids=str)
def test_the_sandbox_says_what_examine_says(sandbox, sample):
    data = sample.data
    try:
        expected = examine(data)
    except ImagingError as error:
        with pytest.raises(type(error)) as raised:
            sandbox.examine(data)
        assert (raised.value.code, raised.value.message) == (error.code, error.message)
    else:
        assert sandbox.examine(data) == expected


def test_the_sandbox_renders_what_render_renders(sandbox):
    data = samples.local("dicom/pydicom-data/emri_small.dcm")
    assert sandbox.render(data, frame=7, window=(100, 200)) == render(data, frame=7, window=(100, 200))
    with pytest.raises(Rejected) as refused:
        sandbox.render(data, frame=11)
    assert refused.value.code == "frame_missing"


def test_limits_travel_into_the_child():
    with Sandbox(limits=Limits(min_side=200)) as strict, pytest.raises(Rejected) as refused:
        strict.examine(samples.local(CT))
    assert refused.value.code == "image_too_small"


def test_one_child_serves_many_files(sandbox):
    sandbox.examine(samples.local(CT))
    child = child_of(sandbox)
    for path in ("dicom/pydicom/MR_small.dcm", "dicom/pydicom/SC_rgb_rle.dcm", CT):
        assert sandbox.examine(samples.local(path)).thumbnail
    with pytest.raises(Skipped):
        sandbox.examine(samples.local("dicom/pydicom/rtstruct.dcm"))
    assert child_of(sandbox) == child


@pytest.mark.parametrize(
    ("order", "code"),
    [(b"crash", "decoder_crashed"), (b"exit", "decoder_crashed"), (b"eat", "decoder_memory")],
)
def test_what_ends_the_child_refuses_one_file_only(hostile, order, code):
    assert hostile.examine(samples.local(CT)).thumbnail
    with pytest.raises(Rejected) as refused:
        hostile.examine(ordered(order))
    assert refused.value.code == code
    assert hostile.examine(samples.local(CT)) == examine(samples.local(CT))


@pytest.mark.parametrize("order", [b"hang", b"spin"])
def test_a_file_that_takes_too_long_is_refused_and_its_child_killed(order):
    with HostileSandbox(seconds_per_file=60) as impatient:
        impatient.examine(samples.local(CT))
        child = child_of(impatient)
        impatient.seconds_per_file = 0.5
        with pytest.raises(Rejected) as refused:
            impatient.examine(ordered(order))
        assert refused.value.code == "decoder_timeout"
        assert gone(child)
        impatient.seconds_per_file = 60
        assert impatient.examine(samples.local(CT)).thumbnail


def test_our_own_fault_in_the_child_is_raised_not_blamed_on_the_file(hostile):
    with pytest.raises(SandboxFault, match="KeyError: 'a fault of ours'"):
        hostile.examine(ordered(b"bug"))


def test_a_picture_that_needs_more_memory_than_allowed_is_refused():
    with Sandbox(memory_bytes=128 << 20) as small:
        with pytest.raises(Rejected) as refused:
            small.examine(huge_png(12_000))
        assert refused.value.code == "decoder_memory"
        assert small.examine(samples.local(CT)).thumbnail


def huge_png(side: int) -> bytes:
    """Return a black RGB picture of that many pixels a side, a few hundred kilobytes long."""
    lines = zlib.compressobj(1)
    packed = b"".join(lines.compress(b"\0" + bytes(side * 3)) for _ in range(side)) + lines.flush()
    header = side.to_bytes(4, "big") * 2 + bytes((8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_a_child_that_died_while_idle_is_replaced_unseen(sandbox):
    sandbox.examine(samples.local(CT))
    child = child_of(sandbox)
    os.kill(child, signal.SIGKILL)
    assert gone(child)
    assert sandbox.examine(samples.local(CT)).thumbnail
    assert child_of(sandbox) != child


def test_memory_for_a_large_file_is_given_back_here_and_in_the_child(sandbox):
    with pytest.raises(Rejected):
        sandbox.examine(bytes(ROOM_BYTES + 1))
    assert sandbox._room is None
    maps, patience = Path(f"/proc/{child_of(sandbox)}/maps"), time.monotonic() + 20
    while "imaging-room" in maps.read_text():  # the child lets go after it has answered
        assert time.monotonic() < patience
        time.sleep(0.01)
    assert sandbox.examine(samples.local(CT)).thumbnail


def test_files_in_memory_of_the_sandbox_are_not_copied(sandbox):
    data = samples.local(CT)
    sandbox.clear()
    placed = sandbox.allocate(len(data))
    placed[:] = data
    used = sandbox._room.used
    assert [sandbox.examine(placed)] == list(sandbox.examine_all([placed])) == [examine(data)]
    assert sandbox._room.used == used
    placed[:] = bytes(len(data))
    with pytest.raises(Rejected):
        sandbox.examine(placed)
    sandbox.clear()


def test_the_child_cannot_change_what_it_reads(sandbox):
    sandbox.examine(samples.local(CT))
    descriptor = os.open(f"/proc/self/fd/{sandbox._room.fd}", os.O_RDWR)  # as the child's own would be
    try:
        with pytest.raises(PermissionError):
            mmap.mmap(descriptor, 0)
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"x", 0)
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("room_bytes", [ROOM_BYTES, 1, 100_000])
def test_many_files_at_once_are_answered_in_order_each_for_itself(monkeypatch, room_bytes):
    """With room for all of them, for each alone, and for some."""
    monkeypatch.setattr("datasets.imaging.sandbox.ROOM_BYTES", room_bytes)
    monkeypatch.setattr("datasets.imaging.sandbox.FILES_AT_ONCE", 5)
    rest = [samples.local(path) for path in (CT, "dicom/pydicom/MR_small.dcm", "dicom/pydicom/rtstruct.dcm")]
    files = [*rest, ordered(b"crash"), b"", b"no image", *rest, ordered(b"exit"), ordered(b"crash"), *rest]
    ending = {ordered(b"crash"), ordered(b"exit")}
    with HostileSandbox(memory_bytes=256 << 20, seconds_per_file=60) as sandbox:
        answers = list(sandbox.examine_all(files))
    for data, answer in zip(files, answers, strict=True):
        if data in ending:
            assert answer.code == "decoder_crashed"
            continue
        try:
            assert answer == examine(data)
        except ImagingError as error:
            assert (type(answer), answer.code, answer.message) == (type(error), error.code, error.message)


def test_answers_that_nobody_took_are_not_taken_for_others(sandbox):
    answers = sandbox.examine_all([samples.local(CT), samples.local(CT)])
    next(answers)
    other = samples.local("dicom/pydicom/MR_small.dcm")
    assert sandbox.examine(other) == examine(other)


def test_the_child_holds_no_socket_file_or_secret_of_its_parent(sandbox, monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPCAP_SECRET_KEY", "never handed on")
    with socket.socket() as listener, (tmp_path / "open").open("w") as file, Sandbox() as fresh:
        os.set_inheritable(listener.fileno(), True)
        os.set_inheritable(file.fileno(), True)
        fresh.examine(samples.local(CT))
        child = Path(f"/proc/{child_of(fresh)}")
        targets = {os.readlink(link) for link in (child / "fd").iterdir()}
        ours = {os.readlink(f"/proc/self/fd/{opened.fileno()}") for opened in (listener, file)}
        assert not targets & ours
        assert sum(target.startswith("socket:") for target in targets) == 1
        assert b"never handed on" not in (child / "environ").read_bytes()


def test_the_child_dies_with_a_killed_parent(tmp_path):
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from datasets.imaging import Sandbox\n"
        "sandbox = Sandbox()\n"
        "sandbox.examine(Path(sys.argv[1]).read_bytes())\n"
        "print(sandbox._child._process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, str(samples.LOCAL / CT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    assert gone(child)


def test_a_fork_starts_its_own_child_and_leaves_the_parents_alone(sandbox):
    sandbox.examine(samples.local(CT))
    child = child_of(sandbox)
    reader, writer = os.pipe()
    forked = os.fork()
    if forked == 0:
        try:
            good = bool(sandbox.examine(samples.local(CT)).thumbnail) and child_of(sandbox) != child
            sandbox.close()
            os.write(writer, b"good" if good else b"bad")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        assert answer.read() == b"good"
    os.waitpid(forked, 0)
    assert sandbox.examine(samples.local(CT)).thumbnail
    assert child_of(sandbox) == child


def test_files_are_not_blamed_when_the_thread_that_started_the_child_ends(sandbox):
    for _ in range(2):
        sandbox.close()
        thread = threading.Thread(target=lambda: sandbox.examine(samples.local(CT)))
        thread.start()
        thread.join()
        assert sandbox.examine(samples.local(CT)).thumbnail


def test_a_file_is_asked_again_when_the_starting_thread_ends_while_it_is_decoded():
    started, finish = threading.Event(), threading.Event()

    def start() -> None:
        sandbox.examine(samples.local(CT))
        started.set()
        finish.wait()

    with HostileSandbox(seconds_per_file=60) as sandbox:
        thread = threading.Thread(target=start)
        thread.start()
        started.wait()
        child = child_of(sandbox)
        threading.Timer(0.5, finish.set).start()
        assert sandbox.examine(ordered(b"nap")).thumbnail
        assert child_of(sandbox) != child
        thread.join()


def test_the_child_knows_no_django():
    program = "import sys, datasets.imaging.child; print([name for name in sys.modules if name.startswith('django')])"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert found.stdout.strip() == "[]"


def test_an_empty_file_is_refused_without_a_child():
    idle = Sandbox()
    with pytest.raises(Rejected) as refused:
        idle.examine(b"")
    assert refused.value.code == "file_empty"
    assert idle._child is None


def test_a_huge_picture_stays_within_its_frame_and_half_a_gigabyte():
    side = 12_000
    with Sandbox(memory_bytes=2 << 30) as roomy:
        assert roomy.examine(huge_png(side)).header.width == side
        peak = int(Path(f"/proc/{child_of(roomy)}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    assert peak < side * side * 3 + (500 << 20)


def test_our_own_fault_refuses_its_file_and_holds_up_no_other(hostile, caplog):
    files = [samples.local(CT), ordered(b"bug"), samples.local("dicom/pydicom/MR_small.dcm")]
    first, second, third = hostile.examine_all(files)
    assert second.code == "decoder_fault"
    assert (first, third) == (examine(files[0]), examine(files[2]))
    assert "a fault of ours" in caplog.text

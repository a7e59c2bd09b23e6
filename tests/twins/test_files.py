"""Files are kept by content, survive, and go when nothing means them any more."""

import asyncio
import hashlib
import os

import pytest

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid, Missing, Unavailable
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.twins import Class, files
from lineshaft.twins.files import CHUNK_BYTES, UNUSED_AGE_S, Attachments, FileRef, Files

LARGE = os.urandom(1000) * 1000


class Clock:
    now = 1_000_000 * NS_PER_S

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept(tmp_path, clock):
    return Files(tmp_path / "files", clock=clock)


async def pieces(*parts):
    for part in parts:
        yield part


async def test_what_is_put_is_read_however_it_came(kept):
    one = await kept.put(LARGE, "image/png")
    assert one == FileRef(
        hash=hashlib.sha256(LARGE).hexdigest(), size=len(LARGE), media_type="image/png"
    )
    assert await kept.put(pieces(LARGE[:7], LARGE[7:]), "image/png") == one
    assert await kept.put((LARGE[:9], LARGE[9:]), "image/png") == one
    assert await kept.read(one.hash) == LARGE
    read = [chunk async for chunk in kept.open(one.hash)]
    assert max(len(chunk) for chunk in read) <= CHUNK_BYTES
    assert b"".join(await asyncio.to_thread(lambda: list(kept.chunks(one.hash)))) == LARGE
    empty = await kept.put(b"", "")
    assert await kept.read(empty.hash) == b""


async def test_another_object_on_the_same_folder_reads_the_same(kept, tmp_path):
    ref = await kept.put(b"x", "")
    assert await Files(tmp_path / "files").read(ref.hash) == b"x"


async def test_equal_files_take_room_once_and_nothing_half_written_stays(kept, tmp_path):
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(kept.put(LARGE, ""))
    with pytest.raises(ZeroDivisionError):
        await kept.put(broken(), "")
    found = [p for p in (tmp_path / "files").glob("*/*") if p.is_file()]
    assert [p.name for p in found] == [hashlib.sha256(LARGE).hexdigest()]


async def broken():
    yield b"half"
    raise ZeroDivisionError


async def test_a_file_beyond_the_bound_is_refused_as_soon_as_it_is_seen(tmp_path):
    small = Files(tmp_path, size_max=10)
    given = 0

    async def endless():
        nonlocal given
        while True:
            given += 1
            yield b"12345"

    with pytest.raises(Invalid, match="more than 10 bytes"):
        await small.put(endless(), "")
    assert given == 3
    assert [p for p in tmp_path.glob("*/*") if p.is_file()] == []


@pytest.mark.parametrize("hash_", ["", "../../etc/passwd", "0" * 64, "A" * 64, "g" * 64, "0" * 63])
async def test_a_file_that_is_not_there_is_missing(kept, hash_):
    with pytest.raises(Missing):
        await kept.read(hash_)


@pytest.mark.parametrize("damage", [LARGE[:-1], LARGE + b"x", LARGE[:-1] + b"!", b""])
async def test_a_damaged_file_is_named_never_given_whole_and_healed_by_sending_it_again(
    kept, tmp_path, damage
):
    ref = await kept.put(LARGE, "")
    (tmp_path / "files" / ref.hash[:2] / ref.hash).write_bytes(damage)
    given = 0

    async def give():
        nonlocal given
        async for chunk in kept.open(ref.hash):
            given += len(chunk)

    with pytest.raises(Unavailable, match=ref.hash):
        await give()
    assert given < len(damage) or not damage
    await kept.put(LARGE, "")
    assert await kept.read(ref.hash) == LARGE


async def test_what_nothing_means_goes_after_its_time(kept, clock, tmp_path):
    used = await kept.put(b"used", "")
    unused = await kept.put(b"unused", "")
    (tmp_path / "files" / "incoming" / "left-over").write_bytes(b"half")
    os.utime(tmp_path / "files" / "incoming" / "left-over", ns=(clock.now, clock.now))
    assert await kept.remove_unused({used.hash}) == 0
    clock.now += UNUSED_AGE_S * NS_PER_S
    assert await kept.remove_unused({used.hash}) == len(b"unused") + len(b"half")
    assert await kept.read(used.hash) == b"used"
    with pytest.raises(Missing):
        await kept.read(unused.hash)
    assert list((tmp_path / "files" / "incoming").iterdir()) == []


async def test_an_old_file_that_comes_again_is_not_removed_under_its_sender(kept, clock):
    ref = await kept.put(b"twice", "")
    clock.now += UNUSED_AGE_S * NS_PER_S
    used = set()  # read before the file came again
    await kept.put(b"twice", "")
    assert await kept.remove_unused(used) == 0
    assert await kept.read(ref.hash) == b"twice"


async def test_a_disk_that_takes_nothing_is_said(tmp_path):
    (tmp_path / "files").write_bytes(b"a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot be written"):
        await Files(tmp_path / "files").put(b"x", "")


async def test_a_document_means_a_file_by_the_name_in_its_element():
    engine = build(Records, {"kind": "memory"})
    async with engine.opened(files.COLLECTIONS):
        attachments = Attachments(engine)
        ref = FileRef(hash="0" * 64, size=1, media_type="a/b")
        other = FileRef(hash="1" * 64, size=1, media_type="a/b")
        names = [f"/aasx/files/{n}|.pdf" for n in range(3)]
        for name in names:
            await engine.commit(attachments.attach(Class.SUBMODEL, "urn:a|b/c", name, ref))
        await engine.commit(attachments.attach(Class.SUBMODEL, "urn:a", names[0], other))
        assert await attachments.find(Class.SUBMODEL, "urn:a|b/c", names[1]) == ref
        assert await attachments.find(Class.SHELL, "urn:a|b/c", names[1]) is None
        assert await attachments.of(Class.SUBMODEL, "urn:a|b/c") == dict.fromkeys(names, ref)
        assert await attachments.used() == {ref.hash, other.hash}
        await engine.commit(attachments.detach(Class.SUBMODEL, "urn:a", names[0]))
        await engine.commit(attachments.detach(Class.SUBMODEL, "urn:a", names[0]))
        assert await attachments.used() == {ref.hash}

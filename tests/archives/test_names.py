import zipfile
from io import BytesIO

import pytest

from datasets.archives.encodings import CODECS
from datasets.archives.paths import displayable
from tests.archives.build import File, archive, contents_of, index_of

UTF8_FLAG = 0x0800

NAMES = {
    "big5": ["胸部X光/病患_王小明_001.dcm", "影像資料夾/正常/圖片1.png", "許功蓋.jpg", "眼底攝影 (2).JPG"],
    "gb18030": ["胸部X光/患者_张伟_001.dcm", "新建文件夹/正常/图片1.png", "肝肿瘤.png", "脑部核磁共振.jpg"],
    "shift_jis": ["胸部X線/患者_山田太郎_001.dcm", "新しいフォルダー/画像1.png", "ソフト表.jpg", "ﾃｽﾄ.png"],
    "euc-kr": ["흉부 엑스선/환자_김철수_001.dcm", "새 폴더/정상/영상1.png", "간종양.png", "뇌 MRI.png"],
    "cp1252": ["main-gauche-é.jpg", "Röntgen Brust.dcm", "Größe/Übersicht.png", "imágenes/niño.jpg"],
    "cp437": ["main-gauche-é.jpg", "Röntgen Brust.dcm", "Größe/Übersicht.png", "imágenes/niño.jpg"],
}


@pytest.mark.parametrize("encoding", NAMES)
def test_names_in_an_undeclared_encoding_are_recognised(encoding):
    raw = [name.encode(CODECS[encoding]) for name in NAMES[encoding]]
    index = index_of(archive(*(File(name) for name in raw)))
    assert index.name_encoding == encoding
    assert [member.path for member in index.members] == NAMES[encoding]


def test_one_short_chinese_name_is_enough():
    index = index_of(archive(*(File(b"image/" + "左手".encode("cp950") + b"%02d.jpeg" % n) for n in range(3))))
    assert index.name_encoding == "big5"
    assert index.members[0].path == "image/左手00.jpeg"


def test_utf8_without_its_flag_is_recognised():
    index = index_of(archive(File("左手.png".encode()), File(b"b.png")))
    assert (index.name_encoding, index.members[0].path) == ("utf-8", "左手.png")


def test_a_utf8_flag_on_bytes_that_are_not_utf8_is_not_believed():
    index = index_of(archive(*(File(name.encode("cp950"), flags=UTF8_FLAG) for name in NAMES["big5"])))
    assert index.name_encoding == "big5"
    assert [member.path for member in index.members] == NAMES["big5"]


def test_declared_and_undeclared_names_live_in_one_archive():
    index = index_of(archive(File("é.png".encode(), flags=UTF8_FLAG), File("左手影像.png".encode("cp950"))))
    assert index.name_encoding == "big5"
    assert [member.path for member in index.members] == ["é.png", "左手影像.png"]


def test_plain_names_are_ascii():
    assert index_of(archive(File(b"a.png"))).name_encoding == "ascii"
    assert index_of(archive(File("é.png".encode(), flags=UTF8_FLAG))).name_encoding == "utf-8"


def test_every_byte_has_a_character_so_that_distinct_names_stay_distinct():
    raw = [b"image/" + bytes([byte, 0xFF, byte]) + b"%d" % byte for byte in range(0x80, 0x100)]
    index = index_of(archive(*(File(name) for name in raw)))
    assert index.name_encoding == "cp437"
    assert len({member.path for member in index.members}) == len(raw)


def test_two_spellings_of_one_character_are_not_mixed():
    # In cp950 both stand for U+2550; only one comes back when encoded, so the code page is not used.
    first, second = b"\xf9\xf9.png", b"\xa4\xa4\xf9\xf9.png"
    index = index_of(archive(File(first), File(second), File(b"\xa2\xa4.png")))
    assert len({member.path for member in index.members}) == 3


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"image\\a.png", "image/a.png"),
        (b"./image//x/./a.png", "image/x/a.png"),
        (b"././a.png", "a.png"),
        (b"image/a b #%&'.png", "image/a b #%&'.png"),
        (b"image/...png", "image/...png"),
        (b".hidden/a..b.png", ".hidden/a..b.png"),
        (b"aa:b.png", "aa:b.png"),
    ],
)
def test_paths_come_out_with_slashes_and_without_empty_parts(raw, path):
    assert [member.path for member in index_of(archive(File(raw))).members] == [path]


@pytest.mark.parametrize(
    "raw",
    [
        b"../a.png",
        b"image/../../a.png",
        b"image\\..\\..\\a.png",
        b"..",
        b"/etc/passwd",
        b"\\\\server\\share\\a.png",
        b"C:\\Windows\\a.png",
        b"c:a.png",
        b"a\0.png",
        b"a\n.png",
        b"a\x7f.png",
        "a\x85.png".encode(),
        "a\u2028b.png".encode(),
        b"",
        b".",
        b"./",
    ],
)
def test_unsafe_paths_are_refused_and_the_rest_is_read(raw):
    contents, refused = contents_of(archive(File(raw), File(b"good.png")))
    assert contents == {"good.png": b"content"}
    assert list(refused.values()) == ["zip_path_unsafe"]
    assert all(path and path.isprintable() for path in refused)


def test_a_path_may_have_1024_bytes_and_not_one_more():
    longest, longer = "左".encode() * 341 + b"a", "左".encode() * 341 + b"ab"
    index = index_of(archive(File(longest), File(longer)))
    assert [member.path for member in index.members] == [longest.decode()]
    assert [refusal.code for refusal in index.refused] == ["path_too_long"]
    assert len(index.refused[0].path.encode()) <= 1024
    assert index.refused[0].path.endswith("…")


def test_a_path_is_shown_without_control_characters_and_cut_between_characters():
    assert displayable("a\0b\r\n", 1024) == "a\ufffdb\ufffd\ufffd"
    assert displayable("é" * 10, 10) == "ééé…"


@pytest.mark.parametrize(
    "raw",
    [
        b"__MACOSX/image/._a.png",
        b"top/__MACOSX/a.png",
        b"image/._a.png",
        b"image/.DS_Store",
        b"image\\Thumbs.db",
        b"desktop.ini",
        b"Icon\r",
        b"disc/DICOMDIR",
        b"dicomdir",
    ],
)
def test_junk_is_skipped_not_rejected(raw):
    index = index_of(archive(File(raw), File(b"empty", b"", method=0), File(b"good.png")))
    assert [member.path for member in index.members] == ["good.png"]
    assert [(refusal.outcome, refusal.code) for refusal in index.refused] == [
        ("skipped", "junk"),
        ("rejected", "file_empty"),
    ]


def test_an_empty_resource_fork_is_junk():
    index = index_of(archive(File(b"image/._a.png", b"", method=0)))
    assert [(refusal.outcome, refusal.code) for refusal in index.refused] == [("skipped", "junk")]


def test_folders_leave_no_trace():
    folder = File(b"dos", b"", method=0, attributes=0x10)
    unix = File(b"unix", b"", method=0, attributes=0o40755 << 16)
    index = index_of(archive(File(b"image/", b"", method=0), File(b"image\\b\\", b""), folder, unix))
    assert (index.members, index.refused) == ([], [])


def test_a_folder_with_content_is_refused():
    assert contents_of(archive(File(b"image/", b"hidden"))) == ({}, {"image/": "zip_member_special"})


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644, 0o060644, 0o140644])
def test_links_and_devices_are_refused(mode):
    contents, refused = contents_of(archive(File(b"link.png", b"/etc/passwd", attributes=mode << 16)))
    assert (contents, refused) == ({}, {"link.png": "zip_member_special"})


def test_all_entries_of_one_path_are_refused_and_case_makes_a_difference():
    same = [File(b"image/same.png", bytes([n])) for n in range(2)] + [File(b"image\\same.png"), File(b"image/SAME.png")]
    index = index_of(archive(*same))
    assert [member.path for member in index.members] == ["image/SAME.png"]
    assert [(refusal.path, refusal.code) for refusal in index.refused] == [("image/same.png", "duplicate_path")] * 3


def test_a_path_shared_with_a_refused_entry_is_a_duplicate_too():
    index = index_of(archive(File(b"a.png", flags=1), File(b"a.png"), File(b"b.png")))
    assert [member.path for member in index.members] == ["b.png"]
    assert [refusal.code for refusal in index.refused] == ["zip_encrypted", "duplicate_path"]


def test_junk_of_one_name_is_no_duplicate():
    index = index_of(archive(File(b"a/.DS_Store"), File(b"a/.DS_Store")))
    assert [refusal.code for refusal in index.refused] == ["junk", "junk"]


def test_names_written_by_the_standard_library_come_back():
    buffer = BytesIO()
    names = ["左手 01.png", "main-gauche-é.png", "plain.png", "手#03%.jpeg", "o'hand.jpeg"]
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, name)
    contents, refused = contents_of(buffer.getvalue())
    assert contents == {name: name.encode() for name in names}
    assert refused == {}

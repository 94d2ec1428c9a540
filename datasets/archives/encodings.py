"""Decoding file names: UTF-8 where the archive says so, else one encoding for the whole archive, detected.

Zip knows two encodings, UTF-8 (bit 11 or a Unicode Path field) and IBM code page 437 (APPNOTE, appendix D); packers on
Windows write the computer's own code page instead and do not say which. The candidates are scored by how many of a
name's characters are common in the language the encoding was made for.
"""

import re

from .directory import Entry

UTF8_FLAG = 0x0800
SAMPLE_BYTES = 64 * 1024

# Preferred in this order when scores are equal. Windows' code pages are supersets of the standards named here.
CODECS = {
    "big5": "cp950",
    "gb18030": "gb18030",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "cp1252": "cp1252",
    "cp437": "cp437",
}
FALLBACK = "cp437"  # every byte is a character of it, so distinct names stay distinct

# Frequent characters of running text, and those that name anatomy, examinations and folders. They decide where the byte
# ranges alone cannot: Korean is valid Chinese byte for byte, and the other way round.
COMMON = {
    "big5": frozenset(
        "的一是不了人我在有他這為之大來以個中上們到說國和地也子時道出而要於就下得可你年生自會那後能對著事其里所去行過家十用發天如然作方成者"
        "多日都三小軍二無同心經法當起與好看學進種將還分此前面又定見只主沒公從左右手腳足頭顱胸腹部肺肝腎腦骨眼底視網膜乳房腰頸椎關節影像圖片"
        "檔案資料夾病患醫院檢查正常異常訓練測試標註類別良性惡性腫瘤血管細胞心臟第號月男女新"
    ),
    "gb18030": frozenset(
        "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家十用发天如然作方成者"
        "多日都三小军二无同心经法当起与好看学进种将还分此前面又定见只主没公从左右手脚足头颅胸腹部肺肝肾脑骨眼底视网膜乳房腰颈椎关节影像图片"
        "档案资料夹病患医院检查正常异常训练测试标注类别良性恶性肿瘤血管细胞心脏第号月男女新文件数据"
    ),
    "shift_jis": frozenset(
        "のにはをたがでてとしれさいるなもっこあうすきくらりかつんまそどめインスルトリアラードグシクロテプッレマ日一人年大本中出生時行見月"
        "分後前上下左右手足頭胸腹部肺肝腎脳骨眼底乳房腰頸椎関節画像写真検査患者病院正常異常訓練資料心臓腫瘍血管細胞第号男女新"
    ),
    "euc-kr": frozenset(
        "이다는의에가을고하지로한도사기리자은아나그대어시서수정있들일를인과해보전것으만제부스원라여주게면성장니안조었세동공구상선신소우화"
        "비유국중마년방생학회관계개위무문실때모적교분진파환흉영뇌복검병좌손발두경추골절안저유방폐간심장신세포종양혈정상이미지폴더테훈련남녀호월"
    ),
}
THRESHOLD = 0.4
PUNCTUATION = 0.2
NON_ASCII = re.compile(r"[^\x00-\x7f]+")
LAST_LATIN = "\u024f"


class NameDecoder:
    """Learns the raw names of an archive, decides on ``encoding`` once, then decodes.

    The encoding decided on decodes every learned name and encodes it back to the same bytes, so that names which
    differ in the archive differ in the index.
    """

    def __init__(self) -> None:
        self.encoding = "ascii"
        self._codec = "ascii"
        self._alive = {"utf-8": "utf-8", **CODECS}
        self._sample: list[bytes] = []
        self._sampled = 0

    def learn(self, entry: Entry) -> None:
        """Take one name into account; names that state their encoding truthfully need no detection."""
        if stated_name(entry) is not None:
            if self.encoding == "ascii" and not entry.name.isascii():
                self.encoding = self._codec = "utf-8"
            return
        self._alive = {
            encoding: codec
            for encoding, codec in self._alive.items()
            if encoding == FALLBACK or _survives(entry.name, codec)
        }
        if self._sampled < SAMPLE_BYTES:
            self._sample.append(entry.name)
            self._sampled += len(entry.name)

    def decide(self) -> None:
        """Settle ``encoding`` from what was learned."""
        if not self._sample:
            return
        if "utf-8" in self._alive:
            self.encoding = "utf-8"
        else:
            scores = {encoding: score(self._sample, encoding) for encoding in self._alive}
            best = max(scores, key=scores.__getitem__)
            if scores[best] < THRESHOLD:
                best = "cp1252" if scores.get("cp1252", 0.0) > scores[FALLBACK] else FALLBACK
            self.encoding = best
        self._codec = self._alive[self.encoding]

    def decode(self, entry: Entry) -> str:
        """Return a learned entry's name as text."""
        stated = stated_name(entry)
        return entry.name.decode(self._codec) if stated is None else stated


def stated_name(entry: Entry) -> str | None:
    """Return the name if the entry itself says how to decode it (and the bytes agree) or if it is ASCII."""
    try:
        if entry.unicode_name is not None:
            return entry.unicode_name.decode()
        if entry.flags & UTF8_FLAG:
            return entry.name.decode()
        return entry.name.decode("ascii")
    except UnicodeDecodeError:
        return None


def _survives(name: bytes, codec: str) -> bool:
    try:
        return name.decode(codec).encode(codec) == name
    except UnicodeError:
        return False


def score(names: list[bytes], encoding: str) -> float:
    """Return how much like a language the names read in this encoding: the mean over their non-ASCII characters.

    About 0 is noise, 1 plain text; every name must be decodable.
    """
    total, count = 0.0, 0
    for name in names:
        for run in NON_ASCII.finditer(name.decode(CODECS[encoding])):
            count += len(run.group())
            total += _east_asian_weight(run.group(), encoding) if encoding in COMMON else _latin_weight(run)
    return total / count if count else 0.0


def _east_asian_weight(characters: str, encoding: str) -> float:
    """Weigh characters by their row in the code table: the standards keep rare ideographs apart from usual ones."""
    codec, common = CODECS[encoding], COMMON[encoding]
    return sum(ROW_WEIGHTS[encoding](character.encode(codec)) + (character in common) for character in characters)


def _big5_row(code: bytes) -> float:
    if code[0] in (0xA1, 0xA3):
        return PUNCTUATION
    return 1.0 if b"\xa4\x40" <= code <= b"\xc6\x7e" else 0.3


def _gb18030_row(code: bytes) -> float:
    if len(code) != 2 or code[1] < 0xA1:
        return 0.0  # not in GB 2312
    if code[0] < 0xB0:
        return PUNCTUATION if code[0] in (0xA1, 0xA3) else 0.0  # kana, Greek, frames
    return 1.0 if code[0] <= 0xD7 else 0.3


def _shift_jis_row(code: bytes) -> float:
    if len(code) == 1:
        return 0.5  # half-width katakana
    if b"\x82\x9f" <= code <= b"\x83\x96" or code == b"\x81\x5b":
        return 1.0  # kana
    return 0.9 if b"\x88\x9f" <= code <= b"\x98\x72" else 0.3


def _euc_kr_row(code: bytes) -> float:
    if code[1] < 0xA1 or code[0] < 0xB0:
        return PUNCTUATION if code[0] in (0xA1, 0xA3) else 0.0  # not in KS X 1001, or kana, Greek, frames
    return 0.9 if code[0] <= 0xC8 else 0.1


ROW_WEIGHTS = {"big5": _big5_row, "gb18030": _gb18030_row, "shift_jis": _shift_jis_row, "euc-kr": _euc_kr_row}


def _latin_weight(run: re.Match[str]) -> float:
    """Weigh accented letters by run length and neighbours: words have one, rarely two, between plain letters."""
    characters = run.group()
    if not all(character.isalpha() and character not in "ªºµ" and character <= LAST_LATIN for character in characters):
        return 0.0
    before, after = run.string[max(0, run.start() - 1) : run.start()], run.string[run.end() : run.end() + 1]
    in_word = before.isalpha() or after.isalpha()
    if len(characters) == 1:
        return 1.2 if in_word else 0.6
    return len(characters) * (0.6 if in_word and len(characters) == 2 else 0.2)

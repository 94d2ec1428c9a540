"""Value representations by the width of their length field, explicit VR (PS3.5 tables 7.1-1 and 7.1-2)."""

# PS3.5 table 7.1-1 and 7.1-2: VRs with a 32-bit length behind two reserved bytes, and those with a 16-bit length.
LONG = {
    vr: vr.decode()
    for vr in (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
}
SHORT = {
    vr.encode(): vr
    for vr in [
        "AE",
        "AS",
        "AT",
        "CS",
        "DA",
        "DS",
        "DT",
        "FL",
        "FD",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "SL",
        "SS",
        "ST",
        "TM",
        "UI",
        "UL",
        "US",
    ]
}
SHORT_VRS = frozenset(SHORT)
LONG_VRS = frozenset(LONG)

/* Lossless decoders for one component of 2 to 16 bits, called through ctypes by __init__.py of this folder.
 *
 * Both take what follows the SOS segment, write rows x columns samples, and read and write nothing else: what the
 * stream says is never used as an address or a size. A status other than OK leaves the samples undefined.
 */
#ifndef DEEPCAP_CODECS_H
#define DEEPCAP_CODECS_H

#include <stddef.h>
#include <stdint.h>

enum status {
    OK = 0,
    TRUNCATED = 1, /* the stream has its end marker, but ends before the last sample */
    CORRUPT = 2,   /* a code that no encoder writes */
    UNUSUAL = 3,   /* not for these decoders to judge: another one may know better */
    NO_MEMORY = 4,
};

/* ISO/IEC 14495-1 (ITU-T T.87), one scan of one component, NEAR = 0, MAXVAL = 2^precision - 1, RESET = 64. */
struct jpeg_ls_parameters {
    int32_t columns, rows, precision; /* 1..65535, 1..65535, 2..16 */
    int32_t t1, t2, t3;               /* 1 <= t1 <= t2 <= t3 <= MAXVAL */
};

/* ISO/IEC 10918-1 (ITU-T T.81) process 14, one scan of one component, no point transform. */
struct jpeg_lossless_parameters {
    int32_t columns, rows, precision; /* 1..65535, 1..65535, 2..16 */
    int32_t predictor;                /* 1..7, table H.1 */
    uint8_t lengths[16];              /* number of Huffman codes of 1..16 bits (BITS), at most 256 in all */
    uint8_t symbols[256];             /* HUFFVAL */
};

int jpeg_ls_decode(const uint8_t *scan, size_t size, const struct jpeg_ls_parameters *parameters, uint16_t *samples);
int jpeg_lossless_decode(const uint8_t *scan, size_t size, const struct jpeg_lossless_parameters *parameters,
                         uint16_t *samples);

#endif

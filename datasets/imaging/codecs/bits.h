/* Bits of an entropy-coded segment, most significant first, from a copy without stuffing. */
#ifndef DEEPCAP_BITS_H
#define DEEPCAP_BITS_H

#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Zero bytes behind the copy: no decoder reads more than 128 bits before it holds its position against the end. */
#define PADDING 32

#define END_OF_IMAGE 0xD9

/* Bits that may follow the last sample: to fill a byte, and one that keeps a last FF from looking like a marker. */
#define FILL_BITS 16

INLINE uint64_t load_big_endian(const uint8_t *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

INLINE void store_big_endian(uint8_t *to, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(to, &word, sizeof word);
}

/* Returns the 57 bits or more from a position on, at the top of a word. */
INLINE uint64_t bits_at(const uint8_t *bits, uint64_t position)
{
    return load_big_endian(bits + (position >> 3)) << (position & 7);
}

#endif

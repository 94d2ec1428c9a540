/* JPEG, process 14 (ITU-T T.81 annex H): Huffman-coded differences to a prediction. */
#include <stdbool.h>
#include <stdlib.h>

#include "bits.h"
#include "codecs.h"

/* Codes with the bits behind them are looked up by this many bits; four such fit into what bits_at() returns. */
#define LOOKUP_BITS 13
#define LONGEST_CODE 16

struct entry {
    int16_t difference;
    uint8_t length; /* of code and additional bits; 0: not in this table */
};

struct huffman {
    struct entry lookup[1 << LOOKUP_BITS];
    uint32_t first_beyond[LONGEST_CODE + 1]; /* by length: the least 16 bits that begin with no code so long or shorter */
    int32_t offset[LONGEST_CODE + 1];        /* by length: of the index of a code's symbol from the code */
    uint8_t symbols[256];
};

/* Returns the difference that a category's additional bits stand for (table H.2, figure F.12). */
INLINE int32_t extend(uint32_t bits, unsigned category)
{
    if (category == 0)
        return 0;
    return bits >> (category - 1) ? (int32_t)bits : (int32_t)bits - (1 << category) + 1;
}

/* Makes the tables of a DHT segment (annex C). Returns false where the lengths are not those of a prefix code. */
static bool make_table(const struct jpeg_lossless_parameters *parameters, struct huffman *table)
{
    memset(table->lookup, 0, sizeof table->lookup);
    memcpy(table->symbols, parameters->symbols, sizeof table->symbols);
    uint32_t code = 0;
    int32_t index = 0;
    for (unsigned length = 1; length <= LONGEST_CODE; length++) {
        unsigned count = parameters->lengths[length - 1];
        table->offset[length] = index - (int32_t)code;
        if (code + count > 1u << length || index + count > 256)
            return false;
        for (unsigned i = 0; i < count; i++, code++, index++) {
            unsigned category = table->symbols[index];
            if (category > 16)
                return false;
            unsigned more = category == 16 ? 0 : category, total = length + more;
            if (total > LOOKUP_BITS)
                continue;
            for (uint32_t bits = 0; bits < 1u << more; bits++) {
                struct entry entry = {(int16_t)(category == 16 ? -32768 : extend(bits, category)), (uint8_t)total};
                unsigned spare = LOOKUP_BITS - total;
                struct entry *at = table->lookup + ((code << more | bits) << spare);
                for (unsigned j = 0; j < 1u << spare; j++)
                    at[j] = entry;
            }
        }
        table->first_beyond[length] = code << (LONGEST_CODE - length);
        code <<= 1;
    }
    return true;
}

/* Finds a difference of any length. One of length 0 says that there is no such code. */
static struct entry find(const struct huffman *table, uint64_t bits)
{
    struct entry found = table->lookup[bits >> (64 - LOOKUP_BITS)];
    if (found.length)
        return found;
    uint32_t next = (uint32_t)(bits >> (64 - LONGEST_CODE));
    unsigned length = 1;
    while (length <= LONGEST_CODE && next >= table->first_beyond[length])
        length++;
    if (length > LONGEST_CODE)
        return (struct entry){0, 0};
    unsigned category = table->symbols[(int32_t)(next >> (LONGEST_CODE - length)) + table->offset[length]];
    if (category == 16)
        return (struct entry){-32768, (uint8_t)length};
    uint32_t more = category ? (uint32_t)(bits << length >> (64 - category)) : 0;
    return (struct entry){(int16_t)extend(more, category), (uint8_t)(length + category)};
}

/* Copies a scan without the zero after each FF, up to its end or a marker, which is returned (0: there is none). */
static int unstuff(const uint8_t *scan, size_t size, uint8_t *copy, uint64_t *length)
{
    const uint8_t *end = scan + size;
    uint8_t *to = copy;
    int marker = 0;
    while (scan < end) {
        const uint8_t *stuffed = memchr(scan, 0xFF, (size_t)(end - scan));
        size_t count = (size_t)((stuffed ? stuffed : end) - scan);
        memcpy(to, scan, count);
        to += count;
        if (!stuffed)
            break;
        for (scan = stuffed + 1; scan < end && *scan == 0xFF; scan++)
            ; /* fill bytes before a marker (B.1.1.2) */
        if (scan == end)
            break;
        if (*scan) {
            marker = *scan;
            break;
        }
        *to++ = 0xFF;
        scan++;
    }
    memset(to, 0, PADDING);
    *length = 8 * (uint64_t)(to - copy);
    return marker;
}

/* Reads the differences of a row; false where a code is none or the end is passed, see the position. */
INLINE bool read_row(const struct huffman *table, const uint8_t *bits, uint64_t *position, uint64_t end,
                     uint16_t *differences, int32_t columns)
{
    uint64_t at = *position;
    int32_t x = 0;
    while (x < columns && at <= end) {
        uint64_t word = bits_at(bits, at);
        if (LIKELY(columns - x >= 4)) {
            struct entry a = table->lookup[word >> (64 - LOOKUP_BITS)];
            word <<= a.length;
            struct entry b = table->lookup[word >> (64 - LOOKUP_BITS)];
            word <<= b.length;
            struct entry c = table->lookup[word >> (64 - LOOKUP_BITS)];
            word <<= c.length;
            struct entry d = table->lookup[word >> (64 - LOOKUP_BITS)];
            if (LIKELY(a.length && b.length && c.length && d.length)) {
                differences[x] = (uint16_t)a.difference;
                differences[x + 1] = (uint16_t)b.difference;
                differences[x + 2] = (uint16_t)c.difference;
                differences[x + 3] = (uint16_t)d.difference;
                x += 4;
                at += a.length + b.length + c.length + d.length;
                continue;
            }
            word = bits_at(bits, at);
        }
        struct entry entry = find(table, word);
        if (!entry.length)
            break;
        differences[x++] = (uint16_t)entry.difference;
        at += entry.length;
    }
    *position = at;
    return x == columns && at <= end;
}

/* Turns a row's differences into samples (H.1.2.1, table H.1), modulo 2^16; above is null for the first row. */
INLINE void add_prediction(uint16_t *row, const uint16_t *above, int32_t columns, int predictor, int precision)
{
    int32_t left;
    if (!above) {
        left = 1 << (precision - 1);
        predictor = 1;
    } else {
        left = above[0];
        if (predictor == 2) {
            for (int32_t x = 0; x < columns; x++)
                row[x] = (uint16_t)(row[x] + above[x]);
            return;
        }
    }
    left = row[0] = (uint16_t)(row[0] + left);
#define PREDICT(expression)                                    \
    for (int32_t x = 1; x < columns; x++) {                    \
        int32_t up = above ? above[x] : 0;                     \
        int32_t corner = above ? above[x - 1] : 0;             \
        (void)up, (void)corner;                                \
        left = row[x] = (uint16_t)(row[x] + (expression));     \
    }                                                          \
    break
    switch (predictor) {
    case 1: PREDICT(left);
    case 3: PREDICT(corner);
    case 4: PREDICT(left + up - corner);
    case 5: PREDICT(left + ((up - corner) >> 1));
    case 6: PREDICT(up + ((left - corner) >> 1));
    case 7: PREDICT((left + up) >> 1);
    }
#undef PREDICT
}

static enum status decode_scan(const struct jpeg_lossless_parameters *parameters, const struct huffman *table,
                               const uint8_t *bits, uint64_t end, uint16_t *samples)
{
    int32_t columns = parameters->columns;
    uint64_t position = 0;
    uint16_t seen = 0;
    const uint16_t *above = NULL;
    for (int32_t y = 0; y < parameters->rows; y++) {
        uint16_t *row = samples + (size_t)y * (size_t)columns;
        if (!read_row(table, bits, &position, end, row, columns))
            return position + LONGEST_CODE > end ? TRUNCATED : CORRUPT;
        add_prediction(row, above, columns, parameters->predictor, parameters->precision);
        for (int32_t x = 0; x < columns; x++)
            seen |= row[x];
        above = row;
    }
    return seen >> parameters->precision || end - position >= FILL_BITS ? UNUSUAL : OK;
}

int jpeg_lossless_decode(const uint8_t *scan, size_t size, const struct jpeg_lossless_parameters *parameters,
                         uint16_t *samples)
{
    struct huffman *table = malloc(sizeof *table);
    uint8_t *bits = malloc(size + PADDING);
    enum status status = NO_MEMORY;
    if (table && bits) {
        uint64_t end;
        int marker = unstuff(scan, size, bits, &end);
        status = UNUSUAL;
        if (marker == END_OF_IMAGE && make_table(parameters, table))
            status = decode_scan(parameters, table, bits, end, samples);
    }
    free(bits);
    free(table);
    return status;
}

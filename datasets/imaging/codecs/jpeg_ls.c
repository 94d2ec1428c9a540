/* JPEG-LS (ITU-T T.87), lossless: contexts, prediction, Golomb codes and runs. Paragraphs named are those of T.87. */
#include <stdbool.h>
#include <stdlib.h>

#include "bits.h"
#include "codecs.h"

#define CONTEXTS 365
#define RESET 64           /* samples after which a context's statistics are halved */
#define LONGEST_UNARY 17   /* the least that the limit of a code allows at any precision */
#define LONGEST_ERROR 17   /* bits of a mapped error; an encoder's has one less */

/* Statistics of a context (A.6), and what follows from them so rarely otherwise that it is kept. */
struct context {
    int32_t a, b;
    int16_t c;
    uint8_t n;
    uint8_t k;     /* the order of the code, see order() */
    uint8_t spare; /* 63 - k */
    int8_t zero;   /* -1 where k is 0, 0 elsewhere */
    uint8_t slack; /* 2 * RESET where k is 0: any a up to n has this order then, not only the upper half */
};

/* Statistics of samples that end a run (A.7.2), by whether the neighbours left and above are equal. */
struct run_context {
    int32_t a;
    int32_t n, negative;
};

struct decoder {
    const uint8_t *bits;
    uint64_t position, end;
    int32_t maximum, precision, limit;
    int32_t run_index;
    struct run_context run[2];
};

/* Order of the code of a run's length, by run index (A.7.1.2, table A.5 in the order of code). */
static const uint8_t RUN_ORDER[32] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2,  3,  3,  3,  3,
                                      4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* Copies a scan without the bit after each FF, up to its end or a marker, which is returned (0: there is none). */
static int unstuff(const uint8_t *scan, size_t size, uint8_t *copy, uint64_t *length)
{
    const uint8_t *end = scan + size;
    uint8_t *to = copy;
    uint64_t held = 0;  /* bits not yet written, at the top */
    unsigned count = 0; /* of them, 0..7 */
    int marker = 0;
    while (scan < end) {
        const uint8_t *stuffed = memchr(scan, 0xFF, (size_t)(end - scan));
        const uint8_t *stop = stuffed ? stuffed + 1 : end;
        for (; stop - scan >= 8; scan += 8, to += 8) {
            uint64_t word = load_big_endian(scan);
            store_big_endian(to, held | word >> count);
            held = word << 1 << (63 - count);
        }
        for (; scan < stop; scan++) {
            held |= (uint64_t)*scan << 56 >> count;
            *to++ = (uint8_t)(held >> 56);
            held <<= 8;
        }
        if (!stuffed || scan == end)
            break;
        if (*scan & 0x80) {
            marker = *scan;
            break;
        }
        held |= (uint64_t)*scan++ << 57 >> count;
        count += 7;
        if (count >= 8) {
            *to++ = (uint8_t)(held >> 56);
            held <<= 8;
            count -= 8;
        }
    }
    *length = 8 * (uint64_t)(to - copy) + count;
    *to++ = (uint8_t)(held >> 56);
    memset(to, 0, PADDING);
    return marker;
}

INLINE int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

INLINE int32_t greatest(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* Returns the order of the Golomb code for statistics, n > 0 (A.5.1): the least k with n << k >= a. */
INLINE int32_t order(uint32_t n, uint32_t a)
{
    int32_t k = greatest(0, __builtin_clz(n) - __builtin_clz(a | 1));
    return k + (n << k < a);
}

INLINE void keep_order(struct context *context, int32_t k)
{
    context->k = (uint8_t)k;
    context->spare = (uint8_t)(63 - k);
    context->zero = k ? 0 : -1;
    context->slack = k ? 0 : 2 * RESET;
}

/* Reads a mapped error of any length (A.5.3, limited to `limit` bits); -1 where the code is none. */
static __attribute__((noinline)) int64_t read_long_code(struct decoder *decoder, int32_t k, int32_t limit)
{
    int32_t escape = limit - decoder->precision - 1;
    int32_t zeros = __builtin_clzll(bits_at(decoder->bits, decoder->position) | 1);
    if (zeros > escape)
        return -1;
    decoder->position += (uint64_t)zeros + 1;
    uint64_t word = bits_at(decoder->bits, decoder->position);
    int32_t more = zeros == escape ? decoder->precision : k;
    int64_t value = more ? (int64_t)(word >> (64 - more)) : 0;
    decoder->position += (uint64_t)more;
    return zeros == escape ? value + 1 : ((int64_t)zeros << k) + value;
}

/* Reads the sample that ends a run (A.7.2); -1 where the code is none. */
static int32_t read_run_end(struct decoder *decoder, int32_t left, int32_t above, int32_t run_order)
{
    bool equal = left == above;
    struct run_context *context = &decoder->run[equal];
    int32_t k = order((uint32_t)context->n, (uint32_t)(equal ? context->a + (context->n >> 1) : context->a));
    int64_t mapped = read_long_code(decoder, k, decoder->limit - run_order - 1);
    if (mapped < 0 || mapped >> LONGEST_ERROR)
        return -1;
    int32_t both = (int32_t)mapped + equal; /* 2 |error|, or one less */
    bool odd = both & 1;
    int32_t error = (both + odd) >> 1;
    if ((k != 0 || 2 * context->negative >= context->n) == odd)
        error = -error;
    if (error < 0)
        context->negative++;
    context->a += ((int32_t)mapped + 1 - equal) >> 1;
    if (context->n == RESET) {
        context->a >>= 1;
        context->n >>= 1;
        context->negative >>= 1;
    }
    context->n++;
    return ((equal ? left : above) + (!equal && left > above ? -error : error)) & decoder->maximum;
}

/* Reads a run of samples like their left neighbour and the sample that ends it (A.7.1); returns the next column, or -1.
 *
 * Lines have the column before the first at index 0, so columns count from 1. */
static __attribute__((noinline)) int32_t read_run(struct decoder *decoder, const uint16_t *above, uint16_t *line,
                                                  int32_t x, int32_t columns)
{
    uint16_t left = line[x - 1];
    while (decoder->position < decoder->end) {
        uint64_t word = bits_at(decoder->bits, decoder->position);
        int32_t run_order = RUN_ORDER[decoder->run_index], rest = columns + 1 - x;
        if (word >> 63) {
            int32_t length = least(1 << run_order, rest);
            decoder->position++;
            for (int32_t i = 0; i < length; i++)
                line[x++] = left;
            if (length == 1 << run_order && decoder->run_index < 31)
                decoder->run_index++;
            if (x > columns)
                return x;
        } else {
            int32_t length = run_order ? (int32_t)(word << 1 >> (64 - run_order)) : 0;
            decoder->position += 1 + (uint64_t)run_order;
            if (length >= rest)
                return -1;
            for (int32_t i = 0; i < length; i++)
                line[x++] = left;
            int32_t sample = read_run_end(decoder, left, above[x], run_order);
            if (sample < 0)
                return -1;
            line[x++] = (uint16_t)sample;
            if (decoder->run_index)
                decoder->run_index--;
            return x;
        }
    }
    return -1;
}

/* Decodes a line from the one above it; false where a code is none or the end is passed.
 *
 * Nearly all of the time is spent in the one loop here, so no step of it branches on what the samples are, except where
 * that is rare: a branch that is guessed wrong costs as much as half a sample. Nor is the end looked for: zeros are
 * behind it, and so many of them are no code. */
INLINE bool read_line(struct decoder *decoder, struct context *contexts, const int16_t *quantized,
                      const uint16_t *above, uint16_t *line, int32_t columns)
{
    const uint8_t *bits = decoder->bits;
    const uint64_t end = decoder->end;
    const int64_t maximum = decoder->maximum;
    uint64_t position = decoder->position;
    int64_t left = line[0], corner = above[0], up = above[1]; /* Ra, Rc, Rb of figure A.1 */
    int64_t fall = quantized[up - corner];
    int32_t x = 1;
    while (x <= columns) {
        int64_t beyond = above[x + 1]; /* Rd */
        int64_t rise = quantized[beyond - up];
        int64_t place = 9 * (9 * rise + fall) + quantized[corner - left];
        if (UNLIKELY(place == 0)) {
            decoder->position = position;
            x = read_run(decoder, above, line, x, columns);
            position = decoder->position;
            if (x < 0 || position > end)
                return false;
            left = line[x - 1], corner = above[x - 1], up = above[x];
            fall = quantized[up - corner];
            continue;
        }
        int64_t sign = place >> 63; /* -1: the context is that of the negated gradients (A.3.4) */
        struct context *context = (struct context *)((char *)contexts + ((place ^ sign) - sign));
        int64_t n = context->n, b = context->b, c = context->c;
        unsigned k = context->k;

        /* Prediction: the median of left, up and left + up - corner (A.4.1), corrected (A.4.2). */
        int64_t most = left > up ? left : up, fewest = left < up ? left : up, predicted = left + up - corner;
        predicted = predicted > most ? most : predicted;
        predicted = predicted < fewest ? fewest : predicted;
        predicted += (c ^ sign) - sign;
        if (UNLIKELY((uint64_t)predicted > (uint64_t)maximum))
            predicted = predicted < 0 ? 0 : maximum;

        /* The mapped error (A.5.3): zeros, a one, k bits. */
        uint64_t word = bits_at(bits, position);
        int64_t zeros = __builtin_clzll(word | 1), mapped;
        if (UNLIKELY(zeros >= LONGEST_UNARY)) {
            decoder->position = position;
            mapped = read_long_code(decoder, (int32_t)k, decoder->limit);
            position = decoder->position;
            if (mapped < 0 || mapped >> LONGEST_ERROR)
                return false;
        } else {
            position += (uint64_t)zeros + k + 1;
            mapped = (int64_t)((word << zeros) >> context->spare) + ((zeros - 1) << k);
        }

        /* The error is even or odd by its sign, the other way round for a biased context of order 0 (A.5.2). */
        int64_t flip = ((2 * b + n - 1) >> 63) & context->zero, odd = -(mapped & 1);
        int64_t error = (mapped >> 1) ^ flip ^ odd;
        corner = up, up = beyond, fall = rise;
        left = (((mapped >> 1) ^ (flip ^ sign) ^ odd) + (predicted - sign)) & maximum; /* sets of two, to be quick */
        line[x++] = (uint16_t)left;

        /* Statistics (A.6.1) and bias (A.6.2). */
        int64_t a = context->a + (error < 0 ? -error : error);
        b += error;
        if (UNLIKELY(n == RESET))
            a >>= 1, b >>= 1, n >>= 1;
        n++;
        if (UNLIKELY(b > 0)) {
            b = b > n ? 0 : b - n;
            context->c = (int16_t)(c < 127 ? c + 1 : c);
        } else if (UNLIKELY(b <= -n)) {
            b = b <= -2 * n ? 1 - n : b + n;
            context->c = (int16_t)(c > -128 ? c - 1 : c);
        }
        context->a = (int32_t)a;
        context->b = (int32_t)b;
        context->n = (uint8_t)n;
        int64_t most_a = n << k; /* k stands while most_a / 2 < a <= most_a */
        if (UNLIKELY((uint64_t)(2 * (most_a - a)) >= (uint64_t)(most_a + context->slack))) {
            int32_t changed = order((uint32_t)n, (uint32_t)a);
            if (changed > LONGEST_ERROR)
                return false;
            keep_order(context, changed);
        }
    }
    decoder->position = position;
    return position <= end;
}

/* Decodes all lines; `lines` has room for two of them with a column more on either side. */
static enum status decode_scan(struct decoder *decoder, const int16_t *quantized, uint16_t *lines, int32_t columns,
                               int32_t rows, uint16_t *samples)
{
    struct context contexts[CONTEXTS]; /* A.8 */
    int32_t a = greatest(2, (decoder->maximum + 1 + 32) >> 6), k = order(1, (uint32_t)a);
    for (int i = 0; i < CONTEXTS; i++) {
        contexts[i] = (struct context){.a = a, .n = 1};
        keep_order(&contexts[i], k);
    }
    decoder->run[0] = decoder->run[1] = (struct run_context){.a = a, .n = 1};
    uint16_t *above = lines, *line = lines + columns + 2;
    memset(above, 0, ((size_t)columns + 2) * sizeof *above);
    for (int32_t y = 0; y < rows; y++) {
        above[columns + 1] = above[columns]; /* what lies outside, A.2.1 */
        line[0] = above[1];
        if (!read_line(decoder, contexts, quantized, above, line, columns))
            return decoder->position >= decoder->end ? TRUNCATED : CORRUPT;
        memcpy(samples + (size_t)y * (size_t)columns, line + 1, (size_t)columns * sizeof *line);
        uint16_t *done = line;
        line = above, above = done;
    }
    return decoder->end - decoder->position < FILL_BITS ? OK : UNUSUAL;
}

/* Fills the table of quantized gradients (A.3.3), from -MAXVAL to MAXVAL, in steps of a context's size. */
static void quantize(int16_t *quantized, const struct jpeg_ls_parameters *parameters, int32_t maximum)
{
    for (int32_t gradient = 0; gradient <= maximum; gradient++) {
        int region = (gradient > 0) + (gradient >= parameters->t1) + (gradient >= parameters->t2) +
                     (gradient >= parameters->t3);
        quantized[gradient] = (int16_t)(region * (int)sizeof(struct context));
        quantized[-gradient] = (int16_t)-quantized[gradient];
    }
}

int jpeg_ls_decode(const uint8_t *scan, size_t size, const struct jpeg_ls_parameters *parameters, uint16_t *samples)
{
    int32_t precision = parameters->precision, maximum = (1 << precision) - 1;
    uint8_t *bits = malloc(size + 1 + PADDING);
    int16_t *quantized = malloc((2 * (size_t)maximum + 1) * sizeof *quantized);
    uint16_t *lines = malloc(2 * ((size_t)parameters->columns + 2) * sizeof *lines);
    enum status status = NO_MEMORY;
    if (bits && quantized && lines) {
        struct decoder decoder = {.bits = bits, .maximum = maximum, .precision = precision};
        decoder.limit = 2 * (precision + greatest(precision, 8));
        int marker = unstuff(scan, size, bits, &decoder.end);
        quantize(quantized + maximum, parameters, maximum);
        status = UNUSUAL;
        if (marker == END_OF_IMAGE)
            status = decode_scan(&decoder, quantized + maximum, lines, parameters->columns, parameters->rows, samples);
    }
    free(lines);
    free(quantized);
    free(bits);
    return status;
}

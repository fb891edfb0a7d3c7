/* Telling by the first bytes of a word that it is none of a table, which most words are: cheaper than to look for it. */

#include "words.h"

enum { MOST_BITS = 1 << 15, BITS_OF_A_WORD = 16, FEWEST_BITS = 1 << 10 };

/* A bit for each hash of the first bytes of a word; of the bits only as many are used as the words need. */
typedef struct {
    int shift;
    uint64_t bits[MOST_BITS / 64];
} Filter;

static void make_filter(Filter *filter, size_t words)
{
    size_t count = FEWEST_BITS;
    for (filter->shift = 54; count < MOST_BITS && count < BITS_OF_A_WORD * words; filter->shift--)
        count *= 2;
    memset(filter->bits, 0, count / 8);
}

static inline uint64_t beginning(const Filter *filter, uint64_t first)
{
    return first * multipliers[0] >> filter->shift;
}

static inline int may_be(const Filter *filter, uint64_t first)
{
    uint64_t hash = beginning(filter, first);
    return filter->bits[hash / 64] >> hash % 64 & 1;
}

static inline void admit(Filter *filter, uint64_t first)
{
    uint64_t hash = beginning(filter, first);
    filter->bits[hash / 64] |= (uint64_t)1 << hash % 64;
}

static void filter_for(Filter *filter, const Table *table)
{
    make_filter(filter, table->count);
    for (const Word *one = table->words; one < table->words + table->count; one++)
        admit(filter, one->first);
}

/* The next word of a text that may be one. */
static inline int next_that_may_be(const Filter *filter, Reader *reader, Word *word)
{
    for (uint32_t start, end; edge(reader, &start) && edge(reader, &end);)
        if (may_be(filter, bytes_of(&reader->text, start, end - start))) {
            *word = word_of(&reader->text, start, end - start);
            return 1;
        }
    return 0;
}

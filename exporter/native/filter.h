/* Telling by the first bytes of a word that it is none of a table, which most words are: cheaper than to look for it. */

#include "words.h"

enum { BEGINNINGS = 1 << 15 };

/* A bit for each hash of the first bytes of a word. */
typedef struct {
    uint64_t bits[BEGINNINGS / 64];
} Filter;

static inline uint64_t beginning(uint64_t first) { return first * multipliers[0] >> 49; }

static inline int may_be(const Filter *filter, uint64_t first)
{
    uint64_t hash = beginning(first);
    return filter->bits[hash / 64] >> hash % 64 & 1;
}

static inline void admit(Filter *filter, uint64_t first)
{
    uint64_t hash = beginning(first);
    filter->bits[hash / 64] |= (uint64_t)1 << hash % 64;
}

static Filter filter_of(const Table *table)
{
    Filter filter = {{0}};
    for (const Word *one = table->words; one < table->words + table->count; one++)
        admit(&filter, one->first);
    return filter;
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

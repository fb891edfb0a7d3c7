/* The words of a text, as vocabulary.py defines them, and tables of them; knows nothing of what is done with them.

A text is neither copied nor changed: a word is a place in it, and its first bytes in lower case. */

#include "kernels.h"

#define STEP sizeof(uint64_t) /* bytes of a word that are looked at together */
#define BLOCK 64              /* bytes of a text that are looked at together */

typedef struct {
    const char *start;
    size_t size;
} Text;

typedef struct {
    uint64_t first, second; /* its first bytes, and those after them; zeros behind a shorter word */
    uint32_t at;
    uint32_t length;
} Word;

/* Distinct words, and where in their list they are: open-addressed and at most half full, by a hash that differs from
process to process, so that nobody can send words that collide. */
typedef struct {
    Text text; /* that its words are in */
    Word *words; /* in order of appearance */
    uint32_t count;
    uint32_t *places; /* in the list of words, counted from 1; 0: free */
    size_t mask;
    int shift;
} Table;

static uint64_t multipliers[2];
static uint64_t masks[STEP + 1]; /* of so many bytes */

static int text_of(PyObject *object, Text *text)
{
    char *bytes;
    Py_ssize_t size = 0;
    if (PyUnicode_Check(object))
        text->start = PyUnicode_AsUTF8AndSize(object, &size); /* of ASCII, what is there */
    else
        text->start = PyBytes_AsStringAndSize(object, &bytes, &size) ? NULL : bytes;
    if (text->start && size >= INT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "the text is longer than 2 GiB");
        return 0;
    }
    text->size = (size_t)size;
    return text->start != NULL;
}

/* Where the words of a text begin and end, found in a block of bytes at once: where words end is what a processor
cannot predict, so that a branch for each byte is dear. */

typedef struct {
    Text text;
    size_t block, next; /* where this block begins, and the next one */
    uint64_t edges;     /* of this block, those still to come */
    uint64_t inside;    /* 1 where a word goes on into the next block */
} Reader;

static inline Reader reader_of(Text text) { return (Reader){text, 0, 0, 0, 0}; }

/* Eight bytes, the first one lowest. */
static inline uint64_t little(uint64_t bytes)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(bytes);
#else
    return bytes;
#endif
}

/* Of a block, a bit for each byte that is a letter, a digit or not ASCII; the first byte has the lowest bit. */
static inline uint64_t bits_of(const char *text)
{
    unsigned char is_of_word[BLOCK];
    for (int at = 0; at < BLOCK; at++) { /* compilers make a few instructions of it */
        unsigned char byte = (unsigned char)text[at], letter = (byte | 0x20) - 'a', digit = byte - '0';
        is_of_word[at] = (letter < 26) | (digit < 10) | (byte >> 7);
    }
    uint64_t bits = 0;
    for (int at = 0; at < BLOCK; at += 8) {
        uint64_t eight;
        memcpy(&eight, is_of_word + at, 8);
        bits |= (little(eight) * 0x0102040810204080 >> 56) << at; /* moves the bit at 8n to 56 + n */
    }
    return bits;
}

/* The edges of the next block; of the last one too, though zeros must be put behind it. */
static void advance(Reader *reader)
{
    const char *start = reader->text.start + reader->next;
    char last[BLOCK] = {0};
    if (reader->text.size - reader->next < BLOCK)
        start = memcpy(last, start, reader->text.size - reader->next);
    uint64_t bits = bits_of(start);
    reader->edges = bits ^ (bits << 1 | reader->inside);
    reader->inside = bits >> (BLOCK - 1);
    reader->block = reader->next;
    reader->next += BLOCK;
}

static inline int edge(Reader *reader, uint32_t *at)
{
    while (!reader->edges) {
        if (reader->next > reader->text.size)
            return 0;
        advance(reader);
    }
    *at = (uint32_t)(reader->block + __builtin_ctzll(reader->edges));
    reader->edges &= reader->edges - 1;
    return 1;
}

static size_t words_in(Text text)
{
    size_t edges = 0;
    for (Reader reader = reader_of(text); reader.next <= text.size;) {
        advance(&reader);
        edges += __builtin_popcountll(reader.edges);
    }
    return edges / 2;
}

/* So many bytes of a word in lower case, at most STEP of them, and zeros. */
static inline uint64_t bytes_of(const Text *text, size_t at, size_t count)
{
    uint64_t bytes = 0;
    count = count < STEP ? count : STEP;
    if (at + STEP <= text->size)
        memcpy(&bytes, text->start + at, STEP);
    else if (count)
        memcpy(&bytes, text->start + at, count);
    bytes &= masks[count];
    return bytes | (bytes & ~(bytes >> 1) & 0x4040404040404040) >> 1; /* in a word, letters alone have that bit */
}

static inline Word word_of(const Text *text, uint32_t at, uint32_t length)
{
    uint32_t rest = (length - (uint32_t)STEP) & -(uint32_t)(length > STEP);
    return (Word){bytes_of(text, at, length), bytes_of(text, at + STEP, rest), at, length};
}

static inline int next(Reader *reader, Word *word)
{
    uint32_t start, end;
    if (!edge(reader, &start) || !edge(reader, &end))
        return 0;
    *word = word_of(&reader->text, start, end - start);
    return 1;
}

/* A word without its last bytes. */
static inline Word cut(Word word, uint32_t bytes)
{
    uint32_t left = word.length - bytes;
    word.first &= masks[left < STEP ? left : STEP];
    word.second &= masks[left < STEP ? 0 : left < 2 * STEP ? left - STEP : STEP];
    word.length = left;
    return word;
}

static int is_same(const Text *one, const Word *word, const Text *other, const Word *its)
{
    for (uint32_t at = 2 * STEP; at < word->length; at += STEP)
        if (bytes_of(one, word->at + at, word->length - at) != bytes_of(other, its->at + at, word->length - at))
            return 0;
    return 1;
}

/* Where in the table the place of a word of a text stands, or belongs. */
static inline uint32_t *find(const Table *table, const Text *text, const Word *word)
{
    uint64_t hash = word->first * multipliers[0] + word->second * multipliers[1];
    for (uint32_t at = 2 * STEP; at < word->length; at += STEP)
        hash = ((hash ^ hash >> 32) + bytes_of(text, word->at + at, word->length - at)) * multipliers[0];
    for (size_t at = hash >> table->shift;; at++) {
        uint32_t *place = &table->places[at & table->mask];
        if (!*place)
            return place;
        const Word *one = &table->words[*place - 1];
        if (one->first == word->first && one->second == word->second && one->length == word->length &&
            (one->length <= 2 * STEP || is_same(&table->text, one, text, word)))
            return place;
    }
}

/* Its place, where it is put unless it is there. */
static inline uint32_t put(Table *table, const Word *word)
{
    uint32_t *place = find(table, &table->text, word);
    if (!*place) {
        table->words[table->count++] = *word;
        *place = table->count;
    }
    return *place;
}

/* An empty table of the words of a text, with room for so many. */
static int make_table(Table *table, Text text, size_t room)
{
    table->text = text;
    table->count = 0;
    for (table->mask = 1, table->shift = 63; table->mask < 2 * room; table->shift--)
        table->mask = 2 * table->mask + 1;
    table->words = PyMem_Malloc((room + 1) * sizeof(Word));
    table->places = PyMem_Calloc(table->mask + 1, sizeof(uint32_t));
    if (table->words && table->places)
        return 1;
    PyErr_NoMemory();
    return 0;
}

static void free_table(Table *table)
{
    PyMem_Free(table->words);
    PyMem_Free(table->places);
}

/* Python's own hashes differ from process to process. */
static uint64_t by_chance(const char *word)
{
    PyObject *bytes = PyBytes_FromString(word);
    uint64_t hash = bytes ? (uint64_t)PyObject_Hash(bytes) : 0;
    Py_XDECREF(bytes);
    return hash;
}

static void prepare(void)
{
    multipliers[0] = (by_chance("one") << 32 ^ by_chance("two")) | 1;
    multipliers[1] = (by_chance("three") << 32 ^ by_chance("four")) | 1;
    for (size_t count = 0; count <= STEP; count++)
        memset(&masks[count], 0xFF, count);
}

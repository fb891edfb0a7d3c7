/* The distinct words of a text, as vocabulary.py defines them, without a Python object for each.

The text is neither copied nor changed: a word is a place in it, and its first bytes in lower case. The words stand in a
list, in order of appearance, and their places in that list in a table, open-addressed and at most half full, by a hash
that differs from process to process, so that nobody can send words that collide. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define STEP sizeof(uint64_t) /* bytes of a word that are looked at together */
#define BLOCK 64              /* bytes of a text that are looked at together */
#define SHORT 3               /* words that a shorter sentence counts as */
#define MOST_SENTENCES 16

typedef struct {
    const char *start;
    size_t size;
} Text;

typedef struct {
    uint64_t first, second; /* its first bytes, and those after them; zeros behind a shorter word */
    uint32_t at;
    uint32_t length;
} Word;

typedef struct {
    Text text; /* that its words are in */
    Word *words;
    uint32_t count;
    uint32_t *places; /* in the list of words, counted from 1; 0: free */
    size_t mask;
    int shift;
} Table;

typedef struct {
    PyObject_HEAD
    PyObject *text;
    Table table;
    Py_ssize_t total;
    uint32_t *order; /* of each word of the text, its place among the distinct ones */
} Vocabulary;

static PyTypeObject *type;
static uint64_t multipliers[2];
static uint64_t masks[STEP + 1]; /* of so many bytes */

static int text_of(PyObject *object, Text *text)
{
    char *bytes;
    Py_ssize_t size;
    if (PyUnicode_Check(object))
        text->start = PyUnicode_AsUTF8AndSize(object, &size); /* of ASCII, what is there */
    else
        text->start = PyBytes_AsStringAndSize(object, &bytes, &size) ? NULL : bytes;
    if (text->start && (size_t)size >= UINT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "the text is longer than 4 GiB");
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
    return (Word){bytes_of(text, at, length), bytes_of(text, at + STEP, length < STEP ? 0 : length - STEP), at, length};
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

/* An empty vocabulary of a text, with room for so many words. */
static Vocabulary *make(PyObject *object, Text text, size_t room)
{
    Vocabulary *self = (Vocabulary *)PyType_GenericAlloc(type, 0);
    if (!self)
        return NULL;
    self->text = Py_NewRef(object);
    self->order = PyMem_Malloc((room + 1) * sizeof(uint32_t));
    if (!self->order)
        PyErr_NoMemory();
    if (!self->order || !make_table(&self->table, text, room))
        Py_CLEAR(self);
    return self;
}

static inline void append(Vocabulary *self, const Word *word)
{
    self->order[self->total++] = put(&self->table, word) - 1;
}

static PyObject *new(PyTypeObject *subtype, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"text", NULL};
    PyObject *object;
    Text text;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O", names, &object) || !text_of(object, &text))
        return NULL;
    Vocabulary *self = make(object, text, words_in(text));
    Reader reader = reader_of(text);
    for (Word word; self && next(&reader, &word);)
        append(self, &word);
    return (PyObject *)self;
}

static void dealloc(Vocabulary *self)
{
    PyTypeObject *own = Py_TYPE((PyObject *)self);
    free_table(&self->table);
    PyMem_Free(self->order);
    Py_XDECREF(self->text);
    freefunc release = PyType_GetSlot(own, Py_tp_free);
    release(self);
    Py_DECREF(own);
}

static Py_ssize_t length(Vocabulary *self) { return self->table.count; }

/* What was noticed of a word that is sought: that it is there, and that it is there with e or s behind. */
enum { ITSELF = 1, WITH_E = 2, WITH_S = 4 };

/* Words to look for. Most that are met are none of them, which their first bytes tell as a rule. */
typedef struct {
    Table words;
    unsigned char *noticed;               /* of each word by its place; the first one is of what is not sought */
    uint64_t beginnings[(1 << 15) / 64]; /* by a hash of a word's first bytes, a bit: whether any is sought that begins so */
} Search;

static inline uint64_t beginning(uint64_t first) { return first * multipliers[0] >> (64 - 15); }

static inline int may_be_sought(const Search *search, uint64_t first)
{
    uint64_t hash = beginning(first);
    return search->beginnings[hash / 64] >> hash % 64 & 1;
}

static inline void expect(Search *search, uint64_t first)
{
    uint64_t hash = beginning(first);
    search->beginnings[hash / 64] |= (uint64_t)1 << hash % 64;
}

static inline uint64_t first_with(const Word *word, char ending)
{
    return word->length < STEP ? word->first | little((uint64_t)ending << 8 * word->length) : word->first;
}

/* The word itself is to be noticed, and the word with an ending. */
static inline uint32_t seek(Search *search, const Word *word)
{
    expect(search, word->first);
    expect(search, first_with(word, 'e'));
    expect(search, first_with(word, 's'));
    return put(&search->words, word);
}

static void notice(Search *search, const Text *text, const Word *word)
{
    search->noticed[*find(&search->words, text, word)] |= ITSELF;
    char last = text->start[word->at + word->length - 1] | 0x20;
    if (last == 'e' || last == 's') {
        Word shorter = cut(*word, 1);
        search->noticed[*find(&search->words, text, &shorter)] |= last == 'e' ? WITH_E : WITH_S;
    }
}

static void search_text(Search *search, Text text)
{
    Reader reader = reader_of(text);
    for (uint32_t start, end; edge(&reader, &start) && edge(&reader, &end);)
        if (may_be_sought(search, bytes_of(&text, start, end - start))) {
            Word word = word_of(&text, start, end - start);
            notice(search, &text, &word);
        }
}

/* Looks for the words in texts, word by word: of theirs none is kept. */
static int search_texts(Search *search, PyObject *texts)
{
    Py_ssize_t count = PySequence_Size(texts);
    int fine = count >= 0;
    for (Py_ssize_t at = 0; fine && at < count; at++) {
        PyObject *object = PySequence_GetItem(texts, at);
        Text text;
        fine = object && text_of(object, &text);
        if (fine)
            search_text(search, text);
        Py_XDECREF(object);
    }
    return fine;
}

static int has_ended(const Table *table, const Text *text, const Word *word, char ending, char *room)
{
    memcpy(room, text->start + word->at, word->length);
    room[word->length] = ending;
    Text alone = {room, word->length + 1};
    Word ended = word_of(&alone, 0, word->length + 1);
    return *find(table, &alone, &ended) != 0;
}

/* Looks for the words in a vocabulary, each with its endings. */
static int search_vocabulary(Search *search, const Vocabulary *known)
{
    const Text *text = &search->words.text;
    char *room = PyMem_Malloc(text->size + 1);
    for (uint32_t at = 0; room && at < search->words.count; at++) {
        const Word *one = &search->words.words[at];
        search->noticed[at + 1] = (*find(&known->table, text, one) ? ITSELF : 0) |
                                  (has_ended(&known->table, text, one, 'e', room) ? WITH_E : 0) |
                                  (has_ended(&known->table, text, one, 's', room) ? WITH_S : 0);
    }
    PyMem_Free(room);
    return room || PyErr_NoMemory();
}

/* For so many words of a text. */
static int make_search(Search *search, Text text, size_t room)
{
    memset(search->beginnings, 0, sizeof(search->beginnings));
    search->noticed = PyMem_Calloc(room + 1, 1);
    return make_table(&search->words, text, room) && (search->noticed || PyErr_NoMemory());
}

static void free_search(Search *search)
{
    free_table(&search->words);
    PyMem_Free(search->noticed);
}

static int run_search(Search *search, PyObject *known)
{
    if (Py_IS_TYPE(known, type))
        return search_vocabulary(search, (Vocabulary *)known);
    return search_texts(search, known);
}

static PyObject *overlap(Vocabulary *self, PyObject *other)
{
    if (!Py_IS_TYPE(other, type))
        return PyErr_Format(PyExc_TypeError, "not a vocabulary");
    Py_ssize_t count = 0;
    for (const Word *one = self->table.words; one < self->table.words + self->table.count; one++)
        count += *find(&((Vocabulary *)other)->table, &self->table.text, one) != 0;
    return PyLong_FromSsize_t(count);
}

/* The last bytes of a word in lower case, its last one on top; zeros under a shorter word. */
static inline uint64_t tail_of(const Text *text, const Word *word)
{
    size_t count = word->length < STEP ? word->length : STEP;
    return little(bytes_of(text, word->at + word->length - count, count)) << 8 * (STEP - count);
}

/* How many bytes of a word are s, ed or ing at its end; no branch, since none could be foreseen. */
static inline uint32_t ending_of(const Text *text, const Word *word)
{
    uint64_t tail = tail_of(text, word);
    uint32_t s = tail >> 56 == 's';
    tail <<= 8 * s;
    uint32_t ed = tail >> 48 == ('d' << 8 | 'e');
    tail <<= 16 * ed;
    return s + 2 * ed + 3 * (tail >> 40 == ('g' << 16 | 'n' << 8 | 'i'));
}

/* Where a search notices a word, and where its stem. */
typedef struct {
    uint32_t word, stem;
} Places;

static Places seek_forms(Search *search, const Word *word)
{
    uint32_t ending = ending_of(&search->words.text, word), place = seek(search, word);
    if (!ending)
        return (Places){place, place};
    Word stem = cut(*word, ending);
    return (Places){place, seek(search, &stem)};
}

static inline int is_strange(const Search *search, Places places)
{
    return places.word && !(search->noticed[places.word] & (ITSELF | WITH_S)) &&
           !(search->noticed[places.stem] & (ITSELF | WITH_E));
}

static Vocabulary *strange_words(const Vocabulary *self, const Search *search, const Places *places)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at < self->table.count; at++)
        count += is_strange(search, places[at]);
    Vocabulary *strange = make(self->text, self->table.text, count);
    for (uint32_t at = 0; strange && at < self->table.count; at++)
        if (is_strange(search, places[at]))
            append(strange, &self->table.words[at]);
    return strange;
}

static PyObject *against(Vocabulary *self, PyObject *arguments)
{
    PyObject *known;
    Vocabulary *ignored, *strange = NULL;
    if (!PyArg_ParseTuple(arguments, "OO!", &known, type, &ignored))
        return NULL;
    Search search;
    Py_ssize_t counted = 0;
    Places *places = PyMem_Calloc(self->table.count + 1, sizeof(*places));
    if (make_search(&search, self->table.text, 2 * (size_t)self->table.count) && places) {
        for (uint32_t at = 0; at < self->table.count; at++) {
            const Word *one = &self->table.words[at];
            if (*find(&ignored->table, &self->table.text, one))
                continue;
            places[at] = seek_forms(&search, one);
            counted++;
        }
        if (run_search(&search, known))
            strange = strange_words(self, &search, places);
    }
    free_search(&search);
    PyMem_Free(places);
    if (!strange)
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    return Py_BuildValue("nN", counted, strange);
}

static PyObject *words(Vocabulary *self, PyObject *none)
{
    PyObject *list = PyList_New(self->table.count);
    for (Py_ssize_t at = 0; list && at < self->table.count; at++) {
        const Word *one = &self->table.words[at];
        PyObject *word = PyBytes_FromStringAndSize(NULL, one->length);
        for (uint32_t step = 0; word && step < one->length; step += STEP) {
            uint64_t bytes = bytes_of(&self->table.text, one->at + step, one->length - step);
            memcpy(PyBytes_AsString(word) + step, &bytes, one->length - step < STEP ? one->length - step : STEP);
        }
        if (!word || PyList_SetItem(list, at, word))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *numbers(Vocabulary *self, PyObject *none)
{
    Py_ssize_t count = 0;
    for (const Word *one = self->table.words; one < self->table.words + self->table.count; one++) {
        const char *text = self->table.text.start + one->at;
        uint32_t digits = 0;
        while (digits < one->length && text[digits] >= '0' && text[digits] <= '9')
            digits++;
        count += digits == one->length;
    }
    return PyLong_FromSsize_t(count);
}

/* The bytes that can end a sentence: a line's end, and those that do so before a space. */
typedef struct {
    unsigned char is_end[256];
} Ends;

static size_t end_of_sentence(const Ends *ends, Text text, size_t at)
{
    for (; at < text.size; at++) {
        if (!ends->is_end[(unsigned char)text.start[at]])
            continue;
        if (text.start[at] == '\n')
            break;
        if (at + 1 < text.size && text.start[at + 1] == ' ')
            return at + 1;
    }
    return at;
}

typedef struct {
    double share;
    size_t start, end;
} Sentence;

/* Puts a sentence behind those with the same share or a larger one, of which so many are kept; those have been found. */
static size_t keep(Sentence *best, size_t found, size_t most, Sentence one)
{
    size_t at = found < most ? found : most;
    for (; at > 0 && best[at - 1].share < one.share; at--)
        if (at < most)
            best[at] = best[at - 1];
    if (at < most)
        best[at] = one;
    return found < most ? found + 1 : most;
}

static size_t find_densest(const Vocabulary *self, Text text, const Ends *ends, size_t *seen, Sentence *best, size_t most)
{
    Reader reader = reader_of(text);
    Word word;
    size_t found = 0;
    int more = next(&reader, &word);
    for (size_t start = 0, end; more; start = end + 1) {
        size_t here = 0, all = 0;
        end = end_of_sentence(ends, text, start);
        for (; more && word.at < end; more = next(&reader, &word), all++) {
            uint32_t place = *find(&self->table, &text, &word);
            here += place && seen[place] != end;
            seen[place] = end;
        }
        if (here)
            found = keep(best, found, most, (Sentence){(double)here / (all < SHORT ? SHORT : all), start, end});
    }
    return found;
}

static PyObject *densest(Vocabulary *self, PyObject *arguments)
{
    PyObject *object, *list = NULL;
    const char *marks;
    Py_ssize_t count, most;
    Text text;
    if (!PyArg_ParseTuple(arguments, "Oy#n", &object, &marks, &count, &most) || !text_of(object, &text))
        return NULL;
    if (most < 0 || most > MOST_SENTENCES)
        return PyErr_Format(PyExc_ValueError, "no such number of sentences");
    Ends ends = {{['\n'] = 1}};
    while (count)
        ends.is_end[(unsigned char)marks[--count]] = 1;
    Sentence best[MOST_SENTENCES];
    size_t *seen = PyMem_Calloc(self->table.count + 1, sizeof(*seen)); /* where the sentence ended that it was in last */
    if (!seen)
        return PyErr_NoMemory();
    size_t found = find_densest(self, text, &ends, seen, best, most);
    list = PyList_New(found);
    for (size_t at = 0; list && at < found; at++)
        if (PyList_SetItem(list, at, Py_BuildValue("nn", (Py_ssize_t)best[at].start, (Py_ssize_t)best[at].end)))
            Py_CLEAR(list);
    PyMem_Free(seen);
    return list;
}

/* By a table of the runs' places, counted from 1. */
static PyObject *repeats(Vocabulary *self, PyObject *length)
{
    size_t run = PyLong_AsSize_t(length);
    if (PyErr_Occurred())
        return NULL;
    if (!run || run > (size_t)self->total)
        return PyLong_FromLong(0);
    Py_ssize_t count = 0;
    uint32_t *table = PyMem_Calloc(self->table.mask + 1, sizeof(uint32_t));
    for (size_t at = 0; table && at + run <= (size_t)self->total; at++) {
        uint64_t hash = 0;
        for (size_t word = at; word < at + run; word++)
            hash = ((hash ^ hash >> 32) + self->order[word] + 1) * multipliers[0];
        size_t place = hash >> self->table.shift;
        while (table[place] && memcmp(self->order + table[place] - 1, self->order + at, run * sizeof(uint32_t)))
            place = (place + 1) & self->table.mask;
        count += table[place] != 0;
        table[place] = (uint32_t)at + 1;
    }
    if (!table)
        return PyErr_NoMemory();
    PyMem_Free(table);
    return PyLong_FromSsize_t(count);
}

static PyMethodDef methods[] = {
    {"overlap", (PyCFunction)overlap, METH_O, "How many words are in another vocabulary too."},
    {"against", (PyCFunction)against, METH_VARARGS, "How many words are not ignored, and which of them are not known."},
    {"words", (PyCFunction)words, METH_NOARGS, "The words in order of appearance."},
    {"numbers", (PyCFunction)numbers, METH_NOARGS, "How many words are numbers."},
    {"densest", (PyCFunction)densest, METH_VARARGS, "The sentences of which these words are the largest share."},
    {"repeats", (PyCFunction)repeats, METH_O, "How many runs of so many words occurred before."},
    {NULL},
};

static PyObject *total(Vocabulary *self, void *none) { return PyLong_FromSsize_t(self->total); }

static PyGetSetDef properties[] = {
    {"total", (getter)total, NULL, "How many words the text has, repeated ones too.", NULL},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The distinct words of a text: letters, digits and what is not ASCII, in lower case."},
    {Py_tp_new, new},
    {Py_tp_dealloc, dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_sq_length, length},
    {0, NULL},
};

static PyType_Spec spec = {
    "exporter.evaluators._vocabulary.Vocabulary", sizeof(Vocabulary), 0, Py_TPFLAGS_DEFAULT, slots,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_vocabulary", NULL, -1, NULL};

/* Python's own hashes differ from process to process. */
static uint64_t by_chance(const char *word)
{
    PyObject *bytes = PyBytes_FromString(word);
    uint64_t hash = bytes ? (uint64_t)PyObject_Hash(bytes) : 0;
    Py_XDECREF(bytes);
    return hash;
}

PyMODINIT_FUNC PyInit__vocabulary(void)
{
    PyObject *made = PyModule_Create(&module);
    if (!made)
        return NULL;
    multipliers[0] = (by_chance("one") << 32 ^ by_chance("two")) | 1;
    multipliers[1] = (by_chance("three") << 32 ^ by_chance("four")) | 1;
    for (size_t count = 0; count <= STEP; count++)
        memset(&masks[count], 0xFF, count);
    type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (!type || PyModule_AddObjectRef(made, "Vocabulary", (PyObject *)type))
        return NULL;
    return made;
}

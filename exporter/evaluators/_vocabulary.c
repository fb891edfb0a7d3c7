/* The distinct words of a text, as vocabulary.py defines them, without a Python object for each.

The words stand in a list, in order of appearance, and their places in that list in a table, open-addressed and at most
half full, by a hash that differs from process to process, so that nobody can send words that collide. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>

#define STEP sizeof(uint64_t) /* bytes that are looked at together */

typedef struct {
    uint64_t first, second; /* its first bytes, and those after them; zeros behind a shorter word */
    uint32_t at;
    uint32_t length;
} Word;

typedef struct {
    PyObject_HEAD
    char *text; /* words in lower case, zeros between them and behind */
    size_t size;
    Py_ssize_t total;
    Py_ssize_t distinct;
    Word *words;
    uint32_t *order; /* of each word of the text, its place among the distinct ones */
    uint32_t *table; /* places among the distinct ones, counted from 1; 0: free */
    size_t mask;
    int shift;
} Vocabulary;

static PyTypeObject *type;
static uint64_t multipliers[2];
static uint64_t masks[STEP + 1]; /* of so many bytes */

static inline uint64_t bytes_of(const char *text, size_t count)
{
    uint64_t bytes;
    memcpy(&bytes, text, STEP); /* behind a text stands enough that can be read */
    return bytes & masks[count < STEP ? count : STEP];
}

static inline Word word_of(const char *text, uint32_t at, uint32_t length)
{
    size_t rest = length < STEP ? 0 : length - STEP;
    return (Word){bytes_of(text + at, length), bytes_of(text + at + STEP, rest), at, length};
}

/* Where in the table the place of a word of a text stands, or belongs. */
static inline uint32_t *find(const Vocabulary *self, const char *text, const Word *word)
{
    uint64_t hash = word->first * multipliers[0] + word->second * multipliers[1];
    for (uint32_t at = 2 * STEP; at < word->length; at += STEP)
        hash = ((hash ^ hash >> 32) + bytes_of(text + word->at + at, word->length - at)) * multipliers[0];
    for (size_t at = hash >> self->shift;; at++) {
        uint32_t *place = &self->table[at & self->mask];
        if (!*place)
            return place;
        const Word *one = &self->words[*place - 1];
        if (one->first == word->first && one->second == word->second && one->length == word->length &&
            (one->length <= 2 * STEP || !memcmp(self->text + one->at, text + word->at, one->length)))
            return place;
    }
}

static inline int holds(const Vocabulary *self, const char *text, const Word *word)
{
    return *find(self, text, word) != 0;
}

/* Of eight bytes the letters, digits and what is not ASCII, in lower case; the others as zeros. */
static inline uint64_t lowered(uint64_t bytes)
{
    const uint64_t each = 0x0101010101010101, high = each << 7;
    uint64_t ascii = bytes & ~high, small = ascii | each << 5;
    uint64_t letters = (small + each * (128 - 'a')) & ~(small + each * (127 - 'z')) & ~bytes & high;
    uint64_t digits = (ascii + each * (128 - '0')) & ~(ascii + each * (127 - '9'));
    uint64_t kept = (letters | digits | bytes) & high;
    return (bytes | letters >> 2) & (kept >> 7) * 0xFF;
}

/* Makes the text lower case; tells where words begin and end, one after the other, and how many of those there are.
No branch depends on the text: where words end is what a processor cannot predict. */
static size_t edges_of(char *text, size_t size, uint32_t *edges)
{
    for (size_t at = 0; at < size; at += STEP) {
        uint64_t bytes;
        memcpy(&bytes, text + at, STEP);
        bytes = lowered(bytes);
        memcpy(text + at, &bytes, STEP);
    }
    size_t count = 0;
    unsigned inside = 0;
    for (size_t at = 0; at <= size; at++) {
        edges[count] = (uint32_t)at;
        count += inside ^ (text[at] != 0);
        inside = text[at] != 0;
    }
    return count;
}

static void fill(Vocabulary *self)
{
    uint32_t *edges = self->order; /* of two edges one place is made, so one does not overtake the other */
    for (Py_ssize_t at = 0; at < self->total; at++) {
        Word word = word_of(self->text, edges[2 * at], edges[2 * at + 1] - edges[2 * at]);
        uint32_t *place = find(self, self->text, &word);
        if (!*place) {
            self->words[self->distinct++] = word;
            *place = (uint32_t)self->distinct;
        }
        self->order[at] = *place - 1;
    }
}

/* Where the words of a text begin and end, and how many they are; behind that, with zeros, a copy in lower case. */
static uint32_t *edges_and_copy(const char *text, size_t size, Py_ssize_t *words, char **copy)
{
    if (size >= UINT32_MAX)
        return (uint32_t *)PyErr_Format(PyExc_OverflowError, "the text is longer than 4 GiB");
    uint32_t *edges = PyMem_Malloc((size + 2) * sizeof(uint32_t) + size + 3 * STEP);
    if (!edges)
        return (uint32_t *)PyErr_NoMemory();
    *copy = (char *)(edges + size + 2);
    memcpy(*copy, text, size);
    memset(*copy + size, 0, 3 * STEP);
    *words = edges_of(*copy, size, edges) / 2;
    return edges;
}

static PyObject *vocabulary_of(const char *text, size_t size)
{
    Vocabulary *self = (Vocabulary *)PyType_GenericAlloc(type, 0);
    if (!self)
        return NULL;
    self->size = size;
    self->order = edges_and_copy(text, size, &self->total, &self->text);
    for (self->mask = 1, self->shift = 63; self->mask < 2 * (size_t)self->total; self->shift--)
        self->mask = 2 * self->mask + 1;
    if (self->order) {
        self->words = PyMem_Malloc((self->total + 1) * sizeof(Word));
        self->table = PyMem_Calloc(self->mask + 1, sizeof(uint32_t));
        if (!self->words || !self->table)
            PyErr_NoMemory();
    }
    if (PyErr_Occurred())
        Py_CLEAR(self);
    else
        fill(self);
    return (PyObject *)self;
}

static PyObject *new(PyTypeObject *subtype, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"text", NULL};
    PyObject *text;
    char *start;
    Py_ssize_t size;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "S", names, &text) ||
        PyBytes_AsStringAndSize(text, &start, &size))
        return NULL;
    return vocabulary_of(start, size);
}

static void dealloc(Vocabulary *self)
{
    PyTypeObject *own = Py_TYPE((PyObject *)self);
    PyMem_Free(self->words);
    PyMem_Free(self->order);
    PyMem_Free(self->table);
    freefunc release = PyType_GetSlot(own, Py_tp_free);
    release(self);
    Py_DECREF(own);
}

static Py_ssize_t length(Vocabulary *self) { return self->distinct; }

static PyObject *overlap(Vocabulary *self, PyObject *arguments)
{
    Vocabulary *other;
    if (!PyArg_ParseTuple(arguments, "O!", type, &other))
        return NULL;
    Py_ssize_t count = 0;
    for (const Word *one = self->words; one < self->words + self->distinct; one++)
        count += holds(other, self->text, one);
    return PyLong_FromSsize_t(count);
}

static int holds_ended(const Vocabulary *self, char *text, uint32_t at, uint32_t length, char ending)
{
    char behind = text[at + length]; /* at least a zero */
    text[at + length] = ending;
    Word word = word_of(text, at, length + 1);
    int held = holds(self, text, &word);
    text[at + length] = behind;
    return held;
}

/* Whether a word is in another form of its own: without s, ed or ing; with e instead; with s. */
static int holds_form(const Vocabulary *self, char *text, const Word *word)
{
    static const char *const endings[] = {"s", "ed", "ing"};
    uint32_t stem = word->length;
    for (size_t at = 0; at < 3; at++) {
        uint32_t cut = (uint32_t)strlen(endings[at]);
        if (stem >= cut && memcmp(text + word->at + stem - cut, endings[at], cut) == 0)
            stem -= cut;
    }
    Word plain = word_of(text, word->at, stem);
    return (stem && holds(self, text, &plain)) || holds_ended(self, text, word->at, stem, 'e') ||
           holds_ended(self, text, word->at, word->length, 's');
}

static PyObject *against(Vocabulary *self, PyObject *arguments)
{
    Vocabulary *known, *ignored;
    if (!PyArg_ParseTuple(arguments, "O!O!", type, &known, type, &ignored))
        return NULL;
    Py_ssize_t counted = 0, size = 0;
    char *text = PyMem_Malloc(self->size + 1);
    for (const Word *one = self->words; text && one < self->words + self->distinct; one++) {
        if (holds(ignored, self->text, one))
            continue;
        counted++;
        if (holds(known, self->text, one) || holds_form(known, self->text, one))
            continue;
        memcpy(text + size, self->text + one->at, one->length);
        size += one->length;
        text[size++] = ' ';
    }
    PyObject *strange = text ? vocabulary_of(text, size) : PyErr_NoMemory();
    PyMem_Free(text);
    return strange ? Py_BuildValue("nN", counted, strange) : NULL;
}

static PyObject *words(Vocabulary *self, PyObject *none)
{
    PyObject *list = PyList_New(self->distinct);
    for (Py_ssize_t at = 0; list && at < self->distinct; at++) {
        PyObject *word = PyBytes_FromStringAndSize(self->text + self->words[at].at, self->words[at].length);
        if (!word || PyList_SetItem(list, at, word))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *numbers(Vocabulary *self, PyObject *none)
{
    Py_ssize_t count = 0;
    for (const Word *one = self->words; one < self->words + self->distinct; one++) {
        size_t digits = 0;
        while (digits < one->length && self->text[one->at + digits] >= '0' && self->text[one->at + digits] <= '9')
            digits++;
        count += digits == one->length;
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *lines(Vocabulary *self, PyObject *text)
{
    char *start, *copy;
    Py_ssize_t size, count, at = 0;
    if (PyBytes_AsStringAndSize(text, &start, &size))
        return NULL;
    uint32_t line = 0, *edges = edges_and_copy(start, size, &count, &copy);
    uint32_t *seen = PyMem_Calloc(self->distinct + 1, sizeof(uint32_t)); /* in which line a word was last */
    PyObject *list = edges && seen ? PyList_New(0) : PyErr_NoMemory();
    for (const char *next = start; list && next <= start + size; next++) {
        const char *end = memchr(next, '\n', start + size - next);
        next = end ? end : start + size;
        Py_ssize_t before = at, here = 0;
        for (line++; at < count && edges[2 * at] < next - start; at++) {
            Word word = word_of(copy, edges[2 * at], edges[2 * at + 1] - edges[2 * at]);
            uint32_t place = *find(self, copy, &word);
            here += place && seen[place] != line;
            seen[place] = line;
        }
        PyObject *pair = Py_BuildValue("nn", here, at - before);
        if (!pair || PyList_Append(list, pair))
            Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    PyMem_Free(seen);
    PyMem_Free(edges);
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
    uint32_t *table = PyMem_Calloc(self->mask + 1, sizeof(uint32_t));
    for (size_t at = 0; table && at + run <= (size_t)self->total; at++) {
        uint64_t hash = 0;
        for (size_t word = at; word < at + run; word++)
            hash = ((hash ^ hash >> 32) + self->order[word] + 1) * multipliers[0];
        size_t place = hash >> self->shift;
        while (table[place] && memcmp(self->order + table[place] - 1, self->order + at, run * sizeof(uint32_t)))
            place = (place + 1) & self->mask;
        count += table[place] != 0;
        table[place] = (uint32_t)at + 1;
    }
    if (!table)
        return PyErr_NoMemory();
    PyMem_Free(table);
    return PyLong_FromSsize_t(count);
}

static PyMethodDef methods[] = {
    {"overlap", (PyCFunction)overlap, METH_VARARGS, "How many words are in another vocabulary too."},
    {"against", (PyCFunction)against, METH_VARARGS, "How many words are not ignored, and which of them are not known."},
    {"words", (PyCFunction)words, METH_NOARGS, "The words in order of appearance."},
    {"numbers", (PyCFunction)numbers, METH_NOARGS, "How many words are numbers."},
    {"lines", (PyCFunction)lines, METH_O, "What each line of a text has of these words, and how many words in all."},
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

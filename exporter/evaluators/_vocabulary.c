/* The distinct words of a text, as vocabulary.py defines them, without a Python object for each.

A word is a place in the text. The places stand in a table, open-addressed and at most two thirds full, by a hash that
differs from process to process, so that nobody can send words that collide. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <structmember.h>

typedef struct {
    uint32_t hash;
    uint32_t length; /* 0: the place is free */
    const char *word;
} Place;

typedef struct {
    PyObject_HEAD
    PyObject *text;
    Py_ssize_t total;
    size_t distinct;
    size_t mask;
    Place *places;
} Vocabulary;

static uint32_t seed;
static PyTypeObject *type;

static inline int is_space(unsigned char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

static inline uint32_t mixed(uint32_t hash, unsigned char byte) { return (hash ^ byte) * 0x9E3779B1u; }

/* The place of a word with an ending, or the free one where it belongs. */
static inline Place *find_with(const Vocabulary *self, uint32_t hash, const char *word, size_t length,
                               const char *ending, size_t more)
{
    for (size_t at = hash ^ hash >> 15;; at++) {
        Place *place = &self->places[at & self->mask];
        if (!place->length || (place->hash == hash && place->length == length + more &&
                               memcmp(place->word, word, length) == 0 &&
                               memcmp(place->word + length, ending, more) == 0))
            return place;
    }
}

static inline Place *find(const Vocabulary *self, uint32_t hash, const char *word, size_t length)
{
    return find_with(self, hash, word, length, "", 0);
}

static inline int holds(const Vocabulary *self, const Place *one)
{
    return find(self, one->hash, one->word, one->length)->length != 0;
}

static int resize(Vocabulary *self, size_t size)
{
    Place *before = self->places, *end = before + (before ? self->mask + 1 : 0);
    Place *places = PyMem_Calloc(size, sizeof(Place));
    if (!places)
        return -1;
    self->places = places;
    self->mask = size - 1;
    for (Place *one = before; one < end; one++)
        if (one->length)
            *find(self, one->hash, one->word, one->length) = *one;
    PyMem_Free(before);
    return 0;
}

static int read_words(Vocabulary *self, const char *at, const char *end)
{
    for (;;) {
        while (at < end && is_space(*at))
            at++;
        if (at == end)
            return 0;
        const char *word = at;
        uint32_t hash = seed;
        for (; at < end && !is_space(*at); at++)
            hash = mixed(hash, *at);
        self->total++;
        Place *place = find(self, hash, word, at - word);
        if (place->length)
            continue;
        *place = (Place){hash, (uint32_t)(at - word), word};
        if (++self->distinct * 3 > 2 * self->mask && resize(self, 2 * (self->mask + 1)))
            return -1;
    }
}

static PyObject *new(PyTypeObject *subtype, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"text", NULL};
    PyObject *text;
    char *start;
    Py_ssize_t length;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "S", names, &text) ||
        PyBytes_AsStringAndSize(text, &start, &length))
        return NULL;
    if ((size_t)length > UINT32_MAX)
        return PyErr_Format(PyExc_OverflowError, "the text is longer than 4 GiB");
    Vocabulary *self = (Vocabulary *)PyType_GenericAlloc(subtype, 0);
    if (!self)
        return NULL;
    self->text = Py_NewRef(text);
    size_t size = 64;
    while ((size_t)length > 4 * size)
        size *= 2;
    if (resize(self, size) || read_words(self, start, start + length)) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void dealloc(Vocabulary *self)
{
    PyTypeObject *own = Py_TYPE((PyObject *)self);
    PyMem_Free(self->places);
    Py_XDECREF(self->text);
    freefunc release = PyType_GetSlot(own, Py_tp_free);
    release(self);
    Py_DECREF(own);
}

static Py_ssize_t length(Vocabulary *self) { return self->distinct; }

static PyObject *overlap(Vocabulary *self, PyObject *other)
{
    if (!PyObject_TypeCheck(other, type))
        return PyErr_Format(PyExc_TypeError, "not a Vocabulary");
    Py_ssize_t count = 0;
    for (Place *one = self->places; one <= self->places + self->mask; one++)
        count += one->length && holds((Vocabulary *)other, one);
    return PyLong_FromSsize_t(count);
}

/* Whether a word is in another form of its own: without s, ed or ing; with e instead; with s. */
static int holds_form(const Vocabulary *self, const Place *one)
{
    static const char *const endings[] = {"s", "ed", "ing"};
    size_t stem = one->length;
    for (size_t at = 0; at < 3; at++) {
        size_t cut = strlen(endings[at]);
        if (stem >= cut && memcmp(one->word + stem - cut, endings[at], cut) == 0)
            stem -= cut;
    }
    uint32_t hash = seed;
    for (size_t at = 0; at < stem; at++)
        hash = mixed(hash, one->word[at]);
    return (stem && find(self, hash, one->word, stem)->length) ||
           find_with(self, mixed(hash, 'e'), one->word, stem, "e", 1)->length ||
           find_with(self, mixed(one->hash, 's'), one->word, one->length, "s", 1)->length;
}

/* The words of which it is true, or untrue, that one of the others holds them, or the first one another form of them. */
static PyObject *selected(Vocabulary *self, PyObject *others, int wanted, int forms)
{
    Py_ssize_t count = PyTuple_Size(others);
    for (Py_ssize_t at = 0; at < count; at++)
        if (!PyObject_TypeCheck(PyTuple_GetItem(others, at), type))
            return PyErr_Format(PyExc_TypeError, "not a Vocabulary");
    PyObject *found = PyFrozenSet_New(NULL);
    for (Place *one = self->places; found && one <= self->places + self->mask; one++) {
        int held = 0;
        for (Py_ssize_t at = 0; one->length && !held && at < count; at++)
            held = holds((Vocabulary *)PyTuple_GetItem(others, at), one);
        if (one->length && forms && !held)
            held = holds_form((Vocabulary *)PyTuple_GetItem(others, 0), one);
        if (!one->length || held != wanted)
            continue;
        PyObject *word = PyBytes_FromStringAndSize(one->word, one->length);
        if (!word || PySet_Add(found, word))
            Py_CLEAR(found);
        Py_XDECREF(word);
    }
    return found;
}

static PyObject *shared(Vocabulary *self, PyObject *others) { return selected(self, others, 1, 0); }

static PyObject *without(Vocabulary *self, PyObject *others) { return selected(self, others, 0, 0); }

static PyObject *strange(Vocabulary *self, PyObject *others)
{
    if (!PyTuple_Size(others))
        return PyErr_Format(PyExc_TypeError, "strange to what?");
    return selected(self, others, 0, 1);
}

static PyMethodDef methods[] = {
    {"overlap", (PyCFunction)overlap, METH_O, "How many words are in another vocabulary too."},
    {"shared", (PyCFunction)shared, METH_VARARGS, "The words that are in at least one of the others."},
    {"without", (PyCFunction)without, METH_VARARGS, "The words that are in none of the others."},
    {"strange", (PyCFunction)strange, METH_VARARGS, "These, less those that the first one holds with another ending."},
    {NULL},
};

#define MOST_SKETCHED 4096

static uint32_t remainders[256];

static inline uint32_t crc32(uint32_t crc, const char *bytes, size_t length)
{
    crc = ~crc;
    for (size_t at = 0; at < length; at++)
        crc = remainders[(crc ^ (unsigned char)bytes[at]) & 0xFF] ^ crc >> 8;
    return ~crc;
}

/* By their lower bytes, then by their upper ones, each time keeping the order of equals. */
static void sort(uint16_t *numbers, size_t count)
{
    uint16_t before[MOST_SKETCHED];
    for (int shift = 0; shift < 16; shift += 8) {
        size_t starts[257] = {0};
        memcpy(before, numbers, count * sizeof(uint16_t));
        for (size_t one = 0; one < count; one++)
            starts[(before[one] >> shift & 0xFF) + 1]++;
        for (size_t byte = 0; byte < 256; byte++)
            starts[byte + 1] += starts[byte];
        for (size_t one = 0; one < count; one++)
            numbers[starts[before[one] >> shift & 0xFF]++] = before[one];
    }
}

/* The same as zlib's CRC, of the words with one space between them, and 16 bits of the one of each word's beginning. */
static PyObject *sketch(PyObject *module, PyObject *arguments)
{
    const char *text;
    Py_ssize_t length, beginning, most;
    if (!PyArg_ParseTuple(arguments, "y#nn", &text, &length, &beginning, &most))
        return NULL;
    if (beginning < 0 || most < 0 || most > MOST_SKETCHED)
        return PyErr_Format(PyExc_ValueError, "no such number of words or bytes");
    uint16_t words[MOST_SKETCHED];
    size_t count = 0, distinct = 0;
    uint32_t all = 0;
    const char *at = text, *end = text + length;
    for (int first = 1;; first = 0) {
        while (at < end && is_space(*at))
            at++;
        if (at == end)
            break;
        const char *word = at;
        while (at < end && !is_space(*at))
            at++;
        all = crc32(first ? all : crc32(all, " ", 1), word, at - word);
        if (count < (size_t)most)
            words[count++] = (uint16_t)crc32(0, word, at - word < beginning ? at - word : beginning);
    }
    sort(words, count);
    unsigned char bytes[sizeof(words)];
    for (size_t one = 0; one < count; one++) {
        if (one && words[one] == words[one - 1])
            continue;
        bytes[2 * distinct] = words[one] & 0xFF;
        bytes[2 * distinct++ + 1] = words[one] >> 8;
    }
    return Py_BuildValue("ky#", (unsigned long)all, bytes, (Py_ssize_t)(2 * distinct));
}

static PyMethodDef functions[] = {
    {"sketch", sketch, METH_VARARGS, "What vocabulary.py says of it."},
    {NULL},
};

static PyMemberDef members[] = {
    {"total", T_PYSSIZET, offsetof(Vocabulary, total), READONLY, "How many words the text has, repeated ones too."},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The distinct words of a text: what stands between white space."},
    {Py_tp_new, new},
    {Py_tp_dealloc, dealloc},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_sq_length, length},
    {0, NULL},
};

static PyType_Spec spec = {
    "exporter.evaluators._vocabulary.Vocabulary", sizeof(Vocabulary), 0, Py_TPFLAGS_DEFAULT, slots,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_vocabulary", NULL, -1, functions};

PyMODINIT_FUNC PyInit__vocabulary(void)
{
    PyObject *made = PyModule_Create(&module);
    PyObject *word = PyBytes_FromString("seed");
    if (!made || !word)
        return NULL;
    for (uint32_t one = 0; one < 256; one++) {
        remainders[one] = one;
        for (int bit = 0; bit < 8; bit++)
            remainders[one] = remainders[one] >> 1 ^ (remainders[one] & 1 ? 0xEDB88320u : 0);
    }
    seed = (uint32_t)PyObject_Hash(word); /* Python's own hashes differ from process to process */
    Py_DECREF(word);
    type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (!type || PyModule_AddObjectRef(made, "Vocabulary", (PyObject *)type))
        return NULL;
    return made;
}

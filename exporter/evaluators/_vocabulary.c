/* The distinct words of a text, as vocabulary.py defines them, without a Python object for each.

A word is a place in the text. The places stand in a table, open-addressed and at most two thirds full, by a hash that
differs from process to process, so that nobody can send words that collide. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
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

/* The place of a word, or the free one where it belongs. */
static inline Place *find(const Vocabulary *self, uint32_t hash, const char *word, size_t length)
{
    for (size_t at = hash ^ hash >> 15;; at++) {
        Place *place = &self->places[at & self->mask];
        if (!place->length ||
            (place->hash == hash && place->length == length && memcmp(place->word, word, length) == 0))
            return place;
    }
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

/* The words of which it is true, or untrue, that one of the others holds them. */
static PyObject *selected(Vocabulary *self, PyObject *others, int wanted)
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
        if (!one->length || held != wanted)
            continue;
        PyObject *word = PyBytes_FromStringAndSize(one->word, one->length);
        if (!word || PySet_Add(found, word))
            Py_CLEAR(found);
        Py_XDECREF(word);
    }
    return found;
}

static PyObject *shared(Vocabulary *self, PyObject *others) { return selected(self, others, 1); }

static PyObject *without(Vocabulary *self, PyObject *others) { return selected(self, others, 0); }

static PyMethodDef methods[] = {
    {"overlap", (PyCFunction)overlap, METH_O, "How many words are in another vocabulary too."},
    {"shared", (PyCFunction)shared, METH_VARARGS, "The words that are in at least one of the others."},
    {"without", (PyCFunction)without, METH_VARARGS, "The words that are in none of the others."},
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

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_vocabulary", NULL, -1};

PyMODINIT_FUNC PyInit__vocabulary(void)
{
    PyObject *made = PyModule_Create(&module);
    PyObject *word = PyBytes_FromString("seed");
    if (!made || !word)
        return NULL;
    seed = (uint32_t)PyObject_Hash(word); /* Python's own hashes differ from process to process */
    Py_DECREF(word);
    type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (!type || PyModule_AddObjectRef(made, "Vocabulary", (PyObject *)type))
        return NULL;
    return made;
}

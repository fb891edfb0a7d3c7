/* Counting the words of several lists in a text, as lexicon.py defines it. */

#include "filter.h"

enum { MOST_LISTS = 64 };

typedef struct {
    PyObject_HEAD
    PyObject *text; /* that the words are in */
    Table table;
    Filter filter;
    uint64_t *lists; /* of each word by its place, a bit for each list that it is in */
    Py_ssize_t count;
} Lexicon;

/* The lists as one text; how many there are. */
static PyObject *joined(PyObject *lists, Py_ssize_t *count)
{
    PyObject *space = PyBytes_FromString(" "), *all = NULL;
    *count = PySequence_Size(lists);
    if (*count > MOST_LISTS)
        PyErr_Format(PyExc_ValueError, "more than %d lists", MOST_LISTS);
    else if (space && *count >= 0)
        all = PyObject_CallMethod(space, "join", "O", lists);
    Py_XDECREF(space);
    return all;
}

static int add_list(Lexicon *self, PyObject *lists, Py_ssize_t number)
{
    PyObject *list = PySequence_GetItem(lists, number);
    Text text;
    int fine = list && text_of(list, &text);
    if (fine) {
        Reader reader = reader_of(text);
        for (Word word; next(&reader, &word);)
            self->lists[*find(&self->table, &text, &word)] |= (uint64_t)1 << number;
    }
    Py_XDECREF(list);
    return fine;
}

static int fill(Lexicon *self, PyObject *lists)
{
    Text text;
    self->text = joined(lists, &self->count);
    if (!self->text || !text_of(self->text, &text) || !make_table(&self->table, text, words_in(text)))
        return 0;
    Reader reader = reader_of(text);
    for (Word word; next(&reader, &word);)
        put(&self->table, &word);
    filter_for(&self->filter, &self->table);
    self->lists = PyMem_Calloc(self->table.count + 1, sizeof(*self->lists));
    if (!self->lists)
        return PyErr_NoMemory() != NULL;
    for (Py_ssize_t number = 0; number < self->count; number++)
        if (!add_list(self, lists, number))
            return 0;
    return 1;
}

static PyObject *new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"lists", NULL};
    PyObject *lists;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O", names, &lists))
        return NULL;
    Lexicon *self = (Lexicon *)PyType_GenericAlloc(type, 0);
    if (self && !fill(self, lists))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void dealloc(Lexicon *self)
{
    PyTypeObject *own = Py_TYPE((PyObject *)self);
    free_table(&self->table);
    PyMem_Free(self->lists);
    Py_XDECREF(self->text);
    freefunc release = PyType_GetSlot(own, Py_tp_free);
    release(self);
    Py_DECREF(own);
}

static void count_words(const Lexicon *self, Text text, unsigned char *met, long *counts)
{
    Reader reader = reader_of(text);
    for (Word word; next_that_may_be(&self->filter, &reader, &word);) {
        uint32_t place = *find(&self->table, &text, &word);
        uint64_t lists = met[place] ? 0 : self->lists[place];
        for (met[place] = 1; lists; lists &= lists - 1)
            counts[__builtin_ctzll(lists)]++;
    }
}

static PyObject *counts(Lexicon *self, PyObject *object)
{
    Text text;
    if (!text_of(object, &text))
        return NULL;
    long found[MOST_LISTS] = {0};
    unsigned char *met = PyMem_Calloc(self->table.count + 1, 1);
    if (!met)
        return PyErr_NoMemory();
    count_words(self, text, met, found);
    PyMem_Free(met);
    PyObject *list = PyList_New(self->count);
    for (Py_ssize_t at = 0; list && at < self->count; at++) {
        PyObject *one = PyLong_FromLong(found[at]);
        if (!one || PyList_SetItem(list, at, one))
            Py_CLEAR(list);
    }
    return list;
}

static PyMethodDef methods[] = {
    {"counts", (PyCFunction)counts, METH_O, "How many words of each list are in a text."},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Lists of words, to count how many of each are in a text."},
    {Py_tp_new, new},
    {Py_tp_dealloc, dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    "exporter.native._kernels.Lexicon", sizeof(Lexicon), 0, Py_TPFLAGS_DEFAULT, slots,
};

int add_lexicon(PyObject *module)
{
    prepare();
    PyObject *type = PyType_FromSpec(&spec);
    int failed = !type || PyModule_AddObjectRef(module, "Lexicon", type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

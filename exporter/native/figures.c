/* The numbers of texts as they are written, as scan.py defines them. */

#include "bytes.h"
#include "words.h"

enum { BLOCK_OF_BYTES = 32 };

static inline int has_digit(const char *block)
{
    unsigned char found = 0;
    for (int at = 0; at < BLOCK_OF_BYTES; at++) /* compilers make a few instructions of it */
        found |= (unsigned char)(block[at] - '0') < 10;
    return found;
}

static inline const char *next_digit(const char *at, const char *end)
{
    while (end - at >= BLOCK_OF_BYTES && !has_digit(at))
        at += BLOCK_OF_BYTES;
    while (at < end && !is_digit(*at))
        at++;
    return at;
}

/* The next number of a text from a place on: digits with single marks between them, as in 1,200.50 or 17:30. */
static inline int next_figure(const Text *text, size_t *from, size_t *start)
{
    const char *end = text->start + text->size, *at = next_digit(text->start + *from, end);
    *start = at - text->start;
    if (at == end)
        return 0;
    while (++at < end && (is_digit(*at) || (at + 1 < end && is_one_of(".,:'/-", *at) && is_digit(at[1]))))
        ;
    *from = at - text->start;
    return 1;
}

static int append_figure(PyObject *list, const Text *text, size_t start, size_t end)
{
    PyObject *figure = PyBytes_FromStringAndSize(text->start + start, end - start);
    int failed = !figure || PyList_Append(list, figure);
    Py_XDECREF(figure);
    return failed;
}

static PyObject *figures(PyObject *module, PyObject *object)
{
    Text text;
    if (!text_of(object, &text))
        return NULL;
    PyObject *list = PyList_New(0);
    for (size_t at = 0, start; list && next_figure(&text, &at, &start);)
        if (append_figure(list, &text, start, at))
            Py_CLEAR(list);
    return list;
}

/* The figures of a text, and of each whether it is in others too. */
typedef struct {
    Table table;
    unsigned char *found; /* by their places in the table */
} Figures;

static int make_figures(Figures *all, Text text)
{
    size_t room = 0;
    for (size_t at = 0, start; next_figure(&text, &at, &start);)
        room++;
    all->found = PyMem_Calloc(room + 1, 1);
    if (!make_table(&all->table, text, room) || !all->found)
        return PyErr_NoMemory() != NULL;
    for (size_t at = 0, start; next_figure(&text, &at, &start);) {
        Word word = word_of(&text, (uint32_t)start, (uint32_t)(at - start));
        put(&all->table, &word);
    }
    return 1;
}

static int look_in(Figures *all, PyObject *texts, Py_ssize_t number)
{
    PyObject *object = PySequence_GetItem(texts, number);
    Text text;
    int fine = object && text_of(object, &text);
    for (size_t at = 0, start; fine && next_figure(&text, &at, &start);) {
        Word word = word_of(&text, (uint32_t)start, (uint32_t)(at - start));
        all->found[*find(&all->table, &text, &word)] = 1;
    }
    Py_XDECREF(object);
    return fine;
}

static PyObject *other_figures(PyObject *module, PyObject *arguments)
{
    PyObject *object, *texts, *list = NULL;
    Text text;
    Figures all;
    if (!PyArg_ParseTuple(arguments, "OO", &object, &texts) || !text_of(object, &text))
        return NULL;
    int fine = make_figures(&all, text);
    Py_ssize_t count = fine && all.table.count ? PySequence_Size(texts) : 0;
    for (Py_ssize_t number = 0; fine && number < count; number++)
        fine = look_in(&all, texts, number);
    if (fine && count >= 0)
        list = PyList_New(0);
    for (size_t at = 0, start; list && next_figure(&text, &at, &start);) {
        Word word = word_of(&text, (uint32_t)start, (uint32_t)(at - start));
        if (!all.found[*find(&all.table, &text, &word)] && append_figure(list, &text, start, at))
            Py_CLEAR(list);
    }
    free_table(&all.table);
    PyMem_Free(all.found);
    return list;
}

static int append_groups(PyObject *list, const Text *text)
{
    size_t start, end;
    for (size_t next = 0; next_figure(text, &next, &start);)
        for (size_t at = start; at < next; at = end + 1) {
            for (end = at; end < next && is_digit(text->start[end]);)
                end++;
            if (append_figure(list, text, at, end))
                return 0;
        }
    return 1;
}

static PyObject *digit_groups(PyObject *module, PyObject *texts)
{
    PyObject *list = PyList_New(0);
    Py_ssize_t count = PySequence_Size(texts);
    int fine = list && count >= 0;
    for (Py_ssize_t number = 0; fine && number < count; number++) {
        PyObject *object = PySequence_GetItem(texts, number);
        Text text;
        fine = object && text_of(object, &text) && append_groups(list, &text);
        Py_XDECREF(object);
    }
    if (!fine)
        Py_CLEAR(list);
    return list;
}

static PyMethodDef functions[] = {
    {"digit_groups", digit_groups, METH_O, "What scan.py says of it."},
    {"figures", figures, METH_O, "What scan.py says of it."},
    {"other_figures", other_figures, METH_VARARGS, "What scan.py says of it."},
    {NULL},
};

int add_figures(PyObject *module)
{
    prepare();
    return PyModule_AddFunctions(module, functions);
}

/* The distinct words of a text, as vocabulary.py defines them, without a Python object for each. */

#include "search.h"

typedef struct {
    PyObject_HEAD
    PyObject *text;
    Table table;
    Py_ssize_t total;
    uint32_t *order; /* of each word of the text, its place among the distinct ones */
} Vocabulary;

static PyTypeObject *type;

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

static Py_ssize_t common_words(const Table *one, const Table *other)
{
    Py_ssize_t count = 0;
    for (const Word *word = one->words; word < one->words + one->count; word++)
        count += *find(other, &one->text, word) != 0;
    return count;
}

/* How many of the words are in a text; -1 where there is no memory. */
static Py_ssize_t words_met(const Table *table, Text text)
{
    Py_ssize_t count = 0;
    unsigned char *met = PyMem_Calloc(table->count + 1, 1); /* of each word, whether it was; the first is of no word */
    if (!met)
        return -1;
    met[0] = 1;
    Filter filter;
    filter_for(&filter, table);
    Reader reader = reader_of(text);
    for (Word word; next_that_may_be(&filter, &reader, &word);) {
        unsigned char *one = &met[*find(table, &text, &word)];
        count += !*one;
        *one = 1;
    }
    PyMem_Free(met);
    return count;
}

static PyObject *overlap(Vocabulary *self, PyObject *other)
{
    if (Py_IS_TYPE(other, type)) {
        const Table *one = &self->table, *its = &((Vocabulary *)other)->table;
        return PyLong_FromSsize_t(one->count < its->count ? common_words(one, its) : common_words(its, one));
    }
    Text text;
    if (!text_of(other, &text))
        return NULL;
    Py_ssize_t count = words_met(&self->table, text);
    return count < 0 ? PyErr_NoMemory() : PyLong_FromSsize_t(count);
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

static int run_search(Search *search, PyObject *known)
{
    if (Py_IS_TYPE(known, type))
        return search_table(search, &((Vocabulary *)known)->table);
    return search_texts(search, known);
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

/* A word in lower case. */
static PyObject *lowered(const Text *text, const Word *one)
{
    PyObject *word = PyBytes_FromStringAndSize(NULL, one->length);
    for (uint32_t step = 0; word && step < one->length; step += STEP) {
        uint64_t bytes = bytes_of(text, one->at + step, one->length - step);
        memcpy(PyBytes_AsString(word) + step, &bytes, one->length - step < STEP ? one->length - step : STEP);
    }
    return word;
}

static int append_word(PyObject *list, PyObject *word)
{
    int failed = !word || PyList_Append(list, word);
    Py_XDECREF(word);
    return failed;
}

static PyObject *words(Vocabulary *self, PyObject *none)
{
    PyObject *list = PyList_New(0);
    const Word *end = self->table.words + self->table.count;
    for (const Word *one = self->table.words; list && one < end; one++)
        if (append_word(list, lowered(&self->table.text, one)))
            Py_CLEAR(list);
    return list;
}

static PyObject *digits_first(Vocabulary *self, PyObject *none)
{
    PyObject *list = PyList_New(0);
    const Word *end = self->table.words + self->table.count;
    for (const Word *one = self->table.words; list && one < end; one++) {
        char first = self->table.text.start[one->at];
        if (first >= '0' && first <= '9' && append_word(list, lowered(&self->table.text, one)))
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

/* Sentences that are told, and words that a shorter text counts as. */
enum { MOST = 3, SHORT = 3 };

static PyObject *share(Vocabulary *self, PyObject *arguments)
{
    PyObject *object;
    Vocabulary *ignored;
    Text text;
    Table words;
    if (!PyArg_ParseTuple(arguments, "OO!", &object, type, &ignored) || !text_of(object, &text))
        return NULL;
    uint32_t mine = 0, counted = 0;
    int fine = make_table(&words, text, words_in(text));
    Reader reader = reader_of(text);
    for (Word word; fine && next(&reader, &word);)
        put(&words, &word);
    for (const Word *one = words.words; fine && one < words.words + words.count; one++) {
        mine += *find(&self->table, &text, one) != 0;
        counted += *find(&ignored->table, &text, one) == 0;
    }
    free_table(&words);
    return fine ? PyFloat_FromDouble((double)mine / (counted < SHORT ? SHORT : counted)) : NULL;
}

typedef struct {
    double share;
    size_t start, end;
} Sentence;

/* The sentences found that have the largest shares; of equals the first ones. */
typedef struct {
    Sentence all[MOST];
    size_t count;
} Best;

static void keep(Best *best, Sentence one)
{
    size_t at = best->count;
    while (at > 0 && best->all[at - 1].share < one.share)
        at--;
    if (best->count < MOST)
        best->count++;
    for (size_t last = best->count - 1; last > at; last--)
        best->all[last] = best->all[last - 1];
    if (at < MOST)
        best->all[at] = one;
}

typedef struct {
    unsigned char is_one[256]; /* of each byte, whether it ends a sentence where a space follows */
} Marks;

static inline int is_break(Text text, size_t at, const Marks *marks)
{
    return text.start[at] == '\n' || (text.start[at] == ' ' && at && marks->is_one[(unsigned char)text.start[at - 1]]);
}

/* Breaks are looked for between words alone. */
static void find_densest(const Vocabulary *self, Text text, const Marks *marks, size_t *seen, Best *best)
{
    Filter filter;
    filter_for(&filter, &self->table);
    Reader reader = reader_of(text);
    Word word;
    size_t here = 0, all = 0, sentence = 1, start = 0;
    for (size_t at = 0; at <= text.size;) {
        int more = next(&reader, &word);
        for (size_t end = more ? word.at : text.size + 1; at < end; at++) {
            if (at < text.size && !is_break(text, at, marks))
                continue;
            if (here)
                keep(best, (Sentence){(double)here / (all < SHORT ? SHORT : all), start, at});
            here = all = 0;
            start = at + 1;
            sentence++;
        }
        if (!more)
            break;
        uint32_t place = may_be(&filter, word.first) ? *find(&self->table, &text, &word) : 0;
        here += place && seen[place] != sentence;
        all++;
        seen[place] = sentence;
        at = word.at + word.length;
    }
}

static PyObject *densest(Vocabulary *self, PyObject *arguments)
{
    PyObject *object;
    const char *ends;
    Py_ssize_t count;
    Text text;
    if (!PyArg_ParseTuple(arguments, "Oy#", &object, &ends, &count) || !text_of(object, &text))
        return NULL;
    Marks marks = {{0}};
    while (count)
        marks.is_one[(unsigned char)ends[--count]] = 1;
    Best best = {.count = 0};
    size_t *seen = PyMem_Calloc(self->table.count + 1, sizeof(*seen)); /* in which sentence each word was last */
    if (!seen)
        return PyErr_NoMemory();
    find_densest(self, text, &marks, seen, &best);
    PyMem_Free(seen);
    PyObject *list = PyList_New(best.count);
    for (size_t at = 0; list && at < best.count; at++) {
        PyObject *place = Py_BuildValue("nn", (Py_ssize_t)best.all[at].start, (Py_ssize_t)best.all[at].end);
        if (!place || PyList_SetItem(list, at, place))
            Py_CLEAR(list);
    }
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
    {"overlap", (PyCFunction)overlap, METH_O, "How many words are in another vocabulary, or in a text, too."},
    {"against", (PyCFunction)against, METH_VARARGS, "How many words are not ignored, and which of them are not known."},
    {"words", (PyCFunction)words, METH_NOARGS, "The words in order of appearance."},
    {"digits_first", (PyCFunction)digits_first, METH_NOARGS, "The words that begin with a digit, in order."},
    {"numbers", (PyCFunction)numbers, METH_NOARGS, "How many words are numbers."},
    {"share", (PyCFunction)share, METH_VARARGS, "Which share of a text's words, but for those ignored, these are."},
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
    "exporter.native._kernels.Vocabulary", sizeof(Vocabulary), 0, Py_TPFLAGS_DEFAULT, slots,
};

int add_vocabulary(PyObject *module)
{
    prepare();
    type = (PyTypeObject *)PyType_FromSpec(&spec);
    return type ? PyModule_AddObjectRef(module, "Vocabulary", (PyObject *)type) : -1;
}

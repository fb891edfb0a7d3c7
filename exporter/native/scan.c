/* What one look over a text tells, as scan.py defines it. */

#include "bytes.h"

static inline int is_of_word(char byte)
{
    return is_small(byte) || is_capital(byte) || (byte >= '0' && byte <= '9') || byte == '_';
}

/* Where a name ends that begins at a place: capitals with what follows them, and a character behind each. */
static const char *end_of_name(const char *at, const char *end)
{
    while (at < end && is_capital(*at)) {
        while (at < end && (is_of_word(*at) || is_one_of("'-", *at)))
            at++;
        if (at < end && !is_of_word(*at))
            at++;
        while (at < end && (at[0] & 0xC0) == 0x80) /* the rest of a character of UTF-8 */
            at++;
    }
    return at;
}

static PyObject *names(PyObject *module, PyObject *arguments)
{
    const char *start;
    Py_ssize_t size, found = 0;
    if (!PyArg_ParseTuple(arguments, "s#", &start, &size)) /* of ASCII, what is there */
        return NULL;
    char *names = PyMem_Malloc(size + 1);
    if (!names)
        return PyErr_NoMemory();
    for (const char *at = start + 1, *end = start + size; at + 1 < end; at++) {
        while (end - at > 9 && !has_between(at + 1, 'A', 'Z'))
            at += 8;
        if (!is_capital(at[1]) || *at != ' ' || !(is_small(at[-1]) || is_one_of(",;'\")", at[-1])))
            continue;
        const char *name = at + 1;
        at = end_of_name(name, end);
        memcpy(names + found, name, at - name);
        found += at - name;
        names[found++] = ' ';
    }
    PyObject *bytes = PyBytes_FromStringAndSize(names, found);
    PyMem_Free(names);
    return bytes;
}

static inline int is_mark(uint32_t one)
{
    return one == 0xA0 || (one >= 0xA2 && one < 0xAA) || one == 0xAB || (one >= 0xAE && one < 0xB2) || one == 0xB7 ||
           one == 0xBB || one == 0x60C || one == 0x61B || one == 0x61F || one == 0x964 || one == 0x965 ||
           (one >= 0x2000 && one < 0x2070) || (one >= 0x20A0 && one < 0x20D0) || (one >= 0x2190 && one < 0x27C0) ||
           (one >= 0x3000 && one < 0x3012) || (one >= 0xFF00 && one < 0xFF10);
}

static inline int stands_alone(uint32_t one)
{
    return (one >= 0x0E00 && one < 0x0E80) || (one >= 0x3040 && one < 0x3100) || (one >= 0x3400 && one < 0xA000) ||
           (one >= 0xF900 && one < 0xFB00);
}

/* The character of two or three bytes that stands at a place, or 0: all that matters here have so many. */
static inline uint32_t character(const unsigned char *at, size_t left)
{
    if (at[0] >= 0xC0 && at[0] < 0xE0 && left > 1)
        return (uint32_t)(at[0] & 0x1F) << 6 | (at[1] & 0x3F);
    if (at[0] >= 0xE0 && at[0] < 0xF0 && left > 2)
        return (uint32_t)(at[0] & 0x0F) << 12 | (uint32_t)(at[1] & 0x3F) << 6 | (at[2] & 0x3F);
    return 0;
}

static inline int is_lowered(uint32_t one)
{
    return (one >= 0xC0 && one < 0xDF && one != 0xD7) || (one >= 0x400 && one < 0x430);
}

/* A character of two bytes in lower case. */
static inline void lower(uint32_t one, char *to)
{
    one += one >= 0x400 && one < 0x410 ? 0x50 : 0x20;
    to[0] = (char)(0xC0 | one >> 6);
    to[1] = (char)(0x80 | (one & 0x3F));
}

static inline int may_have_lower(uint32_t one)
{
    return (one >= 0x100 && one < 0x400) || (one >= 0x430 && one < 0x590) || (one >= 0x10A0 && one < 0x2000) ||
           (one >= 0x2100 && one < 0x2190) || (one >= 0x24B0 && one < 0x24D0) || (one >= 0x2C00 && one < 0x2E00) ||
           (one >= 0xA640 && one < 0xAC00) || (one >= 0xFF20 && one < 0xFF40);
}

static PyObject *has_other_capitals(PyObject *module, PyObject *text)
{
    char *start;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(text, &start, &size))
        return NULL;
    int found = 0;
    for (const unsigned char *at = (unsigned char *)start, *end = at + size; at < end && !found; at++)
        if (*at >= 0xC0) /* of four bytes, those below U+1F000 */
            found = *at == 0xF0 ? end - at > 1 && at[1] < 0x9F : may_have_lower(character(at, end - at));
    return PyBool_FromLong(found);
}

static PyObject *apart(PyObject *module, PyObject *text)
{
    char *start;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(text, &start, &size))
        return NULL;
    char *words = PyMem_Malloc(2 * size + 1), *to = words; /* of three bytes five are made at most */
    if (!words)
        return PyErr_NoMemory();
    for (const unsigned char *at = (unsigned char *)start, *end = at + size; at < end;) {
        uint32_t one = *at < 0x80 ? 0 : character(at, end - at);
        Py_ssize_t length = !one ? 1 : *at < 0xE0 ? 2 : 3;
        int alone = stands_alone(one);
        if (alone || is_mark(one))
            *to++ = ' ';
        if (length == 2 && is_lowered(one))
            lower(one, to);
        else if (!is_mark(one))
            memcpy(to, at, length);
        to += is_mark(one) ? 0 : length;
        if (alone)
            *to++ = ' ';
        at += length;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(words, to - words);
    PyMem_Free(words);
    return bytes;
}

/* What a character is between words; 0 where it is part of one. */
enum { APART = 1, COMMA, END };

#define RIGHT_QUOTE 0x2019 /* that stands for an apostrophe */

static inline int is_apart(uint32_t one)
{
    if (one < 0x80)
        return is_space((unsigned char)one) || is_one_of("\x1C\x1D\x1E\x1F\"#$%&()*+./<=>@[\\]^_`{|}~\x7F", (char)one);
    return one < 0xC0 || one == 0x1680 || (one >= 0x2000 && one < 0x200B) || (one >= 0x2010 && one < 0x2060) ||
           (one >= 0x3000 && one < 0x3020) || (one >= 0xFF01 && one < 0xFF10);
}

static int kind_of(uint32_t one)
{
    static const uint32_t ends[] = {'!', '?', '\n', 0x61F, 0x964, 0x3002, 0xFF01, 0xFF1F};
    static const uint32_t commas[] = {',', ';', ':', 0x60C, 0x3001, 0xFF0C, 0xFF1A, 0xFF1B};
    for (size_t at = 0; at < sizeof(ends) / sizeof(*ends); at++)
        if (one == ends[at] || one == commas[at])
            return one == ends[at] ? END : COMMA;
    return is_apart(one) ? APART : 0;
}

static unsigned char is_plain[256]; /* of a byte, whether it is an ASCII character of a word */

/* Sentences as they are written: a space before the first word of each, and behind each word. */
typedef struct {
    char *start, *to;
    Py_ssize_t ended; /* how many are */
    int begun, in_word;
} Sentences;

static inline void begin(Sentences *all)
{
    if (!all->begun && all->to > all->start)
        *all->to++ = '\n';
    if (!all->begun)
        *all->to++ = ' ';
    all->begun = 1;
}

static inline void part(Sentences *all, int kind)
{
    if (all->in_word)
        *all->to++ = ' ';
    all->in_word = 0;
    if (kind == COMMA) {
        begin(all);
        *all->to++ = ',';
        *all->to++ = ' ';
    }
    if (kind == END) {
        all->ended += all->begun;
        all->begun = 0;
    }
}

static inline void letters(Sentences *all, const char *at, Py_ssize_t length)
{
    begin(all);
    all->in_word = 1;
    for (const char *end = at + length; at < end; at++)
        *all->to++ = is_capital(*at) ? *at | 0x20 : *at;
}

/* What is no ASCII letter or digit; its length. */
static Py_ssize_t other(Sentences *all, const char *at, const char *end)
{
    unsigned char byte = (unsigned char)*at;
    uint32_t one = byte < 0x80 ? byte : character((const unsigned char *)at, end - at);
    Py_ssize_t length = byte < 0x80 || !one ? 1 : byte < 0xE0 ? 2 : 3;
    int kind = byte == '.' && end - at > 1 && at[1] == ' ' ? END : one ? kind_of(one) : 0;
    if (one == RIGHT_QUOTE)
        letters(all, "'", 1);
    else if (kind)
        part(all, kind);
    else
        letters(all, at, length);
    return length;
}

static PyObject *first_sentences(PyObject *module, PyObject *arguments)
{
    const char *text;
    Py_ssize_t size, most;
    if (!PyArg_ParseTuple(arguments, "s#n", &text, &size, &most))
        return NULL;
    char *written = PyMem_Malloc(3 * size + 1); /* a comma alone becomes three bytes, a!a! eight */
    if (!written)
        return PyErr_NoMemory();
    Sentences all = {written, written, 0, 0, 0};
    for (const char *at = text, *end = text + size; at < end && all.ended < most;) {
        const char *word = at;
        while (at < end && is_plain[(unsigned char)*at])
            at++;
        if (at > word)
            letters(&all, word, at - word);
        else
            at += other(&all, at, end);
    }
    part(&all, 0);
    PyObject *bytes = PyBytes_FromStringAndSize(written, all.to - written);
    PyMem_Free(written);
    return bytes;
}

static unsigned char breaks[256];

/* Looks back from where a run could end; from a break found there the next one can only end so much further on. */
static int has_bytes(const char *text, Py_ssize_t size, Py_ssize_t length)
{
    Py_ssize_t run = 0;
    for (Py_ssize_t end = length; end <= size && run < length; end += length - run)
        for (run = 0; run < length && !breaks[(unsigned char)text[end - 1 - run]];)
            run++;
    return run >= length;
}

static int has_characters(const char *text, Py_ssize_t size, Py_ssize_t length)
{
    Py_ssize_t run = 0;
    for (Py_ssize_t at = 0; at < size && run < length; at++)
        run = breaks[(unsigned char)text[at]] ? 0 : run + ((text[at] & 0xC0) != 0x80);
    return run >= length;
}

static PyObject *has_run(PyObject *module, PyObject *arguments)
{
    const char *text;
    Py_ssize_t size, length;
    if (!PyArg_ParseTuple(arguments, "s#n", &text, &size, &length))
        return NULL;
    return PyBool_FromLong(has_bytes(text, size, length) && has_characters(text, size, length));
}

static PyMethodDef functions[] = {
    {"apart", apart, METH_O, "What scan.py says of it."},
    {"first_sentences", first_sentences, METH_VARARGS, "What scan.py says of it."},
    {"has_other_capitals", has_other_capitals, METH_O, "What scan.py says of it."},
    {"has_run", has_run, METH_VARARGS, "What scan.py says of it."},
    {"names", names, METH_VARARGS, "What scan.py says of it."},
    {NULL},
};

int add_scan(PyObject *module)
{
    for (uint32_t one = 0; one < 0x80; one++)
        is_plain[one] = !kind_of(one);
    for (uint32_t one = 0; one < 256; one++)
        breaks[one] = is_one_of("\t\n\f\r =_*~#.|+-", (char)one);
    return PyModule_AddFunctions(module, functions);
}

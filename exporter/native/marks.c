/* Whether a text has a mark of something private, as redaction.py defines it. */

#include "kernels.h"

#define DIGITS 9
#define NAMED 8
#define KEY 17
#define LONG 8000 /* bytes: redaction.py gives up on a text with many places to look at, which here are not counted */

enum { WATCHED = 1, DIGIT = 2, LETTER = 4, OF_WORD = 8, OF_TOKEN = 16, OF_NUMBER = 32, BETWEEN = 64 };
static unsigned char classes[256];

static inline int is(int wanted, char byte) { return classes[(unsigned char)byte] & wanted; }

/* What each name of a secret has, in ASCII whatever its case: for re2, an s may be a long s and a k a Kelvin sign. */
static const char *const names[] = {"ey", "cret", "to", "pa", "pwd", "cred", "auth", "bear", "ic", NULL};

static int is_named(const char *start, const char *end)
{
    for (; start < end; start++)
        for (const char *const *name = names; *name; name++) {
            Py_ssize_t at = 0;
            while ((*name)[at] && at < end - start && (start[at] | 0x20) == (*name)[at])
                at++;
            if (!(*name)[at])
                return 1;
        }
    return 0;
}

/* From a digit on, the first of its number: where the number ends, or NULL where it has so many digits. */
static const char *end_of_number(const char *start, const char *at, const char *end)
{
    Py_ssize_t digits = 0;
    while (at > start && is(OF_NUMBER, at[-1]))
        at--;
    for (; at < end && is(OF_NUMBER, *at); at++)
        digits += is(DIGIT, *at) || *at == '+';
    return digits >= DIGITS ? NULL : at;
}

/* From a digit on, the first of its token: where the token ends, or NULL where it is long or has a name. */
static const char *end_of_token(const char *start, const char *at, const char *end)
{
    const char *first = at;
    while (first > start && is(OF_TOKEN, first[-1]))
        first--;
    while (at < end && is(OF_TOKEN, *at))
        at++;
    if (at - first >= KEY)
        return NULL;
    if (at - first < NAMED)
        return at;
    while (first > start && is(BETWEEN, first[-1]))
        first--;
    while (first > start && is(OF_TOKEN, first[-1]))
        first--;
    return is_named(first, at) ? NULL : at;
}

static int may_be_iban(const char *start, const char *at)
{
    return at - start >= 3 && is(DIGIT, at[-1]) && is(LETTER, at[-2]) && is(LETTER, at[-3]) &&
           (at - start == 3 || !is(OF_WORD, at[-4]));
}

static int begins_key(const char *start, const char *at, const char *end)
{
    return (*at == 'J' && at - start >= 2 && at[-2] == 'e' && at[-1] == 'y') ||
           (end - at > 5 && !memcmp(at, "-----", 5) && (at[5] | 0x20) == 'b');
}

/* The compiler compares all bytes of a block at once. */
typedef unsigned char block __attribute__((vector_size(16)));

static inline int is_any_watched(const char *at)
{
    block bytes, watched;
    uint64_t halves[2];
    memcpy(&bytes, at, sizeof(block));
    watched = (block)(bytes - '0' <= 9) | (block)(bytes == '@') | (block)(bytes == '-') | (block)(bytes == 'J');
    memcpy(halves, &watched, sizeof(block));
    return (halves[0] | halves[1]) != 0;
}

static const char *next_watched(const char *at, const char *end)
{
    while (end - at >= (Py_ssize_t)sizeof(block) && !is_any_watched(at))
        at += sizeof(block);
    while (at < end && !is(WATCHED, *at))
        at++;
    return at;
}

static int is_marked(const char *start, const char *end)
{
    const char *number = start, *token = start; /* where the last of each ends */
    for (const char *at = next_watched(start, end); at < end; at = next_watched(at + 1, end)) {
        if (!is(DIGIT, *at)) {
            if (*at == '@' || begins_key(start, at, end))
                return 1;
            continue;
        }
        if (may_be_iban(start, at))
            return 1;
        if (at >= number && !(number = end_of_number(start, at, end)))
            return 1;
        if (at >= token && !(token = end_of_token(start, at, end)))
            return 1;
    }
    return 0;
}

static PyObject *has_mark(PyObject *module, PyObject *text)
{
    Py_ssize_t size = PyUnicode_GetLength(text);
    if (size < 0)
        return NULL;
    const char *start = size > LONG ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
    if (size > LONG)
        Py_RETURN_TRUE;
    if (start)
        return PyBool_FromLong(is_marked(start, start + size));
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return NULL;
    PyErr_Clear(); /* half a character */
    Py_RETURN_TRUE;
}

static PyMethodDef functions[] = {
    {"has_mark", has_mark, METH_O, "What redaction.py says of it."},
    {NULL},
};

static void classify(int as, const char *bytes)
{
    for (; *bytes; bytes++)
        classes[(unsigned char)*bytes] |= as;
}

int add_marks(PyObject *module)
{
    const char *digits = "0123456789", *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    memset(classes, 0, sizeof(classes));
    classify(WATCHED | DIGIT | OF_WORD | OF_TOKEN | OF_NUMBER, digits);
    classify(LETTER | OF_WORD | OF_TOKEN, letters);
    classify(OF_WORD, "_");
    classify(OF_TOKEN, "_+/.~!@#$%^&*=-\xc5\xbf\xe2\x84\xaa"); /* a long s and a Kelvin sign are letters to re2, too */
    classify(OF_NUMBER, " ().+/-");
    classify(BETWEEN, " \t\r\n\f\v\"'\\:=>");
    classify(WATCHED, "@J-");
    return PyModule_AddFunctions(module, functions);
}

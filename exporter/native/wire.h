/* The wire form of protobuf: its fields, and OTLP's attributes as plain Python values, with about their size in memory.

Whatever protobuf reads otherwise, or not at all, is not read: every function then says 0 or NULL, and mostly sets no
error. */

#ifndef LLMQ_WIRE_H
#define LLMQ_WIRE_H

#include "kernels.h"

enum { DEEPEST = 16, KNOWN = 1024, LONGEST = 63, HIGHEST_TAG = 0x3FFF };
enum { NUMBER = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

#define TAG(number, type) ((number) << 3 | (type))

typedef struct {
    const unsigned char *at, *end;
} Bytes;

typedef struct {
    uint64_t tag, number;
    Bytes content;
} Field;

/* Names met last, so that the same name is the same object. */
static struct {
    PyObject *name;
    unsigned char length;
    char text[LONGEST];
} known[KNOWN];

static int is_at_end(const Bytes *bytes) { return bytes->at == bytes->end; }

static int varint(Bytes *bytes, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && !is_at_end(bytes); shift += 7) {
        unsigned char byte = *bytes->at++;
        if (shift == 63 && byte > 1)
            return 0;
        *value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return 1;
    }
    return 0;
}

static int fixed(Bytes *bytes, int size, uint64_t *value)
{
    *value = 0;
    if (bytes->end - bytes->at < size)
        return 0;
    for (int at = size; at--;)
        *value = *value << 8 | bytes->at[at];
    bytes->at += size;
    return 1;
}

/* A tag or a length, which protobuf reads from no more than five bytes. */
static int header(Bytes *bytes, uint64_t *value)
{
    const unsigned char *start = bytes->at;
    return varint(bytes, value) && bytes->at - start <= 5;
}

static int length_delimited(Bytes *bytes, Bytes *inner)
{
    uint64_t length;
    if (!header(bytes, &length) || length > (uint64_t)(bytes->end - bytes->at))
        return 0;
    inner->at = bytes->at;
    inner->end = bytes->at += length;
    return 1;
}

/* The content of a field with this tag, which must come next. */
static int content(Bytes *bytes, unsigned char tag, Bytes *inner)
{
    if (is_at_end(bytes) || *bytes->at != tag)
        return 0;
    bytes->at++;
    return length_delimited(bytes, inner);
}

/* The next field, of any kind but a group. */
static int next(Bytes *bytes, Field *field)
{
    if (!header(bytes, &field->tag) || field->tag < TAG(1, 0) || field->tag > HIGHEST_TAG)
        return 0;
    switch (field->tag & 7) {
    case NUMBER:
        return varint(bytes, &field->number);
    case FIXED64:
        return fixed(bytes, 8, &field->number);
    case LENGTH:
        return length_delimited(bytes, &field->content);
    case FIXED32:
        return fixed(bytes, 4, &field->number);
    default:
        return 0;
    }
}

/* The memory of a text: by its widest character, each takes one, two or four bytes. */
static Py_ssize_t weight(const Bytes *bytes, PyObject *text)
{
    Py_ssize_t length = PyUnicode_GetLength(text), width = 1;
    if (length == bytes->end - bytes->at)
        return 56 + length;
    for (const unsigned char *at = bytes->at; at < bytes->end && width < 4; at++)
        width = *at >= 0xF0 ? 4 : *at >= 0xC4 ? 2 : width;
    return 80 + length * width;
}

static PyObject *plain_text(const Bytes *bytes)
{
    return PyUnicode_DecodeUTF8((const char *)bytes->at, bytes->end - bytes->at, "strict");
}

static PyObject *text(const Bytes *bytes, Py_ssize_t *size)
{
    PyObject *found = plain_text(bytes);
    if (found)
        *size += weight(bytes, found);
    return found;
}

static PyObject *raw(const Bytes *bytes)
{
    return PyBytes_FromStringAndSize((const char *)bytes->at, bytes->end - bytes->at);
}

static PyObject *name(const Bytes *bytes, Py_ssize_t *size)
{
    size_t length = bytes->end - bytes->at;
    if (length > LONGEST)
        return text(bytes, size);
    uint32_t hash = 2166136261u;
    for (size_t at = 0; at < length; at++)
        hash = (hash ^ bytes->at[at]) * 16777619u;
    hash = (hash ^ hash >> 15) % KNOWN;
    if (!known[hash].name || known[hash].length != length || memcmp(known[hash].text, bytes->at, length) != 0) {
        PyObject *made = text(bytes, size), *before = known[hash].name;
        if (!made)
            return NULL;
        known[hash].name = made;
        Py_XDECREF(before);
        known[hash].length = (unsigned char)length;
        memcpy(known[hash].text, bytes->at, length);
    }
    return Py_NewRef(known[hash].name);
}

static PyObject *value(Bytes bytes, int depth, Py_ssize_t *size);

static int entry(PyObject *into, Bytes bytes, int depth, Py_ssize_t *size)
{
    Bytes inner;
    if (!content(&bytes, 0x0A, &inner))
        return 0;
    PyObject *key = name(&inner, size), *found = NULL;
    if (key && is_at_end(&bytes))
        found = Py_NewRef(Py_None);
    else if (key && content(&bytes, 0x12, &inner) && is_at_end(&bytes))
        found = value(inner, depth, size);
    int done = found && PyDict_SetItem(into, key, found) == 0;
    Py_XDECREF(key);
    Py_XDECREF(found);
    *size += 24;
    return done;
}

static PyObject *map(Bytes bytes, int depth, Py_ssize_t *size)
{
    PyObject *found = PyDict_New();
    Bytes inner;
    *size += 100;
    while (found && !is_at_end(&bytes))
        if (!content(&bytes, 0x0A, &inner) || !entry(found, inner, depth, size))
            Py_CLEAR(found);
    return found;
}

static PyObject *list(Bytes bytes, int depth, Py_ssize_t *size)
{
    PyObject *found = PyList_New(0);
    Bytes inner;
    *size += 80;
    while (found && !is_at_end(&bytes)) {
        PyObject *item = content(&bytes, 0x0A, &inner) ? value(inner, depth, size) : NULL;
        if (!item || PyList_Append(found, item))
            Py_CLEAR(found);
        Py_XDECREF(item);
        *size += 16;
    }
    return found;
}

static PyObject *number(Bytes *bytes, unsigned char tag)
{
    uint64_t read = 0;
    double real;
    if (!(tag == 0x21 ? fixed(bytes, sizeof(real), &read) : varint(bytes, &read)) || !is_at_end(bytes))
        return NULL;
    if (tag != 0x21)
        return tag == 0x10 ? PyBool_FromLong(read != 0) : PyLong_FromLongLong((int64_t)read);
    memcpy(&real, &read, sizeof(real));
    return PyFloat_FromDouble(real);
}

/* Of AnyValue, whose fields are: 1 string, 2 bool, 3 int, 4 double, 5 array, 6 map, 7 bytes. */
static PyObject *value(Bytes bytes, int depth, Py_ssize_t *size)
{
    Bytes inner;
    if (is_at_end(&bytes))
        return Py_NewRef(Py_None);
    unsigned char tag = *bytes.at;
    if (tag == 0x10 || tag == 0x18 || tag == 0x21) {
        bytes.at++;
        *size += 32;
        return number(&bytes, tag);
    }
    if (!content(&bytes, tag, &inner) || !is_at_end(&bytes))
        return NULL;
    if (tag == 0x0A)
        return text(&inner, size);
    if (tag == 0x2A && depth)
        return list(inner, depth - 1, size);
    if (tag == 0x32 && depth)
        return map(inner, depth - 1, size);
    if (tag != 0x3A)
        return NULL;
    *size += 40 + (inner.end - inner.at);
    return raw(&inner);
}

#endif

/* Spans and log records, as from_protobuf.py reads them, from the bytes of an OTLP request.

Reads what exporters write, and skips fields that it does not know, as protobuf does. Of attributes that are more than a
name, then a value of one kind, of groups, of very much of anything and of what protobuf does not allow it says
ValueError: then the reader in Python decides. */

#include "wire.h"

typedef enum { END_OF_FIELDS, BYTES, TEXT, UNSIGNED, SIGNED, MAP, ANY, LIST, INSIDE } Kind;

/* Where a field of a message goes among its parts, and what it is; what is INSIDE goes among the same parts. */
typedef struct Place {
    Kind kind;
    uint64_t tag;
    int part;
    const struct Place *inside;
} Place;

/* What BatchBuilder.span, BatchBuilder.log and Event take, in their order. */
enum { TRACE_ID, SPAN_ID, PARENT, NAME, START, END, ATTRIBUTES, EVENTS, CODE, MESSAGE, KIND, FLAGS, RESOURCE, SCOPE, WEIGHT, MOST };
enum { RECORD_NAME = 2, RECORD_TIME, RECORD_ATTRIBUTES, BODY, RECORD_RESOURCE, RECORD_SCOPE, OBSERVED };
enum { EVENT_NAME, EVENT_TIME, EVENT_ATTRIBUTES };

static const Place STATUS[] = {{TEXT, TAG(2, LENGTH), MESSAGE}, {SIGNED, TAG(3, NUMBER), CODE}, {0}};
static const Place SPAN[] = {
    {MAP, TAG(9, LENGTH), ATTRIBUTES},   {BYTES, TAG(1, LENGTH), TRACE_ID},  {BYTES, TAG(2, LENGTH), SPAN_ID},
    {BYTES, TAG(4, LENGTH), PARENT},     {TEXT, TAG(5, LENGTH), NAME},       {SIGNED, TAG(6, NUMBER), KIND},
    {UNSIGNED, TAG(7, FIXED64), START},
    {UNSIGNED, TAG(8, FIXED64), END},    {LIST, TAG(11, LENGTH), EVENTS},    {INSIDE, TAG(15, LENGTH), 0, STATUS},
    {UNSIGNED, TAG(16, FIXED32), FLAGS}, {0}};
static const Place EVENT[] = {
    {MAP, TAG(3, LENGTH), EVENT_ATTRIBUTES}, {UNSIGNED, TAG(1, FIXED64), EVENT_TIME}, {TEXT, TAG(2, LENGTH), EVENT_NAME}, {0}};
static const Place RECORD[] = {
    {MAP, TAG(6, LENGTH), RECORD_ATTRIBUTES}, {UNSIGNED, TAG(1, FIXED64), RECORD_TIME}, {ANY, TAG(5, LENGTH), BODY},
    {BYTES, TAG(9, LENGTH), TRACE_ID}, {BYTES, TAG(10, LENGTH), SPAN_ID}, {UNSIGNED, TAG(11, FIXED64), OBSERVED},
    {TEXT, TAG(12, LENGTH), RECORD_NAME}, {0}};
static const Place IN_RESOURCE[] = {{MAP, TAG(1, LENGTH), RESOURCE}, {0}};
static const Place IN_SCOPE[] = {{TEXT, TAG(1, LENGTH), SCOPE}, {0}};
static const Place OF_RESOURCE[] = {{INSIDE, TAG(1, LENGTH), 0, IN_RESOURCE}, {0}};
static const Place OF_SCOPE[] = {{INSIDE, TAG(1, LENGTH), 0, IN_SCOPE}, {0}};

/* What stands for the parts that were not sent: bytes, text, a number, a dict, a tuple, None. */
static const char BLANK_SPAN[] = "bbbs00dt0s00ds0", BLANK_RECORD[] = "bbs0dNds", BLANK_EVENT[] = "s0d";

/* A message that is being read; ``left``: how many the request may still hold. */
typedef struct {
    PyObject *parts[MOST];
    PyObject *event;
    Py_ssize_t *left, size;
} Message;

static int put(PyObject **part, PyObject *made)
{
    PyObject *before = *part;
    *part = made;
    Py_XDECREF(before);
    return made != NULL;
}

static PyObject *blank(char kind)
{
    switch (kind) {
    case 'b':
        return PyBytes_FromStringAndSize("", 0);
    case 's':
        return PyUnicode_FromStringAndSize("", 0);
    case 'd':
        return PyDict_New();
    case 't':
        return PyTuple_New(0);
    case 'N':
        return Py_NewRef(Py_None);
    default:
        return PyLong_FromLong(0);
    }
}

/* The parts as a tuple, or NULL where they are not whole; either way they are no longer the message's. */
static PyObject *made(Message *message, const char *blanks, int whole)
{
    Py_ssize_t count = (Py_ssize_t)strlen(blanks);
    for (Py_ssize_t at = 0; whole && at < count; at++)
        whole = message->parts[at] || put(&message->parts[at], blank(blanks[at]));
    PyObject *tuple = whole ? PyTuple_New(count) : NULL;
    for (Py_ssize_t at = 0; at < MOST; at++) {
        if (tuple && at < count)
            PyTuple_SetItem(tuple, at, message->parts[at]);
        else
            Py_XDECREF(message->parts[at]);
        message->parts[at] = NULL;
    }
    return tuple;
}

static int fill(Message *message, const Place *places, Bytes bytes);

static int add_event(Message *span, PyObject **events, Bytes bytes)
{
    Message event = {.left = span->left};
    if ((*span->left)-- <= 0 || (!*events && !put(events, PyList_New(0))))
        return 0;
    PyObject *parts = made(&event, BLANK_EVENT, fill(&event, EVENT, bytes));
    PyObject *found = parts ? PyObject_CallObject(span->event, parts) : NULL;
    int done = found && PyList_Append(*events, found) == 0;
    Py_XDECREF(parts);
    Py_XDECREF(found);
    return done;
}

static int use(Message *message, const Place *place, const Field *field)
{
    PyObject **part = &message->parts[place->part];
    const Bytes *bytes = &field->content;
    switch (place->kind) {
    case BYTES:
        return put(part, raw(bytes));
    case TEXT:
        return put(part, plain_text(bytes));
    case UNSIGNED:
        return put(part, PyLong_FromUnsignedLongLong(field->number));
    case SIGNED:
        return put(part, PyLong_FromLong((int32_t)field->number));
    case MAP:
        message->size -= bytes->end - bytes->at;
        return (*part || put(part, PyDict_New())) && entry(*part, *bytes, DEEPEST, &message->size);
    case ANY:
        return !*part && put(part, value(*bytes, DEEPEST, &message->size));
    case LIST:
        return add_event(message, part, *bytes);
    default:
        return fill(message, place->inside, *bytes);
    }
}

static int fill(Message *message, const Place *places, Bytes bytes)
{
    Field field = {0};
    while (!is_at_end(&bytes)) {
        const Place *place = places;
        if (!next(&bytes, &field))
            return 0;
        while (place->kind && place->tag != field.tag)
            place++;
        if (place->kind && !use(message, place, &field))
            return 0;
    }
    return 1;
}

typedef PyObject *Reader(Message *message, Bytes bytes, const Message *group);

static PyObject *span(Message *span, Bytes bytes, const Message *group)
{
    span->parts[RESOURCE] = Py_NewRef(group->parts[RESOURCE]);
    span->parts[SCOPE] = Py_NewRef(group->parts[SCOPE]);
    int whole = fill(span, SPAN, bytes) && put(&span->parts[WEIGHT], PyLong_FromSsize_t(100 + span->size));
    return made(span, BLANK_SPAN, whole);
}

/* The time is when it was observed, where the record does not say when it was. */
static PyObject *record(Message *record, Bytes bytes, const Message *group)
{
    PyObject **time = &record->parts[RECORD_TIME], **observed = &record->parts[OBSERVED];
    record->parts[RECORD_RESOURCE] = Py_NewRef(group->parts[RESOURCE]);
    record->parts[RECORD_SCOPE] = Py_NewRef(group->parts[SCOPE]);
    int whole = fill(record, RECORD, bytes);
    if (whole && *observed && (!*time || PyObject_IsTrue(*time) == 0))
        put(time, Py_NewRef(*observed));
    return made(record, BLANK_RECORD, whole);
}

/* The next field of this number, where it is a message. */
static int next_message(Bytes *bytes, uint64_t number, Field *field, int *whole)
{
    while (*whole && !is_at_end(bytes))
        if ((*whole = next(bytes, field)) && field->tag == TAG(number, LENGTH))
            return 1;
    return 0;
}

static int add(PyObject *list, PyObject *item)
{
    int done = item && PyList_Append(list, item) == 0;
    Py_XDECREF(item);
    return done;
}

static int read_scope(PyObject *found, Reader *read, Message *group, Bytes bytes)
{
    Field field = {0};
    int whole = (*group->left)-- > 0 && put(&group->parts[SCOPE], blank('s')) && fill(group, OF_SCOPE, bytes);
    while (next_message(&bytes, 2, &field, &whole)) {
        Message item = {.event = group->event, .left = group->left};
        whole = (*group->left)-- > 0 && add(found, read(&item, field.content, group));
    }
    return whole;
}

static int read_resource(PyObject *found, Reader *read, Message *group, Bytes bytes)
{
    Field field = {0};
    int whole = (*group->left)-- > 0 && put(&group->parts[RESOURCE], PyDict_New()) && fill(group, OF_RESOURCE, bytes);
    while (next_message(&bytes, 2, &field, &whole))
        whole = read_scope(found, read, group, field.content);
    return whole;
}

static PyObject *items(PyObject *body, Py_ssize_t most, PyObject *event, Reader *read)
{
    Message group = {.event = event, .left = &most};
    Field field = {0};
    char *start;
    Py_ssize_t length;
    int whole = 1;
    PyObject *found = PyBytes_AsStringAndSize(body, &start, &length) ? NULL : PyList_New(0);
    if (!found)
        return NULL;
    Bytes bytes = {(const unsigned char *)start, (const unsigned char *)start + length};
    while (next_message(&bytes, 1, &field, &whole))
        whole = read_resource(found, read, &group, field.content);
    Py_XDECREF(group.parts[RESOURCE]);
    Py_XDECREF(group.parts[SCOPE]);
    if (whole)
        return found;
    Py_DECREF(found);
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "not as exporters write OTLP");
    return NULL;
}

static PyObject *spans(PyObject *module, PyObject *arguments)
{
    PyObject *body, *event;
    Py_ssize_t most;
    return PyArg_ParseTuple(arguments, "OnO", &body, &most, &event) ? items(body, most, event, span) : NULL;
}

static PyObject *records(PyObject *module, PyObject *arguments)
{
    PyObject *body;
    Py_ssize_t most;
    return PyArg_ParseTuple(arguments, "On", &body, &most) ? items(body, most, NULL, record) : NULL;
}

static PyMethodDef functions[] = {
    {"spans", spans, METH_VARARGS, "What BatchBuilder.span takes, of each span of a request with few enough messages."},
    {"records", records, METH_VARARGS, "What BatchBuilder.log takes, of each log record of such a request."},
    {NULL},
};

int add_otlp(PyObject *module) { return PyModule_AddFunctions(module, functions); }

/* The cheap look of redaction: which kinds of private text a text may hold. Knows no kind: redaction/marks.py makes the
 * table of rules from the kinds' patterns, and does the same in Python. */

#include "kernels.h"

#define RANGES 6
#define MOST_RUNS 16
#define MOST_RULES 16

/* As redaction/marks.py packs them. */
typedef struct {
    uint32_t least, count, before, inside, after, begins, kind, literals, literals_end;
    unsigned char pairs[2048]; /* a bit for each two bytes of ASCII with which a literal begins */
} Rule;

typedef struct {
    uint32_t first, last; /* of the rules for runs of this kind */
    uint32_t least, count, kinds;
} Run;

typedef struct {
    uint32_t runs, rules, wanted, always;
    unsigned char low[RANGES], width[RANGES]; /* of the bytes that some run counts */
    uint16_t of_run[256], counted[256];       /* a bit for each kind of run */
    Run run[MOST_RUNS];
} Header;

typedef struct {
    const Header *header;
    const Rule *rules;
    const unsigned char *literals; /* each after its length, in small letters */
} Table;

/* How far a text was seen: where the last run of each kind ended; for each rule up to where literals were looked for,
 * and where the last one began. No byte is looked at twice for the same rule. */
typedef struct {
    const unsigned char *done[MOST_RUNS], *seen[MOST_RULES], *literal[MOST_RULES];
} Seen;

static inline unsigned char small(unsigned char byte) { return byte - 'A' < 26u ? byte | 0x20 : byte; }

static int begins_literal(const Table *table, const Rule *rule, const unsigned char *at, const unsigned char *end)
{
    unsigned pair = (small(at[0]) & 0x7fu) << 7 | (small(at[1]) & 0x7fu);
    if (!(rule->pairs[pair >> 3] & (1 << (pair & 7))))
        return 0;
    const unsigned char *literal = table->literals + rule->literals, *last = table->literals + rule->literals_end;
    for (; literal < last; literal += *literal + 1) {
        unsigned size = *literal, same = 0;
        while (same < size && at + same < end && small(at[same]) == literal[1 + same])
            same++;
        if (same == size)
            return 1;
    }
    return 0;
}

static inline int in_word(unsigned char byte) { return (small(byte) - 'a') < 26u || (byte - '0') < 10u; }

/* Whether a literal begins between first and last; both only grow. */
static int has_literal(const Table *table, unsigned number, const unsigned char *start, const unsigned char *first,
                       const unsigned char *last, const unsigned char *end, Seen *seen)
{
    const Rule *rule = &table->rules[number];
    const unsigned char *at = seen->seen[number] > first ? seen->seen[number] : first;
    for (; at < last && at + 1 < end; at++)
        if (!(rule->begins && at > start && in_word(at[-1])) && begins_literal(table, rule, at, end))
            seen->literal[number] = at;
    seen->seen[number] = last;
    return seen->literal[number] && seen->literal[number] >= first;
}

/* The compiler compares all bytes of a block at once. */
typedef unsigned char block __attribute__((vector_size(16)));

static const unsigned char *next_counted(const Header *header, const unsigned char *at, const unsigned char *end)
{
    const unsigned char *low = header->low, *width = header->width;
    for (; end - at >= (Py_ssize_t)sizeof(block); at += sizeof(block)) {
        block bytes, found;
        uint64_t halves[2];
        memcpy(&bytes, at, sizeof(block));
        found = (block)((block)(bytes - low[0]) <= width[0]) | (block)((block)(bytes - low[1]) <= width[1]) |
                (block)((block)(bytes - low[2]) <= width[2]) | (block)((block)(bytes - low[3]) <= width[3]) |
                (block)((block)(bytes - low[4]) <= width[4]) | (block)((block)(bytes - low[5]) <= width[5]);
        memcpy(halves, &found, sizeof(block));
        if (halves[0] | halves[1]) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            at += (halves[0] ? __builtin_ctzll(halves[0]) : 64 + __builtin_ctzll(halves[1])) / 8;
#endif
            break;
        }
    }
    while (at < end && !header->counted[*at])
        at++;
    return at;
}

static int holds(const Table *table, unsigned number, const unsigned char *start, const unsigned char *first,
                 const unsigned char *last, const unsigned char *end, Seen *seen)
{
    const Rule *rule = &table->rules[number];
    if (rule->literals == rule->literals_end)
        return 1;
    if (!rule->inside)
        last = first;
    first = first - start > (Py_ssize_t)rule->before ? first - rule->before : start;
    last = end - last > (Py_ssize_t)rule->after ? last + rule->after : end;
    return has_literal(table, number, start, first, last, end, seen);
}

/* The kinds of which a rule holds for the run of one kind around a counted byte. */
static uint32_t kinds_of_run(const Table *table, unsigned which, uint32_t wanted, const unsigned char *start,
                             const unsigned char *at, const unsigned char *end, Seen *seen)
{
    const Run *run = &table->header->run[which];
    const unsigned char *first = at, *last = at;
    const uint16_t bit = (uint16_t)(1u << which);
    uint32_t count = 0, found = 0;
    while (first > seen->done[which] && (table->header->of_run[first[-1]] & bit))
        first--;
    for (; last < end && (table->header->of_run[*last] & bit); last++)
        count += (table->header->counted[*last] & bit) != 0;
    seen->done[which] = last;
    if (last - first < (Py_ssize_t)run->least || count < run->count)
        return 0;
    for (unsigned number = run->first; number < run->last; number++) {
        const Rule *rule = &table->rules[number];
        if ((rule->kind & wanted & ~found) && last - first >= (Py_ssize_t)rule->least && count >= rule->count &&
            holds(table, number, start, first, last, end, seen))
            found |= rule->kind;
    }
    return found;
}

static uint32_t kinds_in(const Table *table, const unsigned char *start, const unsigned char *end)
{
    const Header *header = table->header;
    uint32_t found = 0;
    Seen seen;
    memset(&seen, 0, sizeof(seen));
    for (unsigned which = 0; which < header->runs; which++)
        seen.done[which] = start;
    const unsigned char *at = next_counted(header, start, end);
    while (at < end && found != header->wanted) {
        const uint16_t counted = header->counted[*at];
        for (uint16_t runs = counted; runs; runs &= (uint16_t)(runs - 1)) {
            unsigned which = (unsigned)__builtin_ctz(runs);
            if (at >= seen.done[which] && (header->run[which].kinds & ~found))
                found |= kinds_of_run(table, which, header->wanted & ~found, start, at, end, &seen);
        }
        while (at < end && header->counted[*at] == counted) /* bytes of the same runs */
            at++;
        at = next_counted(header, at, end);
    }
    return found | header->always;
}

/* One byte for each character, or NULL: the byte that stands for it, of those that stand for all; none for a zero. */
static unsigned char *stand_ins(const unsigned char *at, Py_ssize_t size, const unsigned char *table,
                                Py_ssize_t known, Py_ssize_t *made)
{
    unsigned char *bytes = PyMem_Malloc(size ? size : 1);
    const unsigned char *end = at + size;
    *made = 0;
    if (!bytes)
        return (unsigned char *)PyErr_NoMemory();
    while (at < end) {
        Py_ssize_t code = *at++;
        if (code >= 0x80) {
            int more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : 1;
            code &= 0x3f >> more;
            while (more--)
                code = code << 6 | (*at++ & 0x3f);
            code = table[code < known ? code : known - 1];
            if (!code)
                continue;
        }
        bytes[(*made)++] = (unsigned char)code;
    }
    return bytes;
}

static unsigned char *shadow_of(PyObject *text, PyObject *table, Py_ssize_t *made)
{
    Py_ssize_t size, known;
    char *stand_in;
    const char *data = PyUnicode_AsUTF8AndSize(text, &size);
    if (!data || PyBytes_AsStringAndSize(table, &stand_in, &known) < 0)
        return NULL;
    return stand_ins((const unsigned char *)data, size, (const unsigned char *)stand_in, known, made);
}

static PyObject *shadow(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t made;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "takes a text and the table of what stands for each character");
    unsigned char *bytes = shadow_of(args[0], args[1], &made);
    PyObject *result = bytes ? PyBytes_FromStringAndSize((const char *)bytes, made) : NULL;
    PyMem_Free(bytes);
    return result;
}

static int read_table(PyObject *packed, Table *table)
{
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(packed, &data, &size) < 0)
        return 0;
    table->header = (const Header *)data; /* the bytes of a bytes object are aligned */
    if (size < (Py_ssize_t)sizeof(Header) || table->header->rules > MOST_RULES || table->header->runs > MOST_RUNS ||
        size < (Py_ssize_t)(sizeof(Header) + sizeof(Rule) * table->header->rules)) {
        PyErr_SetString(PyExc_ValueError, "not a table of marks");
        return 0;
    }
    table->rules = (const Rule *)(data + sizeof(Header));
    table->literals = (const unsigned char *)(table->rules + table->header->rules);
    return 1;
}

static PyObject *marked_kinds(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Table table;
    Py_ssize_t size;
    if (count != 3 || !PyUnicode_Check(args[2]))
        return PyErr_Format(PyExc_TypeError, "takes the table of marks, that of stand-ins, and a text");
    if (!read_table(args[0], &table))
        return NULL;
    const char *data = PyUnicode_AsUTF8AndSize(args[2], &size);
    if (data && size == PyUnicode_GetLength(args[2]))
        return PyLong_FromUnsignedLong(kinds_in(&table, (const unsigned char *)data, (const unsigned char *)data + size));
    unsigned char *bytes = data ? shadow_of(args[2], args[1], &size) : NULL;
    if (!bytes) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            return NULL;
        PyErr_Clear(); /* half a character: look closely for all kinds */
        return PyLong_FromUnsignedLong(table.header->wanted | table.header->always);
    }
    uint32_t found = kinds_in(&table, bytes, bytes + size);
    PyMem_Free(bytes);
    return PyLong_FromUnsignedLong(found);
}

static PyMethodDef functions[] = {
    {"marked_kinds", (PyCFunction)(void (*)(void))marked_kinds, METH_FASTCALL, "What redaction/marks.py says of it."},
    {"shadow", (PyCFunction)(void (*)(void))shadow, METH_FASTCALL, "What redaction/shadow.py says of it."},
    {NULL},
};

int add_marks(PyObject *module) { return PyModule_AddFunctions(module, functions); }

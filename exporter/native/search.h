/* Looking for some words of a text elsewhere: themselves and their other endings, as vocabulary.py defines them. */

#include "filter.h"

/* What was noticed of a word that is sought: that it is there, and that it is there with e or s behind. */
enum { ITSELF = 1, WITH_E = 2, WITH_S = 4 };

/* Words to look for. Most that are met are none of them, which their first bytes tell as a rule. */
typedef struct {
    Table words;
    unsigned char *noticed;             /* of each word by its place; the first one is of what is not sought */
    Filter filter;          /* of what is sought */
} Search;

static inline uint64_t first_with(const Word *word, char ending)
{
    return word->length < STEP ? word->first | little((uint64_t)ending << 8 * word->length) : word->first;
}

/* The word itself is to be noticed, and the word with an ending. */
static inline uint32_t seek(Search *search, const Word *word)
{
    admit(&search->filter, word->first);
    admit(&search->filter, first_with(word, 'e'));
    admit(&search->filter, first_with(word, 's'));
    return put(&search->words, word);
}

static void notice(Search *search, const Text *text, const Word *word)
{
    search->noticed[*find(&search->words, text, word)] |= ITSELF;
    char last = text->start[word->at + word->length - 1] | 0x20;
    if (last == 'e' || last == 's') {
        Word shorter = cut(*word, 1);
        search->noticed[*find(&search->words, text, &shorter)] |= last == 'e' ? WITH_E : WITH_S;
    }
}

static void search_text(Search *search, Text text)
{
    Reader reader = reader_of(text);
    for (Word word; next_that_may_be(&search->filter, &reader, &word);)
        notice(search, &text, &word);
}

/* Looks for the words in texts, word by word: of theirs none is kept. */
static int search_texts(Search *search, PyObject *texts)
{
    Py_ssize_t count = PySequence_Size(texts);
    int fine = count >= 0;
    for (Py_ssize_t at = 0; fine && at < count; at++) {
        PyObject *object = PySequence_GetItem(texts, at);
        Text text;
        fine = object && text_of(object, &text);
        if (fine)
            search_text(search, text);
        Py_XDECREF(object);
    }
    return fine;
}

static int has_ended(const Table *table, const Text *text, const Word *word, char ending, char *room)
{
    memcpy(room, text->start + word->at, word->length);
    room[word->length] = ending;
    Text alone = {room, word->length + 1};
    Word ended = word_of(&alone, 0, word->length + 1);
    return *find(table, &alone, &ended) != 0;
}

/* Looks for the words in a table, each with its endings. */
static int search_table(Search *search, const Table *known)
{
    const Text *text = &search->words.text;
    char *room = PyMem_Malloc(text->size + 1);
    if (!room)
        return PyErr_NoMemory() != NULL;
    for (uint32_t at = 0; at < search->words.count; at++) {
        const Word *one = &search->words.words[at];
        search->noticed[at + 1] = (*find(known, text, one) ? ITSELF : 0) |
                                  (has_ended(known, text, one, 'e', room) ? WITH_E : 0) |
                                  (has_ended(known, text, one, 's', room) ? WITH_S : 0);
    }
    PyMem_Free(room);
    return 1;
}

/* For so many words of a text. */
static int make_search(Search *search, Text text, size_t room)
{
    make_filter(&search->filter, room);
    search->noticed = PyMem_Calloc(room + 1, 1);
    return make_table(&search->words, text, 2 * room) && search->noticed; /* half as full: fewer places are looked at */
}

static void free_search(Search *search)
{
    free_table(&search->words);
    PyMem_Free(search->noticed);
}

/* The last bytes of a word in lower case, its last one on top; zeros under a shorter word. */
static inline uint64_t tail_of(const Text *text, const Word *word)
{
    size_t count = word->length < STEP ? word->length : STEP;
    return little(bytes_of(text, word->at + word->length - count, count)) << 8 * (STEP - count);
}

/* How many bytes of a word are s, ed or ing at its end; no branch, since none could be foreseen. */
static inline uint32_t ending_of(const Text *text, const Word *word)
{
    uint64_t tail = tail_of(text, word);
    uint32_t s = tail >> 56 == 's';
    tail <<= 8 * s;
    uint32_t ed = tail >> 48 == ('d' << 8 | 'e');
    tail <<= 16 * ed;
    return s + 2 * ed + 3 * (tail >> 40 == ('g' << 16 | 'n' << 8 | 'i'));
}

/* Where a search notices a word, and where its stem. */
typedef struct {
    uint32_t word, stem;
} Places;

static Places seek_forms(Search *search, const Word *word)
{
    uint32_t ending = ending_of(&search->words.text, word), place = seek(search, word);
    if (!ending)
        return (Places){place, place};
    Word stem = cut(*word, ending);
    return (Places){place, seek(search, &stem)};
}

static inline int is_strange(const Search *search, Places places)
{
    return places.word && !(search->noticed[places.word] & (ITSELF | WITH_S)) &&
           !(search->noticed[places.stem] & (ITSELF | WITH_E));
}

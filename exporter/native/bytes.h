/* What bytes are, and whether some of a kind are among eight. */

#include "kernels.h"

static inline int is_space(unsigned char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

static inline int is_small(char byte) { return byte >= 'a' && byte <= 'z'; }

static inline int is_capital(char byte) { return byte >= 'A' && byte <= 'Z'; }

static inline int is_one_of(const char *bytes, char byte) { return byte && strchr(bytes, byte); }

static inline int is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/* Is one of the ASCII characters from first to last among eight bytes? */
static inline int has_between(const char *text, char first, char last)
{
    const uint64_t each = 0x0101010101010101, high = each << 7;
    uint64_t bytes;
    memcpy(&bytes, text, sizeof(bytes));
    uint64_t ascii = bytes & ~high;
    return ((ascii + each * (128 - first)) & ~(ascii + each * (127 - last)) & ~bytes & high) != 0;
}

// text.h — just enough JSON for word-count: find a member of an object, read its string or whole number. Strict about
// what it reads (RFC 8259), bounded in depth, and never past the end: every function returns 0 when something is
// wrong. Strings are handed on byte by byte, so that a text of 16 MiB needs no memory.
#ifndef WORD_COUNT_TEXT_H
#define WORD_COUNT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TEXT_DEPTH_MAX 64 // arrays and objects inside one another

// What is left to read.
typedef struct text {
    const unsigned char *next, *end;
} text;

// Takes a byte of a string.
typedef void (*text_sink)(void *context, unsigned char byte);

static text text_of(const void *bytes, uint64_t size) {
    text t;
    t.next = (const unsigned char *)bytes;
    t.end = t.next == NULL ? NULL : t.next + size;
    return t;
}

static int text_peek(const text *t) {
    return t->next < t->end ? *t->next : -1;
}

static void text_skip_space(text *t) {
    int c = text_peek(t);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        t->next++;
        c = text_peek(t);
    }
}

static int text_take(text *t, int c) {
    if (text_peek(t) != c) return 0;
    t->next++;
    return 1;
}

// Reads four hexadecimal digits.
static int text_read_hexadecimal(text *t, uint32_t *value) {
    *value = 0;
    for (int i = 0; i < 4; i++) {
        int c = text_peek(t);
        uint32_t digit;
        if (c >= '0' && c <= '9') digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f') digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F') digit = (uint32_t)(c - 'A') + 10;
        else return 0;
        *value = *value << 4 | digit;
        t->next++;
    }
    return 1;
}

// Reads what follows `\u`: a code point, of two escapes if it is beyond 16 bits. Half a pair is refused.
static int text_read_code_point(text *t, uint32_t *value) {
    uint32_t low;
    if (!text_read_hexadecimal(t, value)) return 0;
    if (*value < 0xd800 || *value > 0xdfff) return 1;
    if (*value > 0xdbff || !text_take(t, '\\') || !text_take(t, 'u')) return 0;
    if (!text_read_hexadecimal(t, &low) || low < 0xdc00 || low > 0xdfff) return 0;
    *value = 0x10000 + ((*value - 0xd800) << 10) + (low - 0xdc00);
    return 1;
}

static void text_give_utf8(uint32_t point, text_sink sink, void *context) {
    if (point < 0x80) {
        sink(context, (unsigned char)point);
        return;
    }
    int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };
    sink(context, (unsigned char)(lead[more] | point >> (6 * more)));
    while (more-- > 0) sink(context, (unsigned char)(0x80 | (point >> (6 * more) & 0x3f)));
}

static int text_read_escape(text *t, text_sink sink, void *context) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint32_t point;
    int c = text_peek(t);
    if (c <= 0) return 0;
    t->next++;
    if (c == 'u') {
        if (!text_read_code_point(t, &point)) return 0;
        text_give_utf8(point, sink, context);
        return 1;
    }
    const char *found = strchr(from, c);
    if (found == NULL) return 0;
    sink(context, (unsigned char)to[found - from]);
    return 1;
}

// Reads a string and hands its bytes to `sink`, escapes resolved. The host has checked the UTF-8.
static int text_read_string(text *t, text_sink sink, void *context) {
    text_skip_space(t);
    if (!text_take(t, '"')) return 0;
    for (;;) {
        int c = text_peek(t);
        if (c < 0x20) return 0; // the end, or a control character
        t->next++;
        if (c == '"') return 1;
        if (c != '\\') sink(context, (unsigned char)c);
        else if (!text_read_escape(t, sink, context)) return 0;
    }
}

// Reads a whole number of at most 64 bits, without sign, fraction or exponent.
static inline int text_read_number(text *t, uint64_t *value) {
    const unsigned char *start;
    text_skip_space(t);
    start = t->next;
    *value = 0;
    for (int c = text_peek(t); c >= '0' && c <= '9'; c = text_peek(t)) {
        uint64_t digit = (uint64_t)(c - '0');
        if (*value > (UINT64_MAX - digit) / 10) return 0;
        *value = *value * 10 + digit;
        t->next++;
    }
    int c = text_peek(t);
    return t->next > start && c != '.' && c != 'e' && c != 'E';
}

static void text_ignore(void *context, unsigned char byte) {
    (void)context, (void)byte;
}

// Skips any value. Numbers and words are skipped by their characters: the host has checked them.
static int text_skip_value(text *t, int depth) {
    text_skip_space(t);
    int open = text_peek(t);
    if (open == '"') return text_read_string(t, text_ignore, NULL);
    if (open == '{' || open == '[') {
        int close = open == '{' ? '}' : ']';
        if (depth >= TEXT_DEPTH_MAX) return 0;
        t->next++;
        text_skip_space(t);
        if (text_take(t, close)) return 1;
        do {
            if (open == '{') {
                if (!text_read_string(t, text_ignore, NULL)) return 0;
                text_skip_space(t);
                if (!text_take(t, ':')) return 0;
            }
            if (!text_skip_value(t, depth + 1)) return 0;
            text_skip_space(t);
        } while (text_take(t, ','));
        return text_take(t, close);
    }
    const unsigned char *start = t->next;
    for (int c = open; c > 0 && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", c) != NULL;) {
        t->next++;
        c = text_peek(t);
    }
    return t->next > start;
}

typedef struct text_comparison {
    const char *wanted; // what is left of it; NULL once it differed
} text_comparison;

static void text_compare(void *context, unsigned char byte) {
    text_comparison *c = (text_comparison *)context;
    if (c->wanted == NULL) return;
    c->wanted = (unsigned char)*c->wanted == byte && byte != 0 ? c->wanted + 1 : NULL;
}

// Goes to the value of the member `key` of an object. Returns 0 if there is none, or no object.
static int text_find(text *t, const char *key) {
    text_skip_space(t);
    if (!text_take(t, '{')) return 0;
    do {
        text_comparison comparison = { key };
        if (!text_read_string(t, text_compare, &comparison)) return 0;
        text_skip_space(t);
        if (!text_take(t, ':')) return 0;
        if (comparison.wanted != NULL && *comparison.wanted == 0) return 1;
        if (!text_skip_value(t, 0)) return 0;
        text_skip_space(t);
    } while (text_take(t, ','));
    return 0;
}

#endif

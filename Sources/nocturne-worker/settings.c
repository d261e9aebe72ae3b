// settings.c — finds a top-level member of a JSON object. The host has validated the text, so this
// only skips; it is bounds-checked all the same, and answers "no such member" to whatever is not
// JSON.
#include "worker.h"

struct scanner {
    const char *at, *end;
};

static void skip_space(struct scanner *scanner) {
    while (scanner->at < scanner->end && strchr(" \t\r\n", *scanner->at) != NULL
        && *scanner->at != 0) {
        scanner->at++;
    }
}

// Steps over `byte`. False if something else is there.
static bool skip_byte(struct scanner *scanner, char byte) {
    skip_space(scanner);
    if (scanner->at == scanner->end || *scanner->at != byte) {
        return false;
    }
    scanner->at++;
    return true;
}

// Reads `\uXXXX` behind its `u`. False if it is malformed.
static bool read_unit(struct scanner *scanner, uint32_t *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        if (scanner->at == scanner->end) {
            return false;
        }
        char digit = *scanner->at++;
        uint32_t value = digit >= '0' && digit <= '9'    ? (uint32_t)(digit - '0')
            : (digit | 32) >= 'a' && (digit | 32) <= 'f' ? (uint32_t)((digit | 32) - 'a' + 10)
                                                         : 16;
        if (value == 16) {
            return false;
        }
        *unit = *unit * 16 + value;
    }
    return true;
}

static size_t encode(uint32_t scalar, uint8_t bytes[4]) {
    size_t count = scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = count - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80 | (scalar & 0x3f));
        scalar >>= 6;
    }
    bytes[0] = (uint8_t)(leads[count] | scalar);
    return count;
}

// Reads one character of a string into `bytes`. Returns its length, 0 at the closing quote or if
// malformed.
static size_t read_character(struct scanner *scanner, uint8_t bytes[4]) {
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    uint32_t unit, low;
    if (scanner->at == scanner->end || *scanner->at == '"') {
        return 0;
    }
    bytes[0] = (uint8_t)*scanner->at++;
    if (bytes[0] != '\\') {
        return 1;
    }
    if (scanner->at == scanner->end) {
        return 0;
    }
    char escape = *scanner->at++;
    for (size_t i = 0; escape != 'u' && i + 1 < sizeof escapes; i += 2) {
        if (escapes[i] == escape) {
            bytes[0] = (uint8_t)escapes[i + 1];
            return 1;
        }
    }
    if (escape != 'u' || !read_unit(scanner, &unit)) {
        return 0;
    }
    if (unit >= 0xd800 && unit < 0xdc00 && scanner->end - scanner->at >= 6 && scanner->at[0] == '\\'
        && scanner->at[1] == 'u') {
        scanner->at += 2;
        if (!read_unit(scanner, &low)) {
            return 0;
        }
        unit = 0x10000 + ((unit - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
    }
    return encode(unit, bytes);
}

// Steps over a string. `*is_equal`: whether it reads `key` (NULL: nobody asks). False if it is
// malformed.
static bool skip_string(struct scanner *scanner, const char *key, bool *is_equal) {
    uint8_t bytes[4];
    size_t count;
    bool same = key != NULL;
    if (!skip_byte(scanner, '"')) {
        return false;
    }
    while ((count = read_character(scanner, bytes)) > 0) {
        same = same && bytes[0] != 0 && strncmp(key, (const char *)bytes, count) == 0;
        key = same ? key + count : key;
    }
    if (is_equal != NULL) {
        *is_equal = same && *key == 0;
    }
    return scanner->at < scanner->end && *scanner->at++ == '"';
}

// Steps over one value of any depth. False if it is malformed.
static bool skip_value(struct scanner *scanner) {
    size_t depth = 0;
    do {
        skip_space(scanner);
        if (scanner->at == scanner->end) {
            return false;
        }
        char byte = *scanner->at;
        if (byte == '"') {
            if (!skip_string(scanner, NULL, NULL)) {
                return false;
            }
            continue;
        }
        scanner->at++;
        if (byte == '{' || byte == '[') {
            depth++;
        } else if (byte == '}' || byte == ']') {
            if (depth == 0) {
                return false;
            }
            depth--;
        } else if (depth == 0) { // a number or a word
            while (scanner->at < scanner->end && strchr(",]} \t\r\n", *scanner->at) == NULL) {
                scanner->at++;
            }
        }
    } while (depth > 0);
    return true;
}

bool json_member(
    const char *text, size_t size, const char *key, const char **value, size_t *value_size) {
    struct scanner scanner = {text, text + size};
    bool is_found = false;
    if (!skip_byte(&scanner, '{')) {
        return false;
    }
    while (skip_string(&scanner, key, &is_found) && skip_byte(&scanner, ':')) {
        skip_space(&scanner);
        const char *start = scanner.at;
        if (!skip_value(&scanner)) {
            return false;
        }
        if (is_found) {
            *value = start;
            *value_size = (size_t)(scanner.at - start);
            return true;
        }
        if (!skip_byte(&scanner, ',')) {
            return false;
        }
    }
    return false;
}

// Uses the storage service: {"op": "set", "key": "a", "value": "text"}, get, remove, keys; "bytes" stores three bytes
// that are no JSON, "large" stores {"n": bytes}. Tells what the host returned.
#include "fixture.h"

#ifndef SELF
#define SELF "storage"
#endif
FIXTURE(SELF, TOOL(SELF))

HANDLER(use) {
    const nocturne_host_storage_t *storage =
        (const nocturne_host_storage_t *)nocturne->get_extension(NOCTURNE_HOST_STORAGE);
    if (storage == NULL) return fail(call, "no storage");
    char op[32], key[512], value[512], json[600], got[8192];
    snprintf(op, sizeof op, "%s", string(input, size, "op"));
    snprintf(key, sizeof key, "%s", string(input, size, "key"));
    snprintf(value, sizeof value, "%s", string(input, size, "value"));
    int64_t result = 0;
    got[0] = 0;
    if (strcmp(op, "set") == 0) {
        int length = snprintf(json, sizeof json, "\"%s\"", value);
        result = storage->set(key, NOCTURNE_JSON, json, (uint64_t)length);
    } else if (strcmp(op, "bytes") == 0) {
        result = storage->set(key, NOCTURNE_BYTES, "\xff\0\xfe", 3);
    } else if (strcmp(op, "bad-json") == 0) {
        result = storage->set(key, NOCTURNE_JSON, "{", 1);
    } else if (strcmp(op, "large") == 0) {
        uint64_t length = (uint64_t)number(input, size, "n", 1000);
        char *bytes = (char *)calloc(1, (size_t)length);
        if (bytes == NULL) return fail(call, "no memory");
        result = storage->set(key, NOCTURNE_BYTES, bytes, length);
        free(bytes);
    } else if (strcmp(op, "get") == 0 || strcmp(op, "keys") == 0) {
        result = op[0] == 'g' ? storage->get(key, got, sizeof got - 1) : storage->keys(key, got, sizeof got - 1);
        size_t held = result < 0 ? 0 : result < (int64_t)sizeof got - 1 ? (size_t)result : sizeof got - 1;
        got[held] = 0;
        if (held != (size_t)result || (got[0] != '"' && got[0] != '[')) got[0] = 0; // not to be shown as JSON
    } else if (strcmp(op, "remove") == 0) {
        result = storage->remove(key);
    } else {
        return fail(call, "unknown op");
    }
    answer(call, "{\"result\":%lld,\"value\":%s}", (long long)result, got[0] == 0 ? "null" : got);
}
NOCTURNE_PLUGIN(NOCTURNE_TOOL(SELF, use))

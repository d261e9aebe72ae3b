// A plugin that tests change in its bytes, because a thousand of them are written faster than compiled: the text
// of its manifest, followed by room, and the names of its tool and of its build, which end in NUL.
#include "fixture.h"

#define ROOM_8 "        "
#define ROOM_64 ROOM_8 ROOM_8 ROOM_8 ROOM_8 ROOM_8 ROOM_8 ROOM_8 ROOM_8
#define ROOM_512 ROOM_64 ROOM_64 ROOM_64 ROOM_64 ROOM_64 ROOM_64 ROOM_64 ROOM_64
NOCTURNE_MANIFEST_TEXT(
    "{ \"id\": \"template\", \"name\": \"template\", \"version\": \"1.0.0\", \"abi\": \"1.0\","
    " \"contributes\": { \"tools\": [ { \"name\": \"template\" } ] } }" ROOM_512 ROOM_512)

static const char tool[72] = "template";
static const volatile char build[72] = "no build"; // volatile, or the compiler would use what it reads here

HANDLER(tell) {
    char name[sizeof build];
    for (size_t i = 0; i < sizeof build; i++) name[i] = build[i];
    answer(call, "{\"build\":\"%.64s\",\"pid\":%d}", name, (int)getpid());
}

// Not NOCTURNE_PLUGIN: `tool` must be the only copy of the name.
static const void *get_extension(const char *id) {
    static const nocturne_contribution_t items[] = { { tool, tell, NULL } };
    static const nocturne_contributions_t tools = { sizeof tools, 1, items };
    return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;
}

ENTRY_WITH(get_extension, NULL)

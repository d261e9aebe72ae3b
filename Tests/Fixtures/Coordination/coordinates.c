// Strategies and agents that do well, fail, talk, are slow, hang and crash.
#define _GNU_SOURCE // memmem
#include "fixture.h"

FIXTURE("coordinates", "limits": { "concurrency": 2 }, "contributes": {
    "tools": [ { "name": "coordinates" } ],
    "strategies": [ { "name": "one-work" }, { "name": "senseless" }, { "name": "crashing" }, { "name": "slow" } ],
    "agents": [ { "name": "helper", "capabilities": [ "help" ] }, { "name": "failing" }, { "name": "refusing" },
        { "name": "talking" }, { "name": "patient" }, { "name": "dying" }, { "name": "babbling" } ] })

static const nocturne_host_agents_t *agents(void) { return nocturne->get_extension(NOCTURNE_HOST_AGENTS); }

static void say(nocturne_call_t *call, const char *json) { agents()->say(call, json, strlen(json)); }

static int has(const void *input, uint64_t size, const char *what) {
    return memmem(input, size, what, strlen(what)) != NULL;
}

// ---- strategies

// Has one work done and finishes with what it came to.
HANDLER(one_work) {
    if (has(input, size, "\"type\":\"started\"")) {
        answer(call, "{\"state\":{\"steps\":1},\"commands\":["
                     "{\"type\":\"assign\",\"work\":{\"id\":\"only\",\"text\":\"do it\"}}]}");
    } else if (has(input, size, "\"type\":\"workEnded\"")) {
        answer(call, "{\"state\":null,\"commands\":["
                     "{\"type\":\"finish\",\"outcome\":{\"status\":\"completed\",\"value\":\"well\"}}]}");
    } else {
        answer(call, "{\"state\":{\"steps\":2},\"commands\":[]}");
    }
}
HANDLER(senseless) { answer(call, "{\"state\":null,\"commands\":[{\"type\":\"dance\"}]}"); }
HANDLER(crashing) { abort(); }
HANDLER(slow) { hang(); }

// ---- agents

HANDLER(help) { answer(call, "{\"value\":{\"pid\":%d},\"usage\":{\"tokens\":7}}", (int)getpid()); }
HANDLER(failing) {
    answer(call, "{\"type\":\"failed\",\"message\":\"not today\",\"usage\":{\"tokens\":3}}");
}
HANDLER(refusing) { nocturne->complete(call, NOCTURNE_INVALID_INPUT, "nobody can", 10); }
// Says all that an agent may say, and a little more, then what the host answered to that.
HANDLER(talking) {
    char longest[NOCTURNE_AGENT_LINE_MAX + 1];
    memset(longest, ' ', sizeof longest);
    say(call, "{\"type\":\"heartbeat\"}");
    say(call, "{\"type\":\"send\",\"to\":\"helper\",\"payload\":1}");
    say(call, "{\"type\":\"tell\",\"payload\":2}");
    answer(call, "{\"value\":[%d,%d,%d]}", agents()->say(call, longest, sizeof longest), agents()->say(call, NULL, 0),
        agents()->say((nocturne_call_t *)(uintptr_t)1, "{}", 2));
}
// Until nobody waits any more.
HANDLER(patient) {
    for (int i = 0; i < 6000 && !nocturne->is_cancelled(call); i++) sleep_ms(5);
    nocturne->complete(call, NOCTURNE_CANCELLED, NULL, 0);
}
HANDLER(dying) { abort(); }
HANDLER(babbling) { nocturne->complete(call, NOCTURNE_OK, "well, you see", 13); }

// Whether a tool's call can speak as an agent or as a task. It must not.
HANDLER(tool) {
    const nocturne_host_tasks_t *tasks = nocturne->get_extension(NOCTURNE_HOST_TASKS);
    answer(call, "{\"pid\":%d,\"say\":%d,\"log\":%d}", (int)getpid(), agents()->say(call, "{}", 2),
        tasks->log(call, "x"));
}

static const void *extension(const char *id) {
    static const nocturne_contribution_t
        tools[] = { { "coordinates", tool, NULL } },
        strategies[] = { { "one-work", one_work, NULL }, { "senseless", senseless, NULL },
            { "crashing", crashing, NULL }, { "slow", slow, NULL } },
        agents[] = { { "helper", help, NULL }, { "failing", failing, NULL }, { "refusing", refusing, NULL },
            { "talking", talking, NULL }, { "patient", patient, NULL }, { "dying", dying, NULL },
            { "babbling", babbling, NULL } };
#define TABLE(items) { sizeof(nocturne_contributions_t), sizeof items / sizeof *items, items }
    static const nocturne_contributions_t tool_table = TABLE(tools), strategy_table = TABLE(strategies),
                                          agent_table = TABLE(agents);
    if (strcmp(id, NOCTURNE_STRATEGIES) == 0) return &strategy_table;
    if (strcmp(id, NOCTURNE_AGENTS) == 0) return &agent_table;
    return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tool_table : NULL;
}
ENTRY_WITH(extension, NULL)

// double-check.c — a coordination strategy: two agents do the same work without knowing of each other, and only an
// answer that both gave counts. If they differ, a third one decides. The whole plugin is this file.
//
// A step gets {"parameters", "state", "inputs": […]} and answers {"state", "commands": […]}. What this strategy
// remembers is the list of answers so far, so its state is that list.
#include <nocturne/plugin.h>

#include "../word-count/text.h"

#include <stdio.h>
#include <stdlib.h>

NOCTURNE_MANIFEST({
    "id": "double-check", "name": "Double check", "version": "1.0.0", "abi": "1.0",
    "description": "Has a goal done twice, and believes what was said twice.",
    "contributes": { "strategies": [ { "name": "double-check", "description": "Believes what two agents say." } ] }
})

enum { ANSWERS = 3 };

// A part of the input, as it stands there.
typedef struct part {
    const unsigned char *bytes;
    size_t size;
} part;

// What is known in a step, and what comes of it.
typedef struct step {
    part goal;
    part answers[ANSWERS];
    int count;
    char *commands; // the elements of the array, each with a comma behind
    size_t used, room;
} step;

static void add(step *s, const char *text, part value) {
    size_t length = strlen(text);
    if (s->used + length + value.size > s->room) return; // `room` is for all that can be said
    memcpy(s->commands + s->used, text, length);
    if (value.size > 0) memcpy(s->commands + s->used + length, value.bytes, value.size);
    s->used += length + value.size;
}

static const part nothing = { NULL, 0 };

static int read_part(text *t, part *p) {
    text_skip_space(t);
    p->bytes = t->next;
    if (!text_skip_value(t, 0)) return 0;
    p->size = (size_t)(t->next - p->bytes);
    return 1;
}

// The value of the member at the end of a path of keys.
static int read_member(part object, const char *const *path, part *value) {
    text t = text_of(object.bytes, object.size);
    for (; *path != NULL; path++) {
        if (!text_find(&t, *path)) return 0;
    }
    return read_part(&t, value);
}

static int is_text(part value, const char *text) {
    return value.size == strlen(text) + 2 && memcmp(value.bytes + 1, text, value.size - 2) == 0;
}

static int are_equal(part a, part b) {
    return a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
}

static void assign(step *s, const char *id) {
    add(s, "{\"type\":\"assign\",\"work\":{\"id\":\"", nothing);
    add(s, id, nothing);
    add(s, "\",\"text\":", s->goal);
    add(s, "}},", nothing);
}

static void finish(step *s, const char *status, part value) {
    add(s, "{\"type\":\"finish\",\"outcome\":{\"status\":\"", nothing);
    add(s, status, nothing);
    add(s, "\",\"value\":", value.size > 0 ? value : (part){ (const unsigned char *)"null", 4 });
    add(s, "}},", nothing);
}

// Two equal answers end it; a third work decides where two differ; three different ones are no result.
static void judge(step *s) {
    for (int i = 0; i < s->count - 1; i++) {
        if (are_equal(s->answers[i], s->answers[s->count - 1])) {
            finish(s, "completed", s->answers[i]);
            return;
        }
    }
    if (s->count == 2) assign(s, "third");
    if (s->count == ANSWERS) finish(s, "rejected", nothing);
}

static void take(step *s, part input) {
    static const char *const type_path[] = { "type", NULL }, *const result_path[] = { "end", "result", NULL },
                             *const value_path[] = { "end", "answer", "value", NULL };
    part type, result, value;
    if (!read_member(input, type_path, &type)) return;
    if (is_text(type, "started")) {
        assign(s, "first");
        assign(s, "second");
    } else if (is_text(type, "workEnded") && read_member(input, result_path, &result)) {
        if (is_text(result, "succeeded") && s->count < ANSWERS && read_member(input, value_path, &value)) {
            s->answers[s->count++] = value;
            judge(s);
        } else if (!is_text(result, "succeeded")) {
            finish(s, "rejected", nothing); // without two who answer nothing is believed
        }
    }
}

// Calls `take` for each element of an array.
static int each(text *t, step *s, void (*take_part)(step *, part)) {
    part p;
    text_skip_space(t);
    if (!text_take(t, '[')) return 0;
    text_skip_space(t);
    if (text_take(t, ']')) return 1;
    do {
        if (!read_part(t, &p)) return 0;
        take_part(s, p);
        text_skip_space(t);
    } while (text_take(t, ','));
    return text_take(t, ']');
}

static void remember(step *s, part answer) {
    if (s->count < ANSWERS) s->answers[s->count++] = answer;
}

// The state: {"goal": …, "answers": […]}.
static void read_state(step *s, text request) {
    static const char *const goal_path[] = { "goal", NULL };
    part state;
    if (!text_find(&request, "state") || !read_part(&request, &state)) return;
    if (!read_member(state, goal_path, &s->goal)) return;
    text t = text_of(state.bytes, state.size);
    if (text_find(&t, "answers")) each(&t, s, remember);
}

// The goal's words stand in the first input of an execution.
static void find_goal(step *s, part input) {
    static const char *const path[] = { "goal", "description", NULL };
    if (s->goal.size == 0) read_member(input, path, &s->goal);
}

static void make_step(nocturne_call_t *call, const void *input, uint64_t size, void *context) {
    static const char message[] = "the input is no step of a strategy";
    step s = { .room = size * 4 + 1024 }; // the goal at most thrice, an answer once, and words around them
    text request = text_of(input, size), inputs = request, goals = request;
    (void)context;
    s.commands = malloc(s.room);
    read_state(&s, request);
    if (s.commands == NULL || !text_find(&goals, "inputs") || !each(&goals, &s, find_goal)
        || !text_find(&inputs, "inputs") || !each(&inputs, &s, take)) {
        nocturne->complete(call, NOCTURNE_INVALID_INPUT, message, sizeof message - 1);
        free(s.commands);
        return;
    }
    size_t commands = s.used > 0 ? s.used - 1 : 0; // without the last comma
    step result = { .room = s.room + size * 4 + 1024 };
    result.commands = malloc(result.room);
    if (result.commands != NULL) {
        add(&result, "{\"state\":{\"goal\":", s.goal.size > 0 ? s.goal : (part){ (const unsigned char *)"\"\"", 2 });
        add(&result, ",\"answers\":[", nothing);
        for (int i = 0; i < s.count; i++) add(&result, i > 0 ? "," : "", s.answers[i]);
        add(&result, "]},\"commands\":[", (part){ (const unsigned char *)s.commands, commands });
        add(&result, "]}", nothing);
        nocturne->complete(call, NOCTURNE_OK, result.commands, result.used);
    } else {
        nocturne->complete(call, NOCTURNE_RETRY, "no memory", 9);
    }
    free(result.commands);
    free(s.commands);
}

static const void *extension(const char *id) {
    static const nocturne_contribution_t items[] = { { "double-check", make_step, NULL } };
    static const nocturne_contributions_t strategies = { sizeof strategies, 1, items };
    return strcmp(id, NOCTURNE_STRATEGIES) == 0 ? &strategies : NULL;
}

NOCTURNE_EXPORT const nocturne_plugin_t *nocturne_plugin_entry(
    const nocturne_host_t *host, nocturne_error_t *error) {
    static const nocturne_plugin_t plugin = { NOCTURNE_ABI, sizeof plugin, extension, NULL, NULL };
    (void)error;
    nocturne = host;
    return &plugin;
}

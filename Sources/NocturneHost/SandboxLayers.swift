// SandboxLayers.swift — the sandbox's layers by name, as workers report them and `doctor` and `info` show them.

import CWire

enum SandboxLayers {
    /// Without one of these a worker loads nothing (DESIGN §5).
    static let mandatory: UInt32 =
        WIRE_LAYER_NO_NEW_PRIVS | WIRE_LAYER_DESCRIPTORS | WIRE_LAYER_NON_ROOT
        | WIRE_LAYER_CAPABILITIES | WIRE_LAYER_LIMITS | WIRE_LAYER_LANDLOCK | WIRE_LAYER_SECCOMP
        | WIRE_LAYER_SELFTEST | WIRE_LAYER_SEALED_MEMORY

    /// Every layer: its bit, its name, and what it is good for.
    static let all: [(bit: UInt32, name: String, purpose: String)] = [
        (WIRE_LAYER_NO_NEW_PRIVS, "no_new_privs", "no program can give it more rights"),
        (WIRE_LAYER_SESSION, "session", "a session of its own, no terminal"),
        (WIRE_LAYER_DESCRIPTORS, "descriptors", "it holds exactly the descriptors that it needs"),
        (WIRE_LAYER_NON_ROOT, "non-root", "it is not root"),
        (WIRE_LAYER_UID, "own-uid", "a user id that no other live worker has"),
        (WIRE_LAYER_CAPABILITIES, "capabilities", "it has none"),
        (WIRE_LAYER_LIMITS, "limits", "memory, descriptors, files and core dumps are limited"),
        (WIRE_LAYER_PROCESS_LIMIT, "process-limit", "its threads are limited by the kernel"),
        (
            WIRE_LAYER_LANDLOCK, "landlock",
            "it can read its own code and system libraries, nothing else"
        ),
        (WIRE_LAYER_SECCOMP, "seccomp", "an allow-list of system calls; no sockets, no processes"),
        (WIRE_LAYER_SEALED_MEMORY, "sealed-memory", "shared memory that it cannot shrink"),
        (WIRE_LAYER_DEATH_SIGNAL, "death-signal", "it dies with its zygote"),
        (WIRE_LAYER_UNDUMPABLE, "undumpable", "no core dump, no tracing by its own user"),
        (WIRE_LAYER_SELFTEST, "self-test", "it tried to break out and could not"),
    ]

    static func names(of bits: UInt32) -> [String] {
        all.filter { bits & $0.bit != 0 }.map(\.name)
    }
}

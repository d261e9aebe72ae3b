// Floor.swift — the least that two processes need to answer each other: one word in shared memory, one byte in pipes.

import CLinux
import CWire
import Glibc

/// A child process that answers at once, by shared memory or by a pipe.
final class Floor {
    static let childArgument = "--floor-child"
    /// Looks at the shared memory between two looks for the parent: about a tenth of a second.
    private static let roundsBetweenLooks = 1 << 20
    private let memory: UnsafeMutablePointer<UInt32>
    private let toChild: Int32, fromChild: Int32
    private let pid: pid_t

    init() {
        let file = clinux_memory_file("floor", 4_096)
        memory = clinux_map(file, 4_096, 1).assumingMemoryBound(to: UInt32.self)
        var down: [Int32] = [0, 0], up: [Int32] = [0, 0]
        _ = clinux_pipe(&down, 0)
        _ = clinux_pipe(&up, 0)
        var path = [CChar](repeating: 0, count: 4_096)
        readlink("/proc/self/exe", &path, path.count - 1)
        var child: pid_t = 0
        let name = strdup(path), argument = strdup(Self.childArgument)
        let result = clinux_spawn(
            path, [name, argument, nil], [nil], [down[0], up[1], 2, file], 4, &child)
        precondition(result == 0, "the floor's child does not start")
        pid = child
        (toChild, fromChild) = (down[1], up[0])
        close(down[0])
        close(up[1])
    }

    /// Ends the child.
    func end() {
        close(toChild)
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Microseconds of a round trip through shared memory, both sides spinning; the median.
    func sharedMemory(rounds: Int) -> Double {
        var byte: UInt8 = 1
        write(toChild, &byte, 1)  // "spin from now on"
        var samples = Samples()
        for round in 1...UInt32(rounds) {
            let start = clinux_now()
            wire_store(memory, round)
            while wire_load(memory + 16) != round { wire_pause() }
            samples.add(clinux_now() - start)
        }
        wire_store(memory, .max)
        return samples.microseconds(0.5)
    }

    /// Nanoseconds of one round trip through a pair of pipes.
    func pipeRoundTrip() -> Int64 {
        var byte: UInt8 = 2
        let start = clinux_now()
        write(toChild, &byte, 1)
        read(fromChild, &byte, 1)
        return clinux_now() - start
    }

    /// 200 µs, long enough for the other side to sleep. The thread itself sleeps, so that no third one has a part in
    /// what is measured next.
    static func pause() { usleep(200) }

    static func runChild() -> Never {
        guard let mapped = clinux_map(3, 4_096, 1) else { exit(1) }
        let memory = mapped.assumingMemoryBound(to: UInt32.self)
        var byte: UInt8 = 0
        while read(0, &byte, 1) == 1 {
            if byte == 1 {
                // A parent that was killed would leave a CPU busy for ever.
                let parent = getppid()
                var last: UInt32 = 0, rounds = 0
                while true {
                    rounds += 1
                    if rounds % roundsBetweenLooks == 0, getppid() != parent { break }
                    let word = wire_load(memory)
                    if word == .max { break }
                    if word != last {
                        last = word
                        wire_store(memory + 16, word)
                    }
                    wire_pause()
                }
            } else {
                write(1, &byte, 1)
            }
        }
        exit(0)
    }
}

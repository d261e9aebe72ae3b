// ELFImageFixtures.swift — real ELF files from the system's compiler, made once per test run, and
// ELF files written by hand for machines this one has no compiler for. Next: ELFImageTests.swift.

import Glibc

/// A directory that is removed with this object.
final class ScratchDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/nocturne-files-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, let made = mkdtemp(start) else {
                fatalError("mkdtemp failed: errno \(errno)")
            }
            return String(cString: made)
        }
    }

    deinit {
        if Shell.run("rm -rf \"$1\"", path) != 0 { print("\(path): left behind") }
    }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) -> String {
        let path = path(name)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard descriptor >= 0, count > 0 else { fatalError("\(path): errno \(errno)") }
            start += count
        }
        close(descriptor)
        return path
    }

    func names() -> [String] { NocturneHostTests.names(in: path) }
}

/// The names in a directory, in order; none if there is no such directory.
func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let name = UnsafeRawPointer(entry).advanced(by: offset)
            .assumingMemoryBound(to: CChar.self)
        names.append(String(cString: name))
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
}

enum Shell {
    /// Runs a script of `sh` with one argument, and waits. Returns its exit status.
    static func run(_ script: String, _ argument: String) -> Int32 {
        let words: [String] = ["/bin/sh", "-ec", script, "sh", argument]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for word in arguments { free(word) } }
        // Dispatch's threads block all signals, and the shell's `wait` needs SIGCHLD.
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var process: pid_t = 0
        guard posix_spawn(&process, "/bin/sh", nil, &attributes, &arguments, environ) == 0 else {
            return -1
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 { guard errno == EINTR else { return -1 } }
        return status
    }
}

func bytes(of path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
        count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
}

/// Files that `cc` and binutils made.
struct CompiledFixtures: Sendable {
    /// The smallest manifest there is: every required field, nothing else.
    static let manifest = #"{"id":"sample","name":"Sample","version":"1.0.0","abi":"1.0"}"#

    static let all = CompiledFixtures()
    private let files: [String: [UInt8]]

    subscript(name: String) -> [UInt8] { files[name] ?? [] }

    private init() {
        let scratch = ScratchDirectory()
        scratch.write("plugin.c", Array(Self.source.utf8))
        scratch.write("note.bin", CompiledFixtures.note(Self.manifest))
        let status = Shell.run(Self.script, scratch.path)
        var files: [String: [UInt8]] = [:]
        if status == 0 {
            for name in scratch.names() { files[name] = bytes(of: scratch.path(name)) }
        }
        self.files = files
    }

    private static let source = """
        #include <stdint.h>
        #define PASTE(a, b) a##b
        #define NOTE(id, text, boundary)                                                \\
            __attribute__((section(".note.nocturne"), used, aligned(boundary)))        \\
            static const struct {                                                       \\
                uint32_t namesz, descsz, type;                                          \\
                char name[12];                                                          \\
                char desc[sizeof(text)];                                                \\
            } PASTE(note, id) = {9, sizeof(text), 1, "Nocturne", text}
        #ifndef BOUNDARY
        #define BOUNDARY 4
        #endif
        #define SAMPLE "{\\"id\\":\\"sample\\",\\"name\\":\\"Sample\\"," \\
            "\\"version\\":\\"1.0.0\\",\\"abi\\":\\"1.0\\"}"
        #ifndef NO_NOTE
        NOTE(1, SAMPLE, BOUNDARY);
        #endif
        #ifdef SECOND
        NOTE(2, SECOND, BOUNDARY);
        #endif
        int hidden_number;
        #ifdef TEXT_RELOCATION
        __attribute__((naked)) void *address(void) {
            __asm__("movabsq $hidden_number, %rax; ret");
        }
        #endif
        #ifdef UNDEFINED
        extern const void *nocturne_plugin_entry(void);
        const void *other(void) { return nocturne_plugin_entry(); }
        #elif !defined(NO_ENTRY)
        const void *nocturne_plugin_entry(void) { return &hidden_number; }
        #endif
        #ifdef MAIN
        int main(void) { return 0; }
        #endif
        """

    /// All at once: each takes a few dozen milliseconds, most of it waiting for files.
    private static let script = """
        cd "$1"
        cc -shared -fPIC plugin.c -o plugin.so -Wl,--no-as-needed -lm &
        cc -shared -fPIC -DBOUNDARY=8 plugin.c -o aligned8.so &
        cc -shared -fPIC -DNO_NOTE plugin.c -o bare.so &
        cc -shared -fPIC '-DSECOND="{}"' plugin.c -o two.so &
        cc -shared -fPIC -DSECOND=SAMPLE plugin.c -o twice.so &
        cc -shared -fPIC -z execstack plugin.c -o execstack.so &
        cc -shared -fPIC -DNO_ENTRY plugin.c -o noentry.so &
        cc -shared -fPIC -DUNDEFINED plugin.c -o undefined.so &
        cc -shared -fPIC -Wl,--hash-style=sysv plugin.c -o sysv.so &
        cc -pie -fPIE -DMAIN plugin.c -o program &
        cc -c -fPIC plugin.c -o object.o &
        if [ "$(uname -m)" = x86_64 ]; then
            cc -shared -fPIC -DTEXT_RELOCATION -Wl,-z,notext plugin.c -o textrel.so 2>/dev/null &
        fi
        wait
        strip -s -o stripped.so plugin.so
        objcopy --add-section .note.nocturne=note.bin bare.so added.so
        objcopy --add-section .note.nocturne=plugin.c bare.so junk.so
        """

    /// An ELF note as the gABI lays it out, with a name of nine bytes.
    static func note(_ text: String, type: UInt8 = 1) -> [UInt8] {
        let size = UInt32(text.utf8.count)
        let padding = [UInt8](repeating: 0, count: Int((4 - size % 4) % 4))
        let sizeBytes = (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
        return [9, 0, 0, 0] + sizeBytes + [type, 0, 0, 0] + Array("Nocturne".utf8) + [0, 0, 0, 0]
            + Array(text.utf8) + padding
    }
}

/// Writes an ELF file field by field, in any class and byte order, with nothing but what it is
/// told.
struct HandmadeELF {
    var is64 = true, isBigEndian = false
    var machine: UInt64 = 62, type: UInt64 = 3
    var segmentCount: UInt64?, sectionCount: UInt64 = 0, sectionTable: UInt64 = 0
    /// p_type, p_flags, p_offset, p_vaddr, p_filesz, p_memsz, p_align.
    var segments: [[UInt64]] = []
    var payload: [UInt8] = []

    /// Where the payload starts.
    var payloadOffset: UInt64 {
        (is64 ? 64 : 52) + UInt64(segments.count) * (is64 ? 56 : 32)
    }

    private func field(_ value: UInt64, _ size: Int) -> [UInt8] {
        let low = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        return isBigEndian ? low.reversed() : low
    }

    var bytes: [UInt8] {
        let native = is64 ? 8 : 4
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, isBigEndian ? 2 : 1, 1]
        bytes += [UInt8](repeating: 0, count: 9)
        bytes += field(type, 2) + field(machine, 2) + field(1, 4) + field(0, native)
        bytes += field(is64 ? 64 : 52, native) + field(sectionTable, native) + field(0, 4)
        bytes += field(is64 ? 64 : 52, 2) + field(is64 ? 56 : 32, 2)
        bytes += field(segmentCount ?? UInt64(segments.count), 2)
        bytes += field(is64 ? 64 : 40, 2) + field(sectionCount, 2) + field(0, 2)
        for segment in segments {
            bytes += field(segment[0], 4)
            if is64 { bytes += field(segment[1], 4) }
            for value in [segment[2], segment[3], segment[3], segment[4], segment[5]] {
                bytes += field(value, native)
            }
            if !is64 { bytes += field(segment[1], 4) }
            bytes += field(segment[6], native)
        }
        return bytes + payload
    }

    /// A note in this file's byte order.
    func note(_ text: String) -> [UInt8] {
        field(9, 4) + field(UInt64(text.utf8.count), 4) + field(1, 4)
            + Array("Nocturne".utf8) + [0, 0, 0, 0] + Array(text.utf8)
    }
}

// WireMemory.swift — the two memory files that the host shares with one worker, mapped as long as anybody uses them.
// Next: WorkerLink.swift.

import CLinux
import CWire
import Glibc

/// A memory file mapped writable into the host. Unmapped and closed at its end.
final class MemoryFile: Sendable {
    let descriptor: Int32
    let size: Int
    nonisolated(unsafe) let address: UnsafeMutableRawPointer

    /// Makes a memory file of `size` bytes that can neither shrink nor grow.
    init(_ name: String, size: Int) throws(SystemError) {
        descriptor = try SystemError.check(
            clinux_memory_file(name, UInt64(size)), "create a memory file of \(size) bytes")
        guard let mapped = clinux_map(descriptor, UInt64(size), 1) else {
            let error = errno
            close(descriptor)
            throw SystemError(action: "map a memory file of \(size) bytes", errno: error)
        }
        address = mapped
        self.size = size
    }

    deinit {
        _ = clinux_unmap(address, UInt64(size))
        close(descriptor)
    }
}

/// What the host writes (`down`) and what the worker writes (`up`). See CWire.h for the layout.
final class WireMemory: Sendable {
    private let downFile: MemoryFile, upFile: MemoryFile

    init() throws(SystemError) {
        downFile = try MemoryFile("nocturne-down", size: Int(wire_down_size()))
        upFile = try MemoryFile("nocturne-up", size: Int(wire_up_size()))
        // From here on nobody can map `down` writable; the host's own mapping stays.
        try SystemError.check(
            clinux_seal_future_writes(downFile.descriptor), "seal a memory file")
        downHead.pointee.version = WIRE_VERSION
    }

    var down: UnsafeMutableRawPointer { downFile.address }
    var up: UnsafeMutableRawPointer { upFile.address }
    var downDescriptor: Int32 { downFile.descriptor }
    var upDescriptor: Int32 { upFile.descriptor }

    var downHead: UnsafeMutablePointer<wire_down_head> {
        down.assumingMemoryBound(to: wire_down_head.self)
    }
    var upHead: UnsafeMutablePointer<wire_up_head> {
        up.assumingMemoryBound(to: wire_up_head.self)
    }

    /// Writes the names that a plugin declares to where its worker looks for them. Returns how many bytes they take.
    func writeNames(_ contributions: [(kind: UInt32, name: String)]) throws(SystemError) -> UInt32 {
        var bytes: [UInt8] = []
        for (kind, name) in contributions {
            bytes.append(UInt8(kind))
            bytes.append(contentsOf: name.utf8)
            bytes.append(0)
        }
        guard bytes.count <= Int(WIRE_BLOCK) else {
            throw SystemError(action: "hand over \(bytes.count) bytes of names", errno: EMSGSIZE)
        }
        bytes.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: wire_names(down), count: Int(WIRE_BLOCK))
                .copyMemory(from: bytes)
        }
        return UInt32(bytes.count)
    }

    /// Copies bytes that the worker may be changing meanwhile.
    static func copy(_ source: UnsafeRawPointer, _ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if count > 0 { wire_copy(buffer.baseAddress, source, count) }
            initialized = count
        }
    }
}

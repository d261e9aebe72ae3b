// ManifestReaderTests.swift — from files on disk to manifests, and to the reasons why not.
// Next: ObjectStoreTests.swift.

import Glibc
import NocturneCore
import NocturneHost
import Testing

@Suite struct ManifestReaderTests {
    let scratch = ScratchDirectory()
    let fixtures = CompiledFixtures.all

    private func reason(_ path: String) throws -> ManifestReaderError? {
        do throws(ManifestReaderError) {
            return try ManifestReader.inspect(path).refusals().first
        } catch {
            return error
        }
    }

    @Test func `an object of the store and the dropped file read the same`() throws {
        let dropped = scratch.write("sample.so", fixtures["plugin.so"])
        let store = try ObjectStore(directory: scratch.path("objects"))
        let object = try store.ingest(dropped)

        let stored = try ManifestReader.read(object: store.path(of: object.hash))
        let inspected = try ManifestReader.inspect(dropped)
        #expect(try stored.checked().id.description == "sample")
        #expect(stored.image == inspected.image)
        #expect(try inspected.manifest.get() == stored.manifest.get())
    }

    @Test func `a file for another machine shows its manifest and is refused`() throws {
        var file = fixtures["plugin.so"]
        file[18] = ELFArchitecture.host.machine == 62 ? 183 : 62
        let path = scratch.write("arm.so", file)

        let read = try ManifestReader.inspect(path)
        #expect(try read.manifest.get().id.description == "sample")
        let found = read.image.architecture
        #expect(throws: ManifestReaderError.refused(.wrongArchitecture(found: found, host: .host)))
        {
            try read.checked()
        }
    }

    @Test func `a file that is cut off is incomplete, not refused`() throws {
        let file = fixtures["plugin.so"]
        let path = scratch.write("cut.so", Array(file[..<(file.count - 1)]))
        guard
            case .incomplete(.truncated(.sectionHeaders, _, _, have: UInt64(file.count - 1))) =
                try reason(path)
        else {
            Issue.record("\(String(describing: try reason(path)))")
            return
        }
    }

    @Test func `a manifest that is not valid is the manifest's error`() throws {
        var file = HandmadeELF(type: 1)
        file.segments = [[4, 4, 120, 0, 28, 28, 4]]
        file.payload = file.note("nope")
        let path = scratch.write("object.so", file.bytes)
        let reasons = try ManifestReader.inspect(path).refusals()
        #expect(reasons.first == .refused(.notSharedObject(found: .objectFile)))
        guard case .manifest(.notJSON) = reasons.last else {
            Issue.record("\(reasons)")
            return
        }
    }

    @Test func `what is no file to read is refused before it is opened`() throws {
        let fifo = scratch.path("fifo.so")
        mkfifo(fifo, 0o600)
        #expect(try reason(fifo) == .unreadable(.notRegular(path: fifo, kind: .fifo)))
        let missing = scratch.path("missing.so")
        #expect(try reason(missing) == .unreadable(.vanished(path: missing)))
        let empty = scratch.write("empty.so", [])
        #expect(try reason(empty) == .unreadable(.empty(path: empty)))
        let text = scratch.write("text.so", Array("hello".utf8))
        #expect(try reason(text) == .refused(.notELF(found: Array("hello".utf8))))
    }
}

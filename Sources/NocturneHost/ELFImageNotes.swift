// ELFImageNotes.swift — finds the manifest: the note named "Nocturne" of type 1, first where a
// loader would look (PT_NOTE), then by section, for files whose note is in no segment.
// Next: ELFImageSymbols.swift.

internal import NocturneCore

/// Collects manifest notes from regions of notes.
private struct NoteSearch {
    /// Name with its NUL, as n_namesz counts it (gABI "Note Section").
    static let name = Array("Nocturne\0".utf8)
    static let type: UInt32 = 1
    /// n_namesz, n_descsz and n_type: words in both classes.
    static let headerBytes: UInt64 = 12
    /// Bounds the time over all regions; a real file has about five notes.
    static let mostNotes = 1 << 16
    /// Bounds the bytes that are compared: one note, seen as segment and as section, is one range.
    static let mostManifests = 16

    let bytes: ELFImageBytes
    private var visited = 0
    var descriptions: Set<Range<UInt64>> = []

    init(_ bytes: ELFImageBytes) { self.bytes = bytes }

    /// Walks one region twice: linkers have merged 4- and 8-aligned notes into one segment with
    /// either number on it. The manifest's note reads the same both ways, its header and name being
    /// 24 bytes.
    ///
    /// - Returns: whether the bytes were notes to their end under at least one of the alignments.
    mutating func walk(_ region: Range<UInt64>) throws(ELFError) -> Bool {
        let four = try walk(region, alignment: 4)
        let eight = try walk(region, alignment: 8)
        return four || eight
    }

    private mutating func walk(
        _ region: Range<UInt64>, alignment: UInt64
    ) throws(ELFError) -> Bool {
        var start = region.lowerBound
        // Less than a header is padding.
        while region.upperBound - start >= Self.headerBytes {
            visited += 1
            guard visited <= Self.mostNotes else {
                throw .malformed(.notes, reason: "are more than the \(Self.mostNotes) allowed")
            }
            let nameSize = UInt64(try bytes.word(.notes, at: start))
            let size = UInt64(try bytes.word(.notes, at: start + 4))
            let type = try bytes.word(.notes, at: start + 8)
            // No overflow: a start below 2^28 and two 32-bit sizes.
            let nameStart = start + Self.headerBytes
            let description = start + aligned(Self.headerBytes + nameSize, to: alignment)
            let isManifest =
                type == Self.type && nameSize == UInt64(Self.name.count)
                && bytes.holds(Self.name, in: region, at: nameStart - region.lowerBound)
            guard description + size <= region.upperBound else {
                if isManifest {
                    throw .malformed(
                        .manifestNote,
                        reason: "claims \(size) bytes, but its segment or section ends "
                            + "\(region.upperBound - min(description, region.upperBound)) bytes on")
                }
                return false
            }
            if isManifest { descriptions.insert(description..<(description + size)) }
            // The last note's padding may be cut off.
            start = min(
                region.upperBound, aligned(description + size - start, to: alignment) + start)
        }
        return true
    }

    private func aligned(_ size: UInt64, to alignment: UInt64) -> UInt64 {
        (size + alignment - 1) / alignment * alignment
    }
}

extension ELFImageParser {
    private static let sectionName = Array(".note.nocturne\0".utf8)

    mutating func readManifest() {
        do throws(ELFError) {
            image.manifest = try findManifest()
            image.manifestError = nil
        } catch {
            image.manifestError = error
        }
    }

    private func findManifest() throws(ELFError) -> [UInt8] {
        var search = NoteSearch(bytes)
        // A region that is cut off is told of as a flaw already; it is searched as far as it goes.
        for segment in segments where segment.type == ELFSegmentType.note {
            if let region = present(segment.offset, segment.fileSize) {
                _ = try search.walk(region)
            }
        }
        for section in sections where section.hasBytes {
            let isOurs = isOurs(section)
            guard isOurs || section.type == ELFSectionType.note,
                let region = present(section.offset, section.size)
            else { continue }
            let areNotes = try search.walk(region)
            if isOurs, !areNotes {
                throw .malformed(
                    .manifestNote, reason: "section `.note.nocturne` does not hold an ELF note")
            }
        }
        guard search.descriptions.count <= NoteSearch.mostManifests else {
            throw .ambiguousManifest(count: search.descriptions.count)
        }
        var manifests: Set<[UInt8]> = []
        for range in search.descriptions {
            let size = range.upperBound - range.lowerBound
            guard size <= UInt64(ELFImage.largestManifestBytes) else {
                throw .manifestTooLarge(bytes: Int(size), limit: Manifest.maximumBytes)
            }
            var manifest = bytes.copy(range)
            while manifest.last == 0 { manifest.removeLast() }
            manifests.insert(manifest)
        }
        guard manifests.count <= 1 else { throw .ambiguousManifest(count: manifests.count) }
        guard let manifest = manifests.first else { throw .noManifest }
        return manifest
    }

    private func isOurs(_ section: Section) -> Bool {
        guard let sectionNames else { return false }
        return bytes.holds(Self.sectionName, in: sectionNames, at: section.name)
    }

    /// What of a region the file holds; `nil` if nothing.
    private func present(_ offset: UInt64, _ size: UInt64) -> Range<UInt64>? {
        guard offset < bytes.count, size > 0 else { return nil }
        return offset..<(offset + min(size, bytes.count - offset))
    }
}

// FuzzTarget.swift — any bytes as a version, a range and a manifest, for libFuzzer. `Scripts/fuzz` builds and runs it.

import NocturneCore

/// Ends the program with the claim that does not hold; `precondition` says nothing in an optimized build.
private func claim(_ holds: Bool, _ what: String) {
    if !holds { fatalError("does not hold: \(what)") }
}

/// What libFuzzer calls with each input. It reports one that ends the program.
///
/// - Parameter bytes: at most 4 KiB; what texts say without a last line feed, so that seeds are text files.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    let text = String(
        decoding: input.last == UInt8(ascii: "\n") ? input.dropLast() : input[...], as: UTF8.self)
    testVersion(text)
    testRange(text)
    testManifest(input)
    return 0
}

/// What is read prints back byte for byte, and has its place in the order.
private func testVersion(_ text: String) {
    do throws(SemanticVersionError) {
        let version = try SemanticVersion(text)
        claim(version.description == text, "a version prints as it was written")
        claim(
            version == version.withoutBuild && version < version.successor, "versions have an order"
        )
        claim(VersionSet(exactly: version).contains(version), "a version is in the set of itself")
    } catch {
        claim(!error.description.isEmpty, "an error has a text")
    }
}

/// The canonical text means the same, and is its own canonical text.
private func testRange(_ text: String) {
    do throws(VersionRangeError) {
        let range = try VersionRange(text)
        let canonical = range.description
        guard let again = try? VersionRange(canonical) else {
            fatalError("a canonical text is a range")
        }
        claim(again == range, "a canonical text is equal to what it is of")
        claim(again.hashValue == range.hashValue, "equal ranges hash alike")
        claim(again.description == canonical, "a canonical text is its own")
        for version in probes + versions(in: text) {
            let isIn = range.contains(version)
            claim(again.contains(version) == isIn, "a canonical text means the same")
            claim(range.set.complement.contains(version) != isIn, "a complement has the others")
        }
    } catch {
        claim(!error.description.isEmpty, "an error has a text")
    }
}

/// The normalized form of a manifest is one, and says the same.
private func testManifest(_ bytes: [UInt8]) {
    do throws(ManifestError) {
        let manifest = try Manifest.parse(bytes, source: .bare)
        let json = manifest.json
        let again = try? Manifest.parse(Array(json.description.utf8), source: .bare)
        claim(again?.json == json, "a manifest's JSON is a manifest with the same JSON")
        claim(again?.dependencies == manifest.dependencies, "dependencies mean the same")
    } catch {
        claim(!error.description.isEmpty, "an error has a text")
    }
}

private let probes = [
    "0.0.0-0", "0.0.0", "0.1.0", "1.0.0-alpha.1", "1.0.0", "1.2.3", "1.2.3-rc.1", "2.0.0",
    "18446744073709551616.0.0",
].compactMap { try? SemanticVersion($0) }

/// The versions that a range speaks of, where the bounds are.
private func versions(in text: String) -> [SemanticVersion] {
    let words = text.split { " ,|<>=~^".contains($0) }.prefix(8)
    return words.compactMap { try? SemanticVersion(String($0)) }.flatMap { [$0, $0.successor] }
}

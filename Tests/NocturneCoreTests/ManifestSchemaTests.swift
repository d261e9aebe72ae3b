// ManifestSchemaTests.swift — the schema that editors use and the parser that decides say the same.
// Next: CoreRandomizedTests.swift.

import Testing

@testable import NocturneCore

@Suite struct ManifestSchemaTests {
    @Test func `the published schema accepts what the parser accepts`() throws {
        let schema = try JSONSchema(compiling: CoreFixture.manifestSchema)
        for vector in try #require(CoreFixture.manifests["accepted"]?.array) {
            let manifest = try #require(vector["manifest"])
            let violation = failure { () throws(JSONSchemaViolation) in
                try schema.validate(manifest)
            }
            #expect(violation == nil, "\(vector["why"]?.string ?? "")")
        }
    }

    @Test func `the published schema refuses what the parser refuses, as far as it can`() throws {
        let schema = try JSONSchema(compiling: CoreFixture.manifestSchema)
        for vector in try #require(CoreFixture.manifests["rejected"]?.array) {
            let manifest = try #require(vector["manifest"])
            let violation = failure { () throws(JSONSchemaViolation) in
                try schema.validate(manifest)
            }
            let isOnlyHost = vector["onlyHost"]?.bool == true
            #expect((violation == nil) == isOnlyHost, "\(vector["why"]?.string ?? "")")
        }
    }
}

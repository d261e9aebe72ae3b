// TimeTextTests.swift — moments as RFC 3339 writes them.

import NocturneCore
import NocturneTasks
import Testing

@Suite struct TimeTextTests {
    // The examples of RFC 3339, section 5.8, as GNU date gives them (`date -d TEXT +%s%3N`).
    @Test(arguments: [
        ("1985-04-12T23:20:50.52Z", 482_196_050_520),
        ("1996-12-19T16:39:57-08:00", 851_042_397_000),
        ("1990-12-31T23:59:60Z", 662_688_000_000), ("1990-12-31T15:59:60-08:00", 662_688_000_000),
        ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130), ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("2000-02-29t00:00:00z", 951_782_400_000),
        ("0000-03-01T00:00:00Z", -62_162_035_200_000),
    ])
    func `the examples of the specification are read`(text: String, milliseconds: Int64) {
        #expect(UnixTime(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2026-01-31", "2026-01-31T02:30:00", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T02:60:00Z", "2026-01-31T02:30:61Z",
        "2026-01-31T02:30:00.Z", "2026-01-31T02:30:00+1:00", "2026-01-31T02:30:00+24:00",
        "2026-01-31T02:30:00+01:60", "2026-01-31T02:30:00+0100", "2026-01-31T02:30:00Zx",
        " 2026-01-31T02:30:00Z", "26-01-31T02:30:00Z", "12026-01-31T02:30:00Z",
        "2026-01-31T02:30:00é", "+026-01-31T02:30:00Z",
    ])
    func `anything else is refused`(text: String) {
        #expect(UnixTime(rfc3339: text) == nil)
    }
}

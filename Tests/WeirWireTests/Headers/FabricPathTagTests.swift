import Testing
import WeirWire

@Suite("FabricPath tag")
struct FabricPathTagTests {
    @Test("Parses a tag")
    func parses() throws {
        let tag = try FabricPathTag.read(hex("0060"))
        #expect(tag.tree == 1 && tag.timeToLive == 32)
        let other = try FabricPathTag.read(hex("ffc1"))
        #expect(other.tree == 1023 && other.timeToLive == 1)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try FabricPathTag.expectRoundTrips(seed: 46) { FabricPathTag(tree: $0.half(), timeToLive: $0.byte()) }
    }
}

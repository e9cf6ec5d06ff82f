import Testing
import WeirWire

@Suite("Direction")
struct DirectionTests {
    @Test("Has an opposite, a name and a label")
    func names() {
        #expect(Direction.upstream.opposite == .downstream)
        #expect(Direction.downstream.opposite == .upstream)
        #expect(Direction.allCases.map(\.description) == ["upstream", "downstream"])
        #expect(Direction.allCases.map(\.label) == ["up", "down"])
    }
}

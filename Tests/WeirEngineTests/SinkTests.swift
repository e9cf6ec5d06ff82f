import Testing
import WeirEngine

@Suite("What a sink wants")
struct InterestTests {
    @Test("Includes what the level before it wants")
    func order() {
        #expect(Interest.flows < .chunks)
        #expect(Interest.chunks < .bytes)
        #expect([Interest.chunks, .flows, .bytes].max() == .bytes)
    }
}

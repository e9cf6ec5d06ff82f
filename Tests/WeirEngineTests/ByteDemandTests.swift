import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("Demand for bytes")
struct ByteDemandTests {
    private func record(_ direction: Direction, _ offset: UInt64, _ length: Int) throws -> ChunkRecord {
        guard case .forwarded(let record) = chunk(direction, at: offset, length) else {
            throw TestError()
        }
        return record
    }

    private struct TestError: Error {}

    @Test("Wants everything at first, and then what ends behind an offset of its direction")
    func offsets() throws {
        let demand = ByteDemand(places: 4)
        let flow = FlowID(5)
        #expect(demand.wants(try record(.upstream, 0, 1), of: flow))
        demand.want(flow, .upstream, from: 100)
        #expect(!demand.wants(try record(.upstream, 90, 10), of: flow))
        #expect(demand.wants(try record(.upstream, 90, 11), of: flow))
        #expect(demand.wants(try record(.downstream, 0, 1), of: flow))
        demand.want(flow, .downstream, from: .max)
        #expect(!demand.wants(try record(.downstream, 1 << 40, 512 << 10), of: flow))
    }

    @Test("Wants the bytes of a flow whose place another one took")
    func collisions() throws {
        let demand = ByteDemand(places: 4)
        demand.want(FlowID(1), .upstream, from: .max)
        demand.want(FlowID(5), .downstream, from: .max)
        #expect(demand.wants(try record(.upstream, 0, 1), of: FlowID(1)))
        #expect(demand.wants(try record(.upstream, 0, 1), of: FlowID(5)))
        #expect(!demand.wants(try record(.downstream, 0, 1), of: FlowID(5)))
    }
}

import Testing
import WeirEngine
import WeirWire

@testable import WeirCapture

@Suite("Flow notes: which legs have no comment yet")
struct FlowNotesCountsTests {
    private let feed = FlowFeed()
    private var notes: FlowNotes
    private static let second: Int64 = 1_000_000_000

    init() { notes = FlowNotes(feed, .ethernet) }

    private mutating func see(_ tuple: FiveTuple, _ flags: TCPFlags = .ack, time: Int64 = 0) -> FlowNotes.Note {
        let bytes = frame(tuple, flags)
        return notes.note(LivePacket(timestamp: time, originalLength: UInt32(bytes.count)), bytes.span.bytes, at: time)
    }

    private mutating func learn(_ records: [FlowRecord], at time: Int64 = 0) {
        for record in records { feed.add(record) }
        notes.learn(at: time)
    }

    private func flow(_ number: UInt16, id: UInt64? = nil) -> TwoLegs {
        TwoLegs(id: FlowID(id ?? UInt64(number)), client: 50_000 + number, egress: 60_000 + number)
    }

    @Test("The last of several legs is still named by a packet in its middle", arguments: 1...4)
    mutating func last(count: UInt16) {
        for number in 1...count { learn([flow(number).record()]) }
        for number in 1...count {
            #expect(see(flow(number).toListener) == .says(flow(number).text))
            #expect(see(flow(number).toListener) == .nothing)
        }
        for number in (1...count).reversed() { #expect(see(flow(number).toServer) == .says(flow(number).text)) }
    }

    @Test("A leg that is forgotten or taken over counts no more, and one that stays does", arguments: [false, true])
    mutating func forgotten(isNamed: Bool) {
        let (stays, ends, again) = (flow(1), flow(2), flow(2, id: 9))
        learn([ends.record(), stays.record()])
        if isNamed { #expect(see(ends.toListener) == .says(ends.text) && see(ends.toServer) == .says(ends.text)) }
        learn([ends.closed(at: 0)])
        learn([], at: 2 * Self.second + 1)
        #expect(see(ends.toListener) == .nothing && see(ends.toServer) == .nothing)
        #expect(see(stays.toListener) == .says(stays.text))
        learn([again.record()])
        #expect(see(again.toServer) == .says(again.text))
        #expect(see(stays.toServer) == .says(stays.text) && see(again.toListener) == .says(again.text))
    }

    @Test("A flow on the ports of one without a comment takes its place", arguments: [0, 1, 2])
    mutating func replaced(named: Int) {
        let (stays, first, second) = (flow(1), flow(2), flow(2, id: 9))
        learn([first.record(), stays.record()])
        if named > 0 { #expect(see(first.toListener) == .says(first.text)) }
        if named > 1 { #expect(see(first.toServer) == .says(first.text)) }
        learn([first.closed(at: 0), second.record(), second.record()])
        #expect(see(second.toListener) == .nothing && see(second.toServer) == .nothing)
        #expect(see(second.toListener, .syn) == .says(second.text) && see(second.toServer, .syn) == .says(second.text))
        #expect(see(stays.toListener) == .says(stays.text) && see(stays.toServer) == .says(stays.text))
        // The end of the first flow does not take the second one's legs away.
        learn([], at: 3 * Self.second)
        notes.beginFile()
        #expect(see(second.toListener) == .says(second.text) && see(second.toServer) == .says(second.text))
    }

    @Test("Flows that end one after the other are forgotten one after the other", arguments: [-1, 0, 1] as [Int64])
    mutating func memory(more: Int64) {
        for number in 1...3 as ClosedRange<UInt16> {
            learn([flow(number).record(), flow(number).closed(at: Int64(number) * Self.second)])
        }
        learn([], at: 4 * Self.second + more)
        let known = (1...3 as ClosedRange<UInt16>).map { see(flow($0).toListener) != .nothing }
        #expect(known == [false, more <= 0, true])
        learn([], at: .max)
        notes.beginFile()
        for number in 1...3 as ClosedRange<UInt16> { #expect(see(flow(number).toListener) == .nothing) }
    }

    @Test("A server's leg whose dial failed is over, over UDP it is not", arguments: [Transport.tcp, .udp])
    mutating func refused(transport: Transport) {
        let legs = TwoLegs(transport: transport)
        learn([legs.record(), legs.record(.refused(.connectionRefused), at: 0)])
        learn([], at: 2 * Self.second + 1)
        #expect((see(legs.toServer) != .nothing) == (transport == .udp))
        #expect(see(legs.toListener) == .says(legs.text))
    }

    @Test("A packet of no flow is nothing, and one without ports too")
    mutating func others() {
        learn([flow(1).record()])
        #expect(see(flow(5).toListener) == .nothing)
        #expect(see(flow(5).toListener, [.syn, .ack]) == .nothing)
        let bytes: [UInt8] = [UInt8](repeating: 0, count: 12) + [8, 6, 0, 1]
        #expect(notes.note(LivePacket(timestamp: 0, originalLength: 16), bytes.span.bytes, at: 0) == .nothing)
    }
}

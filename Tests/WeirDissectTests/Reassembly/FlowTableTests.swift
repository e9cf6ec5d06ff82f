import Testing
import WeirDissect
import WeirWire

@Suite("Flow table")
struct FlowTableTests {
    static let client = Endpoint(address: IPAddress(v4: 0x0a00_0001), port: 1000)
    static let server = Endpoint(address: IPAddress(v4: 0x0a00_0002), port: 80)
    static let up = FiveTuple(transport: .tcp, source: client, destination: server)

    /// One segment: who sends it, its flags, its number and what it acknowledges.
    struct Sent: Sendable {
        let isUp: Bool
        let flags: TCPFlags
        let number: UInt32
        var acknowledgment: UInt32 = 0

        func add(to table: inout FlowTable, at time: Int64 = 0) -> FlowTable.Place? {
            let segment = StreamSegment(
                sequenceNumber: number,
                acknowledgmentNumber: acknowledgment,
                flags: flags,
                length: 0
            )
            return table.add(isUp ? up : up.reversed, segment, length: 60, at: time)
        }
    }

    static func c(_ flags: TCPFlags, _ number: UInt32, _ acknowledgment: UInt32 = 0) -> Sent {
        Sent(isUp: true, flags: flags, number: number, acknowledgment: acknowledgment)
    }

    static func s(_ flags: TCPFlags, _ number: UInt32, _ acknowledgment: UInt32 = 0) -> Sent {
        Sent(isUp: false, flags: flags, number: number, acknowledgment: acknowledgment)
    }

    /// The numbers that tshark 4.0.17 gives the streams of these packets.
    @Test(
        "A SYN begins a new flow where Wireshark sees one",
        arguments: [
            ([c(.syn, 1), c(.syn, 1)], [0, 0]),
            ([c(.syn, 1), c(.syn, 2)], [0, 1]),
            ([c(.syn, 1), s([.rst, .ack], 0, 2), c(.syn, 1)], [0, 0, 0]),
            ([c(.syn, 1), s([.rst, .ack], 0, 2), c(.syn, 5)], [0, 0, 1]),
            ([c(.syn, 1), s([.syn, .ack], 9, 2), s([.syn, .ack], 19, 2)], [0, 0, 0]),
            ([c(.ack, 100, 1), c(.syn, 1)], [0, 1]),
            ([c(.ack, 100, 1), c(.syn, 99)], [0, 0]),
            ([c(.ack, 100, 5), s(.syn, 1)], [0, 1]),
            ([c(.ack, 100, 5), s(.syn, 4)], [0, 0]),
            ([c(.psh, 100), s(.syn, 1)], [0, 0]),
            ([c(.syn, 1), s(.syn, 9), c([.syn, .ack], 1, 10), s([.syn, .ack], 9, 2)], [0, 0, 0, 0]),
            ([s([.syn, .ack], 9, 2), c(.syn, 1)], [0, 0]),
            ([s([.syn, .ack], 9, 2), c(.syn, 7)], [0, 1]),
            ([c(.rst, 99), c(.syn, 98)], [0, 0]),
            ([c(.rst, 99), c(.syn, 5)], [0, 1]),
            ([c([.rst, .ack], 99, 50), s(.syn, 49)], [0, 0]),
            ([c([.syn, .ack], 9, 1), c([.syn, .ack], 19, 1), c(.syn, 19)], [0, 0, 0]),
            ([c([.syn, .ack], 9, 1), c([.syn, .ack], 19, 1), c(.syn, 9)], [0, 0, 1]),
            ([c(.syn, 1), s([.syn, .ack], 9, 2), c(.syn, 5), s(.syn, 77)], [0, 0, 1, 1]),
            ([c(.syn, 1), s([.syn, .ack], 9, 2), c(.syn, 5), c(.syn, 1)], [0, 0, 1, 2]),
            ([c(.syn, 1), c([.syn, .rst], 5)], [0, 1]),
        ] as [([Sent], [Int])]
    )
    func streams(_ sent: [Sent], _ expected: [Int]) {
        var table = FlowTable()
        let places = sent.map { $0.add(to: &table)?.index }
        let count = table.count
        #expect(places == expected)
        #expect(count == (expected.last ?? 0) + 1)
    }

    @Test("Packets, bytes and times are counted each way")
    func counts() {
        var table = FlowTable(seed: 5)
        let tuple = FiveTuple(transport: .udp, source: Self.client, destination: Self.server)
        let first = table.add(tuple, nil, length: 100, at: 50)
        #expect(first?.isNew == true && first?.direction == .upstream && first?.index == 0)
        let second = table.add(tuple.reversed, nil, length: 7, at: 40)
        #expect(second?.isNew == false && second?.direction == .downstream && second?.index == 0)
        _ = table.add(tuple, nil, length: 1, at: nil)
        let flow = table[0]
        #expect((flow.packetsUp, flow.packetsDown) == (2, 1))
        #expect((flow.bytesUp, flow.bytesDown) == (101, 7))
        #expect(flow.start == 40)
        #expect(flow.duration == 10)
        #expect(flow.close == nil)
        #expect(flow.tuple == tuple)
    }

    @Test("Payload is counted once, whatever repeats it, is lost, or has strange numbers")
    func payload() {
        var table = FlowTable()
        func add(_ isUp: Bool, _ flags: TCPFlags, _ number: UInt32, _ length: Int) -> (Int, Int) {
            let segment = StreamSegment(
                sequenceNumber: number,
                acknowledgmentNumber: isUp ? 101 : 0xffff_fff1,
                flags: flags,
                length: length
            )
            let place = table.add(isUp ? Self.up : Self.up.reversed, segment, length: 60 + length, at: 0)
            let flow = table[place?.index ?? 0]
            return (flow.payloadUp, flow.payloadDown)
        }
        #expect(add(true, .syn, 0xffff_fff0, 0) == (0, 0))
        #expect(add(false, [.syn, .ack], 100, 0) == (0, 0))
        // The numbers wrap around.
        #expect(add(true, .ack, 0xffff_fff1, 20) == (20, 0))
        // A retransmission, one with more, and a keep-alive with the last byte.
        #expect(add(true, .ack, 0xffff_fff1, 20) == (20, 0))
        #expect(add(true, .ack, 0xffff_fffb, 20) == (30, 0))
        #expect(add(true, .ack, 14, 1) == (30, 0))
        // A segment that was not captured does not count; one that comes late does, each byte once, whatever pieces it comes in.
        #expect(add(false, .ack, 111, 10) == (30, 10))
        #expect(add(false, .ack, 103, 4) == (30, 14))
        #expect(add(false, .ack, 103, 4) == (30, 14))
        #expect(add(false, .ack, 102, 4) == (30, 15))
        #expect(add(false, .ack, 101, 20) == (30, 20))
        #expect(add(false, .ack, 101, 10) == (30, 20))
        #expect(add(false, [.fin, .ack], 121, 0) == (30, 20))
        // Numbers far away from the others say nothing about what is between.
        #expect(add(false, .ack, 0x4000_0000, 7) == (30, 27))
        #expect(table[0].payload == 57 && table[0].turned.payloadUp == 27 && table.count == 1)
    }

    @Test("Of more holes than are kept the oldest are not filled any more, and each side has its own")
    func holes() {
        var table = FlowTable()
        func add(_ isUp: Bool, _ number: UInt32, _ length: Int) -> Int {
            let segment = StreamSegment(
                sequenceNumber: number,
                acknowledgmentNumber: 1,
                flags: .ack,
                length: length
            )
            _ = table.add(isUp ? Self.up : Self.up.reversed, segment, length: 60 + length, at: 0)
            return table[0].payload
        }
        #expect(add(true, 100, 1) == 1)
        for hole in 1...17 { #expect(add(true, 100 + UInt32(hole) * 3, 1) == 1 + hole) }
        #expect(add(true, 101, 2) == 18)
        #expect(add(true, 104, 2) == 20)
        #expect(add(true, 100, 52) == 50)
        // The other side has the same numbers, and nothing of it is in the holes.
        #expect(add(false, 100, 1) == 51)
        #expect(add(false, 103, 1) == 52)
        #expect(add(true, 100, 52) == 52)
        #expect(add(false, 101, 2) == 54)
    }

    @Test("The payload of datagrams is counted, and of a flow that turns out to go the other way")
    func otherPayload() {
        var table = FlowTable()
        let tuple = FiveTuple(transport: .udp, source: Self.client, destination: Self.server)
        for (tuple, payload) in [(tuple, 5), (tuple.reversed, 7), (tuple, 0), (tuple, 5)] {
            _ = table.add(tuple, nil, length: 28 + payload, payload: payload, at: 0)
        }
        #expect((table[0].payloadUp, table[0].payloadDown) == (10, 7))
        let answer = StreamSegment(sequenceNumber: 5, acknowledgmentNumber: 2, flags: .ack, length: 3)
        _ = table.add(Self.up.reversed, answer, length: 60, at: 0)
        #expect((table[1].payloadUp, table[1].payloadDown) == (3, 0))
        let syn = StreamSegment(sequenceNumber: 1, flags: .syn, length: 0)
        let place = table.add(Self.up, syn, length: 60, at: 0)
        #expect(place?.hasTurned == true && place?.index == 1)
        #expect((table[1].payloadUp, table[1].payloadDown) == (0, 3))
        _ = table.add(Self.up.reversed, answer, length: 60, at: 0)
        #expect((table[1].payloadUp, table[1].payloadDown) == (0, 3))
    }

    @Test("A flow without times has no start, and the longest duration there can be does not trap")
    func times() {
        var table = FlowTable()
        _ = table.add(Self.up, nil, length: 1, at: nil)
        var flow = table[0]
        #expect(flow.start == nil)
        #expect(flow.duration == nil)
        _ = table.add(Self.up, nil, length: 1, at: .min)
        _ = table.add(Self.up, nil, length: 1, at: .max)
        flow = table[0]
        #expect(flow.start == .min)
        #expect(flow.duration == .max)
    }

    @Test("Transport, address and port tell flows apart, and so do IPv4 and IPv6")
    func keys() {
        var table = FlowTable()
        let other = Endpoint(address: IPAddress(v4: 0x0a00_0003), port: 80)
        let mapped = Endpoint(address: IPAddress(v6: 0, low: 0x0a00_0002), port: 80)
        let tuples = [
            Self.up,
            FiveTuple(transport: .udp, source: Self.client, destination: Self.server),
            FiveTuple(transport: .tcp, source: Self.client, destination: other),
            FiveTuple(transport: .tcp, source: Self.client, destination: mapped),
            FiveTuple(transport: .tcp, source: Self.client, destination: Endpoint(address: other.address, port: 81)),
        ]
        for _ in 0..<3 { for tuple in tuples { _ = table.add(tuple, nil, length: 1, at: 0) } }
        let (found, reversed) = (tuples.map { table.find($0) }, tuples.map { table.find($0.reversed) })
        let none = table.find(FiveTuple(transport: .udp, source: other, destination: other))
        #expect(found == Array(0..<tuples.count))
        #expect(reversed == Array(0..<tuples.count))
        #expect(none == nil)
    }

    @Test("A hundred thousand flows are found again, whatever the seed")
    func many() {
        for seed in [0, 1, UInt64.max] {
            var table = FlowTable(seed: seed)
            let count = 100_000
            for round in 0..<2 {
                for number in 0..<count {
                    let address = IPAddress(v4: 0x0a00_0000 + UInt32(number / 1000))
                    let source = Endpoint(address: address, port: UInt16(number % 1000))
                    let tuple = FiveTuple(transport: .udp, source: source, destination: Self.server)
                    let place = table.add(round == 0 ? tuple : tuple.reversed, nil, length: 1, at: 0)
                    guard place?.index == number else { return #expect(place?.index == number) }
                }
            }
            let found = table.count
            #expect(found == count)
        }
    }

    @Test("The one who sent the SYN is the client, also where its SYN comes late or only the answer was captured")
    func client() {
        var answered = FlowTable()
        let first = Self.s([.syn, .ack], 9, 2).add(to: &answered)
        var flow = answered[0]
        #expect(first?.direction == .downstream)
        #expect(flow.client == Self.client)
        #expect((flow.packetsUp, flow.packetsDown) == (0, 1))
        var late = FlowTable()
        _ = Self.s(.psh, 9).add(to: &late)
        flow = late[0]
        #expect(flow.client == Self.server)
        let syn = Self.c(.syn, 1).add(to: &late)
        flow = late[0]
        #expect(syn?.hasTurned == true && syn?.direction == .upstream && syn?.isNew == false)
        #expect(flow.client == Self.client)
        #expect((flow.packetsUp, flow.packetsDown) == (1, 1))
        let answer = Self.s([.syn, .ack], 9, 2).add(to: &late)
        #expect(answer?.direction == .downstream)
    }

    @Test(
        "The close says how far the end has come",
        arguments: [
            ([c(.syn, 1)], .unanswered),
            ([c(.syn, 1), c(.syn, 1)], .unanswered),
            ([c(.syn, 1), s([.rst, .ack], 0, 2)], .refused),
            ([c(.syn, 1), s([.syn, .ack], 9, 2)], .open),
            ([c(.syn, 1), c(.ack, 2, 10)], .open),
            ([c(.ack, 1, 1)], .open),
            ([c(.syn, 1), s([.syn, .ack], 9, 2), c([.fin, .ack], 2, 10)], .clientFinished),
            ([c(.syn, 1), s([.syn, .ack], 9, 2), s([.fin, .ack], 10, 2)], .serverFinished),
            ([c([.fin, .ack], 2, 10), s([.fin, .ack], 10, 3), c(.rst, 3)], .finished),
            ([c([.fin, .ack], 2, 10), s(.rst, 10)], .serverReset),
            ([c(.syn, 1), s([.syn, .ack], 9, 2), c(.rst, 2), s(.rst, 9)], .clientReset),
            ([c(.syn, 1), s([.syn, .ack], 9, 2), s(.rst, 10), c(.rst, 2)], .serverReset),
        ] as [([Sent], FlowClose)]
    )
    func close(_ sent: [Sent], _ expected: FlowClose) {
        var table = FlowTable()
        for segment in sent { _ = segment.add(to: &table) }
        let flow = table[0]
        #expect(flow.close == expected)
    }

    @Test("Past its limit a table counts what it leaves out, and goes on with the flows that it has")
    func limit() {
        var table = FlowTable(limit: 1)
        let other = FiveTuple(transport: .udp, source: Self.client, destination: Self.server)
        let places = [
            table.add(Self.up, nil, length: 5, at: 0), table.add(other, nil, length: 7, at: 0),
            table.add(other, nil, length: 8, at: 0), table.add(Self.up.reversed, nil, length: 9, at: 0),
            Self.c(.syn, 1).add(to: &table), Self.c(.syn, 2).add(to: &table),
        ]
        #expect(places.map { $0?.index } == [0, nil, nil, 0, 0, nil])
        let (packets, bytes, flow) = (table.packetsLeftOut, table.bytesLeftOut, table[0])
        #expect((packets, bytes) == (3, 75))
        #expect(flow.packets == 3)
    }
}

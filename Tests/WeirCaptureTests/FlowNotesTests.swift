import Testing
import WeirFlow
import WeirWire

@testable import WeirCapture

@Suite("Flow notes")
struct FlowNotesTests {
    private var notes = FlowNotes()
    private let legs = TwoLegs()
    private static let millisecond: Int64 = 1_000_000

    private mutating func see(
        _ tuple: FiveTuple,
        _ flags: TCPFlags = [],
        at place: Int = 0,
        time: Int64 = 0
    ) -> String? {
        let bytes = frame(tuple, flags)
        let packet = LivePacket(timestamp: time, originalLength: UInt32(bytes.count))
        return notes.note(packet, bytes.span.bytes, .ethernet, at: place)
    }

    @Test("A packet of a flow that is known says so, once on each leg, whichever way it runs")
    mutating func known() {
        notes.learn([legs.record()])
        #expect(see(legs.toListener.reversed, .ack) == legs.text)
        #expect(see(legs.toListener, .ack) == nil)
        #expect(see(legs.toServer, .syn) == legs.text)
        #expect(see(legs.toServer, .ack) == nil)
    }

    @Test("A packet that comes before its flow is known waits, and is answered")
    mutating func marked() throws {
        #expect(see(legs.toListener, .syn, at: 100) == nil)
        #expect(see(legs.toListener, .ack, at: 200) == nil)
        #expect(notes.settle(at: 0) == 100)
        notes.learn([legs.record()])
        #expect(notes.settle(at: 0) == nil)
        let answers = notes.takeAnswers(before: 300)
        #expect(answers.map(\.text) == [legs.text])
        #expect(answers.map(\.mark.place) == [100])
        #expect(see(legs.toListener, .ack, at: 300) == nil)
        #expect(see(legs.toServer, .syn, at: 400) == legs.text)
    }

    @Test("A packet waits for 100 ms; then the leg's next packet says whose it is")
    mutating func patience() {
        _ = see(legs.toListener, .syn, at: 100)
        #expect(notes.settle(at: 100 * Self.millisecond) == 100)
        #expect(notes.settle(at: 101 * Self.millisecond) == nil)
        notes.learn([legs.record()])
        #expect(notes.takeAnswers(before: 1000).isEmpty)
        #expect(see(legs.toListener, .ack) == legs.text)
    }

    @Test("What waits is given in the order of its places, also where ports are used again")
    mutating func order() {
        let other = TwoLegs(id: FlowID(8), client: 50_001, egress: nil)
        _ = see(legs.toListener, .syn, at: 100)
        _ = see(other.toListener, .syn, at: 200)
        notes.learn([legs.record()])
        _ = see(legs.toListener, .syn, at: 300)
        #expect(notes.settle(at: 0) == 200)
        #expect(notes.takeAnswers(before: 200).map(\.mark.place) == [100])
        notes.learn([TwoLegs(id: FlowID(9)).record(), other.record()])
        #expect(notes.settle(at: 0) == nil)
        #expect(notes.takeAnswers(before: 250).map(\.mark.place) == [200])
        #expect(notes.takeAnswers(before: 999).map(\.text) == [TwoLegs(id: FlowID(9)).text])
    }

    @Test("Datagrams of a flow that has ended may begin another one on the same ports")
    mutating func datagrams() {
        let first = TwoLegs(transport: .udp)
        let second = TwoLegs(transport: .udp, id: FlowID(8), egress: 60_001)
        notes.learn([first.record()])
        #expect(see(first.toListener) == first.text)
        #expect(see(first.toListener, at: 1) == nil)
        #expect(notes.settle(at: 0) == nil)
        notes.learn([first.closed(at: 0)])
        #expect(see(first.toListener, at: 2) == nil)
        #expect(notes.settle(at: 0) == 2)
        notes.learn([second.record()])
        #expect(notes.takeAnswers(before: 10).map(\.text) == [second.text])
    }

    @Test("Each file names every leg again")
    mutating func files() {
        notes.learn([legs.record()])
        #expect(see(legs.toListener, .ack) == legs.text)
        notes.beginFile()
        #expect(see(legs.toListener, .ack) == legs.text)
        #expect(see(legs.toListener, .ack) == nil)
        #expect(see(legs.toServer, .ack) == legs.text)
    }

    @Test("A leg is named for two seconds after its flow has ended, and forgotten then")
    mutating func ended() {
        notes.learn([legs.record(), legs.closed(at: 0)])
        #expect(see(legs.toListener, .ack) == legs.text)
        #expect(notes.settle(at: 2000 * Self.millisecond) == nil)
        #expect(see(legs.toServer, .ack) == legs.text)
        _ = notes.settle(at: 2001 * Self.millisecond)
        notes.beginFile()
        #expect(see(legs.toListener, .ack) == nil)
    }

    @Test("A second address that is dialed has a leg of its own")
    mutating func rerouted() {
        let second = TwoLegs(egress: 60_001)
        notes.learn([legs.record(), legs.record(.refused(.connectionRefused))])
        #expect(see(legs.toServer, .syn) == legs.text)
        notes.learn([second.record(.connected(dial: .zero, isRerouted: true))])
        #expect(see(second.toServer, .syn) == second.text)
        #expect(see(second.toListener, .ack) == legs.text)
    }

    @Test("A zone in the relay's endpoints is no matter: packets have none")
    mutating func zones() throws {
        let address = try #require(IPAddress("fe80::1"))
        let zoned = IPAddress(v6: address.high, low: address.low, scope: 3)
        var record = legs.record()
        record.path.client = Endpoint(address: zoned, port: 50_000)
        record.path.listener = Endpoint(address: zoned, port: 9000)
        notes.learn([record])
        var buffer = ByteBuffer()
        IPv6Header(source: address, destination: address, nextHeader: .udp, payloadLength: 20).emit(to: &buffer)
        TCPHeader(
            sourcePort: 50_000,
            destinationPort: 9000,
            sequenceNumber: 0,
            acknowledgmentNumber: 0,
            flags: .ack,
            window: 0
        ).emit(to: &buffer)
        let packet = LivePacket(timestamp: 0, originalLength: 60)
        buffer.withUnsafeBytes { bytes in
            var bytes = Array(bytes)
            bytes[6] = IPProtocol.tcp.rawValue
            #expect(notes.note(packet, bytes.span.bytes, .raw, at: 0) != nil)
        }
    }

    @Test("The last sign is that of a known flow, from when it is watched for")
    mutating func signs() {
        notes.learn([legs.record()])
        notes.watch(at: 10)
        #expect(notes.lastSign == 10)
        _ = see(legs.toListener, .ack, time: 20)
        _ = see(TwoLegs(client: 1).toListener, .ack, time: 30)
        #expect(notes.lastSign == 20)
    }
}

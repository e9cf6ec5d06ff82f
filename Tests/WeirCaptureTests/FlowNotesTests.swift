import Synchronization
import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

@testable import WeirCapture

@Suite("Flow notes")
struct FlowNotesTests {
    private let feed = FlowFeed()
    private var notes: FlowNotes
    private let legs = TwoLegs()
    private static let millisecond: Int64 = 1_000_000

    init() { notes = FlowNotes(feed, .ethernet) }

    /// Shows a packet that came at a time, now or later.
    private mutating func see(
        _ tuple: FiveTuple,
        _ flags: TCPFlags = [],
        time: Int64 = 0,
        now: Int64? = nil
    ) -> FlowNotes.Note {
        let bytes = frame(tuple, flags)
        let packet = LivePacket(timestamp: time, originalLength: UInt32(bytes.count))
        return notes.note(packet, bytes.span.bytes, at: now ?? time)
    }

    private mutating func learn(_ records: [FlowRecord], at time: Int64 = 0) {
        for record in records { feed.add(record) }
        notes.learn(at: time)
    }

    @Test("A packet of a flow that is known says so, once on each leg, whichever way it runs")
    mutating func known() {
        learn([legs.record()])
        #expect(see(legs.toListener.reversed, .ack) == .says(legs.text))
        #expect(see(legs.toListener, .ack) == .nothing)
        #expect(see(legs.toServer, .syn) == .says(legs.text))
        #expect(see(legs.toServer, .ack) == .nothing)
    }

    @Test("A packet that comes before its flow is known waits, and then says it")
    mutating func early() throws {
        #expect(see(legs.toListener, .syn) == .waits)
        #expect(see(TwoLegs(client: 1).toListener, .ack) == .nothing)
        learn([legs.record()])
        #expect(see(legs.toListener, .syn, now: 5) == .says(legs.text))
        #expect(see(legs.toListener, .ack) == .nothing)
        #expect(see(legs.toServer, .syn) == .says(legs.text))
    }

    @Test("A packet waits for 100 ms; then the leg's next packet says whose it is")
    mutating func patience() {
        #expect(see(legs.toListener, .syn, now: 100 * Self.millisecond) == .waits)
        #expect(see(legs.toListener, .syn, now: 101 * Self.millisecond) == .nothing)
        #expect(see(legs.toListener, .syn, now: .max) == .nothing)
        learn([legs.record()])
        #expect(see(legs.toListener, .ack) == .says(legs.text))
    }

    /// Holds what is known of a process.
    private final class Known: Sendable {
        let answer = Mutex<ProcessAnswer?>(nil)
        var peek: ProcessPeek { { _ in self.answer.withLock { $0 } } }
    }

    @Test("A first packet waits for the process of its client, and both legs say it, in each file")
    mutating func process() {
        let known = Known()
        notes = FlowNotes(feed, .ethernet, process: known.peek)
        learn([legs.record()])
        #expect(see(legs.toListener, .syn) == .waits)
        known.answer.withLock { $0 = .found(ClientProcess(identifier: 4711, name: "my curl", user: "root")) }
        let text = legs.text + "; process my\\x20curl/4711 user root"
        #expect(see(legs.toListener, .syn, now: 5) == .says(text, process: 4711))
        #expect(see(legs.toServer, .syn) == .says(text))
        notes.beginFile()
        #expect(see(legs.toListener, .ack) == .says(text, process: 4711))
        #expect(RecordedPath(comment: text) == RecordedPath(number: 7, path: legs.path))
    }

    /// Makes notes that know the process of every client.
    private mutating func knowProcesses() {
        notes = FlowNotes(feed, .ethernet) { _ in .found(ClientProcess(identifier: 4711, name: "curl", user: "root")) }
    }

    @Test("Each packet of the client has its process, and no packet that the relay or the server sent")
    mutating func senders() {
        knowProcesses()
        let text = legs.text + "; process curl/4711 user root"
        learn([legs.record()])
        // The leg's first packet may be one of the relay's.
        #expect(see(legs.toListener.reversed, .ack) == .says(text))
        #expect(see(legs.toServer, .ack) == .says(text))
        for _ in 0..<2 {
            #expect(see(legs.toListener, .ack) == .isFrom(process: 4711))
            #expect(see(legs.toListener.reversed, .ack) == .nothing)
            #expect(see(legs.toServer, .ack) == .nothing)
            #expect(see(legs.toServer.reversed, .ack) == .nothing)
        }
        #expect(see(TwoLegs(client: 1).toListener, .ack) == .nothing)
        learn([legs.closed(at: 0)])
        #expect(see(legs.toListener, .ack) == .isFrom(process: 4711))
    }

    @Test("A datagram of the client has its process, until the flow has ended")
    mutating func datagramSenders() {
        knowProcesses()
        let legs = TwoLegs(transport: .udp)
        learn([legs.record()])
        #expect(see(legs.toListener) == .says(legs.text + "; process curl/4711 user root", process: 4711))
        #expect(see(legs.toListener) == .isFrom(process: 4711))
        #expect(see(legs.toListener.reversed) == .nothing)
        learn([legs.closed(at: 0)])
        #expect(see(legs.toListener) == .waits)
        #expect(see(legs.toListener, now: 101 * Self.millisecond) == .nothing)
    }

    @Test("Where another flow may have taken over the ports, packets have no process")
    mutating func reusedSenders() {
        knowProcesses()
        learn([legs.record()])
        #expect(see(legs.toListener, .syn) != .nothing)
        #expect(see(legs.toListener, .ack) == .isFrom(process: 4711))
        #expect(see(legs.toListener, .syn) == .waits)
        #expect(see(legs.toListener, .syn, now: 101 * Self.millisecond) == .nothing)
        #expect(see(legs.toListener, .ack) == .nothing)
    }

    @Test(
        "Without a process a packet waits no longer than for its flow",
        arguments: [nil, .unknown, .notAsked] as [ProcessAnswer?]
    )
    mutating func noProcess(_ answer: ProcessAnswer?) {
        let known = Known()
        known.answer.withLock { $0 = answer }
        notes = FlowNotes(feed, .ethernet, process: known.peek)
        learn([legs.record()])
        let limit = 100 * Self.millisecond
        if answer == nil { #expect(see(legs.toListener, .syn, now: limit) == .waits) }
        #expect(see(legs.toListener, .syn, now: limit + 1) == .says(legs.text))
        // What does not begin a leg never waits.
        #expect(see(legs.toServer, .ack) == .says(legs.text))
    }

    @Test("Where ports are used again, what is left of the first flow is not taken for the second's")
    mutating func reused() {
        let second = TwoLegs(id: FlowID(8))
        learn([legs.record()])
        #expect(see(legs.toListener, .syn) == .says(legs.text))
        learn([legs.closed(at: 0), second.record()])
        #expect(see(legs.toListener.reversed, [.fin, .ack]) == .nothing)
        #expect(see(second.toListener, .syn) == .says(second.text))
        #expect(see(second.toListener, .ack) == .nothing)
        notes.beginFile()
        #expect(see(second.toListener, .ack) == .says(second.text))
    }

    @Test("A first packet on the ports of a flow that is known waits for another one")
    mutating func again() {
        learn([legs.record()])
        #expect(see(legs.toListener, .syn) == .says(legs.text))
        #expect(see(legs.toListener, .syn) == .waits)
        learn([TwoLegs(id: FlowID(9)).record()])
        #expect(see(legs.toListener, .syn) == .says(TwoLegs(id: FlowID(9)).text))
    }

    @Test("Datagrams of a flow that has ended may begin another one on the same ports")
    mutating func datagrams() {
        let first = TwoLegs(transport: .udp)
        let second = TwoLegs(transport: .udp, id: FlowID(8), egress: 60_001)
        learn([first.record()])
        #expect(see(first.toListener) == .says(first.text))
        #expect(see(first.toListener) == .nothing)
        learn([first.closed(at: 0)])
        #expect(see(first.toListener) == .waits)
        learn([second.record()])
        #expect(see(first.toListener) == .says(second.text))
    }

    @Test("Each file names every leg again")
    mutating func files() {
        learn([legs.record()])
        #expect(see(legs.toListener, .ack) == .says(legs.text))
        notes.beginFile()
        #expect(see(legs.toListener, .ack) == .says(legs.text))
        #expect(see(legs.toListener, .ack) == .nothing)
        #expect(see(legs.toServer, .ack) == .says(legs.text))
    }

    @Test("A leg is named for two seconds after its flow has ended, and forgotten then")
    mutating func ended() {
        learn([legs.record(), legs.closed(at: 0)])
        #expect(see(legs.toListener, .ack) == .says(legs.text))
        learn([], at: 2000 * Self.millisecond)
        #expect(see(legs.toServer, .ack) == .says(legs.text))
        learn([], at: 2001 * Self.millisecond)
        notes.beginFile()
        #expect(see(legs.toListener, .ack) == .nothing)
    }

    @Test("A second address that is dialed has a leg of its own")
    mutating func rerouted() {
        let second = TwoLegs(egress: 60_001)
        learn([legs.record(), legs.record(.refused(.connectionRefused))])
        #expect(see(legs.toServer, .syn) == .says(legs.text))
        learn([second.record(.connected(dial: .zero, isRerouted: true))])
        #expect(see(second.toServer, .syn) == .says(second.text))
        #expect(see(second.toListener, .ack) == .says(legs.text))
    }

    @Test("A zone in the relay's endpoints is no matter: packets have none")
    mutating func zones() throws {
        let address = try #require(IPAddress("fe80::1"))
        let zoned = IPAddress(v6: address.high, low: address.low, scope: 3)
        var path = legs.record().path
        path.client = Endpoint(address: zoned, port: 50_000)
        path.listener = Endpoint(address: zoned, port: 9000)
        let plain = legs.record()
        let subject = FlowSubject(plain.flow, plain.transport, path)
        let record = FlowRecord(of: subject, moment: plain.moment, happening: plain.happening)
        notes = FlowNotes(feed, .raw)
        learn([record])
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
            #expect(notes.note(packet, bytes.span.bytes, at: 0) != .nothing)
        }
    }

    @Test("The last sign is that of a known flow, from when it is watched for")
    mutating func signs() {
        learn([legs.record()])
        watch(legs.toListener, time: 5)
        #expect(notes.lastSign == 0)
        notes.watch(at: 10)
        #expect(notes.lastSign == 10)
        watch(legs.toListener, time: 20)
        watch(TwoLegs(client: 1).toListener, time: 30)
        #expect(notes.lastSign == 20)
    }

    private mutating func watch(_ tuple: FiveTuple, time: Int64) {
        let bytes = frame(tuple, .ack)
        notes.watch(LivePacket(timestamp: time, originalLength: UInt32(bytes.count)), bytes.span.bytes)
    }
}

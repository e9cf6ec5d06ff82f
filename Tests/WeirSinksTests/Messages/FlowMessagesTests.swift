import Support
import Testing
import WeirDissect
import WeirEngine
import WeirWire

@testable import WeirSinks

/// Feeds chunks of flows, and writes down the messages; bytes that the demand does not want are not given.
private struct Feed {
    let demand = ByteDemand()
    var messages: FlowMessages
    private(set) var said: [String] = []
    private(set) var given = 0
    private var offsets: [String: UInt64] = [:]
    private let path: FlowPath

    init(port: UInt16 = 4000, _ interest: MessageInterest = .summaries) {
        messages = FlowMessages(interest, demand: demand)
        path = FlowPath(
            client: Playbook.path.client,
            listener: Playbook.path.listener,
            egress: Playbook.path.egress,
            server: Endpoint(address: .loopbackV4, port: port)
        )
    }

    mutating func add(
        _ bytes: [UInt8],
        _ direction: Direction = .upstream,
        flow: UInt64 = 1,
        _ transport: Transport = .tcp,
        skipping lost: UInt64 = 0
    ) {
        let key = "\(flow) \(direction)"
        let offset = offsets[key, default: 0] + lost
        offsets[key] = offset + UInt64(bytes.count)
        let happening = chunk(direction, at: offset, bytes.count)
        guard case .forwarded(let chunk) = happening else { return }
        let isWanted = demand.wants(chunk, of: FlowID(flow))
        if isWanted { given += bytes.count }
        read(record(happening, transport, flow: flow, path: path), isWanted ? bytes : [])
    }

    mutating func end(_ happening: FlowRecord.Happening, flow: UInt64 = 1) {
        read(record(happening, flow: flow, path: path), [])
    }

    private mutating func read(_ record: FlowRecord, _ bytes: [UInt8]) {
        var said = said
        messages.read(record, bytes.span.bytes) { message in
            let end = message.isUnfinished ? " unfinished" : message.isComplete ? "" : " incomplete"
            said.append("\(record.flow.rawValue) \(message.range) \(message.summary.string)\(end)")
        }
        self.said = said
    }
}

@Suite("Messages of live flows")
struct FlowMessagesTests {
    private static let ping = Array("*1\r\n$4\r\nPING\r\n".utf8)

    @Test("Keeps flows apart, and forgets them with their end")
    func flows() {
        var feed = Feed()
        feed.add(Array(Self.ping[..<6]), flow: 1)
        feed.add(Self.ping, flow: 2)
        feed.add(Array(Self.ping[6...]), flow: 1)
        feed.add(Array("+PONG\r\n".utf8), .downstream, flow: 1)
        #expect(feed.said == ["2 0..<14 PING", "1 0..<14 PING", "1 0..<7 PONG"])
        #expect(feed.messages.count == 2)
        for flow in [UInt64(1), 2] { feed.end(Sample.closed(.of(1, in: 1), .of(1, in: 1)), flow: flow) }
        #expect(feed.messages.count == 0)
    }

    @Test("Wants a long value's beginning and end alone")
    func bulk() {
        var feed = Feed()
        feed.add(Array("*2\r\n$3\r\nSET\r\n$10000000\r\n".utf8) + [UInt8](repeating: 120, count: 100))
        let block = [UInt8](repeating: 120, count: 100_000)
        for _ in 0..<99 { feed.add(block) }
        feed.add(Array(block[..<99_900]) + Array("\r\n".utf8) + Self.ping)
        #expect(feed.said.count == 2)
        #expect(feed.said.last == "1 10000026..<10000040 PING")
        #expect(feed.given < 210_000)
    }

    @Test("Wants no more than a long value's beginning, even if it comes byte by byte")
    func bulkByByte() {
        var feed = Feed()
        feed.add(Array("*2\r\n$3\r\nSET\r\n$1000000\r\n".utf8))
        for _ in 0..<5000 { feed.add([120]) }
        #expect(feed.given < 1000)
    }

    @Test("Gives up a flow that no dissector takes, and wants no more of it", arguments: [4000, 6379] as [UInt16])
    func unknown(port: UInt16) {
        var feed = Feed(port: port)
        var pattern = Pattern(seed: 3)
        for _ in 0..<10_000 {
            // No letter and no sign that begins a message.
            feed.add([0xFF] + pattern.next(999))
            feed.add([0xFE] + pattern.next(999), .downstream)
        }
        #expect(feed.said == [])
        #expect(feed.given <= 2 * Int(FlowMessages.patience) * 1000)
        #expect(feed.messages.count == 0)
        feed.end(Sample.closed(.of(1, in: 1), .of(1, in: 1)))
        #expect(feed.said == [])
    }

    @Test("Loses a message that chunks are missing of, and goes on")
    func missing() {
        var feed = Feed()
        feed.add(Self.ping)
        feed.add(Array("*2\r\n$3\r\nGET\r\n".utf8))
        feed.add(Self.ping, skipping: 9)
        #expect(feed.said == ["1 0..<14 PING", "1 14..<27 GET incomplete", "1 36..<50 PING"])
    }

    @Test(
        "Holds back 64 MiB for all flows together; what a flow held makes room with its end, and with that of its source"
    )
    func bound() {
        var feed = Feed(port: 514)
        let line = Array("<13>".utf8) + [UInt8](repeating: 120, count: 65_532)
        for flow in UInt64(1)...1025 { feed.add(line, flow: flow) }
        #expect(feed.messages.count == 1024)
        feed.end(.ended(.upstream), flow: 1)
        for flow: UInt64 in [2000, 2001] { feed.add(line, flow: flow) }
        #expect(feed.messages.count == 1025)
        feed.end(Sample.closed(.of(1, in: 1), .of(1, in: 1)), flow: 2)
        for flow: UInt64 in [2002, 2003] { feed.add(line, flow: flow) }
        #expect(feed.messages.count == 1025)
    }

    /// Bytes that begin no message, whatever the port.
    private static let noise = [0xFF] + [UInt8](repeating: 1, count: 19)

    @Test("Gives a flow up after 128 chunks of each direction without a message, and not before")
    func patience() {
        var feed = Feed(port: 6379)
        for _ in 0..<127 {
            feed.add(Self.noise)
            feed.add(Self.noise, .downstream)
        }
        #expect(feed.messages.count == 1)
        feed.add(Self.noise)
        #expect(feed.messages.count == 1 && feed.given == 255 * 20)
        // That direction is not looked at any more.
        feed.add(Self.noise)
        #expect(feed.messages.count == 1 && feed.given == 255 * 20)
        feed.add(Self.noise, .downstream)
        #expect(feed.messages.count == 0 && feed.given == 256 * 20)
        feed.add(Self.noise, .downstream)
        #expect(feed.messages.count == 0 && feed.given == 256 * 20 && feed.said == [])
    }

    @Test("Goes on with a direction that has messages, whatever the other one has, and with other flows")
    func oneDirection() {
        var feed = Feed(port: 6379)
        feed.add(Self.ping)
        for _ in 0..<300 { feed.add(Self.noise, .downstream) }
        feed.add(Self.ping)
        #expect(feed.said == ["1 0..<14 PING", "1 14..<28 PING"] && feed.messages.count == 1)
        for _ in 0..<128 { for direction in Direction.allCases { feed.add(Self.noise, direction, flow: 2) } }
        #expect(feed.messages.count == 1)
        feed.add(Self.ping)
        feed.add(Self.ping, flow: 3)
        #expect(feed.said.dropFirst(2) == ["1 28..<42 PING", "3 0..<14 PING"])
    }

    @Test("Tells again that it needs nothing of a flow, if another flow took its place in the demand")
    func demandsAgain() {
        var feed = Feed(port: 6379)
        for flow: UInt64 in [1, 1025] {
            for _ in 0..<128 { for direction in Direction.allCases { feed.add(Self.noise, direction, flow: flow) } }
        }
        let given = feed.given
        for (number, direction) in [Direction.upstream, .upstream, .downstream, .downstream].enumerated() {
            feed.add(Self.noise, direction, flow: 1)
            #expect(feed.given == given + 20 * (number / 2 + 1))
        }
    }

    @Test("Lends what the next chunk continues only where all fields are wanted, and never of a datagram")
    func unfinished() {
        var feed = Feed(.fields)
        feed.add(Array("*2\r\n$3\r\nGET\r\n".utf8))
        #expect(feed.said == ["1 0..<0 GET unfinished"])
        feed.add(Array("$1\r\na\r\n".utf8))
        #expect(feed.said.dropFirst() == ["1 0..<20 GET a"])
        feed.add(Array("<34>one".utf8), .upstream, flow: 2, .udp)
        #expect(feed.said.dropFirst(2) == ["2 0..<7 auth.crit one"])
    }

    @Test("Where all fields are wanted, says of bytes that wait for further ones that they may begin a message")
    func undecided() {
        for interest in [MessageInterest.summaries, .fields] {
            var feed = Feed(interest)
            feed.add(Array("GE".utf8))
            #expect(feed.said == (interest == .fields ? ["1 0..<2  unfinished"] : []))
            feed.add(Array("T / HTTP/1.1\r\n\r\n".utf8))
            #expect(feed.said.last == "1 0..<18 GET /")
        }
    }

    @Test("Reads nothing without interest, forgets the flows with it, and begins again")
    func interest() {
        var feed = Feed(.none)
        feed.add(Self.ping)
        #expect(feed.said.isEmpty && feed.messages.count == 0)
        feed.messages.follow(.summaries)
        feed.add(Self.ping)
        #expect(feed.said.count == 1 && feed.messages.count == 1)
        feed.messages.follow(.fields)
        #expect(feed.messages.count == 1)
        feed.messages.follow(.none)
        #expect(feed.messages.count == 0)
    }

    @Test("Reads datagrams one by one")
    func datagrams() {
        var feed = Feed()
        feed.add(Array("<34>one".utf8), .upstream, flow: 1, .udp)
        feed.add(Array("<34>two".utf8), .upstream, flow: 1, .udp)
        #expect(feed.said == ["1 0..<7 auth.crit one", "1 0..<7 auth.crit two"])
    }
}

import Support
import Testing
import WeirDissect
import WeirEngine
import WeirWire

@testable import WeirSinks

@Suite("Parts of live chunks that are kept")
struct MessageRangeFinderTests {
    /// Feeds chunks to a finder, and to the messages of a sink what is kept of them.
    private struct Feed {
        var finder = MessageRangeFinder()
        var messages = FlowMessages(.summaries)
        private(set) var said: [String] = []
        private(set) var kept: [Int] = []
        private var offset: UInt64 = 0

        mutating func add(_ bytes: [UInt8], _ transport: Transport = .tcp, skipping lost: UInt64 = 0) {
            let happening = Support.chunk(.upstream, at: offset + lost, bytes.count)
            guard case .forwarded(var chunk) = happening else { return }
            offset += lost + UInt64(bytes.count)
            let parts = finder.parts(of: record(happening, transport), bytes.span.bytes) { _ in true }
            let keptBytes = parts.map { $0.flatMap { bytes[$0] } } ?? bytes
            kept.append(keptBytes.count)
            chunk.parts = parts ?? []
            if !keptBytes.isEmpty { chunk.bytesOffset = 0 }
            read(.forwarded(chunk), transport, keptBytes)
        }

        mutating func end(_ happening: FlowRecord.Happening) {
            _ = finder.parts(of: record(happening), RawSpan()) { _ in true }
            read(happening, .tcp, [])
        }

        private mutating func read(_ happening: FlowRecord.Happening, _ transport: Transport, _ bytes: [UInt8]) {
            var said = said
            messages.read(record(happening, transport), bytes.span.bytes) { message in
                said.append("\(message.range) \(message.summary.string)")
            }
            self.said = said
        }
    }

    private static let head = Array("PUT /a HTTP/1.1\r\nContent-Length: 65536\r\n\r\n".utf8)
    private static let message = head + Array(repeating: 0, count: 65_536)

    @Test("Of large messages the heads are kept, and read by the sinks")
    func heads() {
        var feed = Feed()
        for _ in 0..<100 { feed.add(Self.message) }
        #expect(feed.said.count == 100)
        #expect(feed.kept.first == Self.message.count)
        #expect(feed.kept.dropFirst().allSatisfy { $0 == Self.head.count })
        feed.add(Array(Self.message.prefix(1000)))
        feed.add(Array(Self.message.dropFirst(1000).prefix(1000)))
        #expect(feed.kept.suffix(2) == [Self.head.count, 0])
    }

    @Test("Flows of small messages, and of bytes that are none, are soon copied whole without being read")
    func patience() {
        for text in ["PUT /a HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", "\u{0}\u{1}\u{2}\u{3}"] {
            var feed = Feed()
            let bytes = Array(String(repeating: text, count: 40_000).utf8)
            for _ in 0..<3 { feed.add(bytes) }
            for _ in 0..<3 { feed.add(Self.message) }
            #expect(feed.kept.last == Self.message.count)
        }
    }

    /// Finds the parts of successive upstream chunks.
    private func parts(_ chunks: [[UInt8]], isWanted: Bool) -> [[Range<Int>]?] {
        var (finder, offset) = (MessageRangeFinder(), 0)
        return chunks.map { bytes in
            defer { offset += bytes.count }
            return finder.parts(of: record(chunk(.upstream, at: UInt64(offset), bytes.count)), bytes.span.bytes) { _ in
                isWanted
            }
        }
    }

    @Test("A chunk has at most 64 parts; one with more is kept whole, and its flow is read on", arguments: [1, 64, 65])
    func partLimit(count: Int) {
        let small = Array("PUT /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\n".utf8)
        let message = small + [UInt8](repeating: 0, count: 1000)
        let many = (0..<count).flatMap { _ in message }
        let found = parts([message, many, message], isWanted: true)
        let heads = (0..<count).map { ($0 * message.count)..<($0 * message.count + small.count) }
        #expect(found[1] == (count > 64 ? nil : heads))
        #expect(found[2] == [0..<small.count])
    }

    @Test("A flow may cost 128 KiB beyond a quarter of its bytes", arguments: [(174_760, true), (174_764, false)])
    func waste(count: Int, isRead: Bool) {
        let (noise, rest) = ([UInt8](repeating: 0xEE, count: count), [UInt8](repeating: 0xEE, count: 100))
        #expect(parts([noise, rest], isWanted: false) == [[0..<count], isRead ? [0..<100] : []])
    }

    @Test("A flow's directions are read apart, and one chunk whose bytes are missing ends the reading")
    func directions() {
        var finder = MessageRangeFinder()
        var offsets: [Direction: Int] = [:]
        func add(_ direction: Direction, _ bytes: [UInt8], length: Int? = nil) -> [Range<Int>]? {
            let offset = offsets[direction, default: 0]
            offsets[direction] = offset + (length ?? bytes.count)
            let happening = chunk(direction, at: UInt64(offset), length ?? bytes.count)
            return finder.parts(of: record(happening), bytes.span.bytes) { _ in true }
        }
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n".utf8)
        let whole = answer + [UInt8](repeating: 0, count: 65_536)
        _ = add(.upstream, Self.message)
        _ = add(.downstream, whole)
        for _ in 0..<3 {
            #expect(add(.upstream, Self.message) == [0..<Self.head.count])
            #expect(add(.downstream, whole) == [0..<answer.count])
        }
        #expect(add(.upstream, [], length: 7) == nil)
        #expect(add(.downstream, whole) == nil)
    }

    @Test("Where chunks did not come here, and for datagrams, all is kept")
    func gaps() {
        var feed = Feed()
        feed.add(Self.message)
        feed.add(Self.message, skipping: 10)
        feed.add(Self.message)
        #expect(feed.kept == Array(repeating: Self.message.count, count: 3))
        var datagrams = Feed()
        for _ in 0..<3 { datagrams.add(Self.message, .udp) }
        #expect(datagrams.kept == Array(repeating: Self.message.count, count: 3))
        #expect(datagrams.finder.count == 0)
    }

    @Test("What sinks do not look at either is not kept, and a flow is forgotten with its end")
    func ends() {
        var feed = Feed()
        feed.add(Self.message)
        #expect(feed.finder.count == 1)
        feed.end(.ended(.upstream))
        feed.end(.closed(CloseRecord(reason: .finished, upstream: Counters(), downstream: Counters(), duration: .zero)))
        #expect(feed.finder.count == 0)
        var finder = MessageRangeFinder()
        let noise = Array(repeating: UInt8(0xEE), count: 1 << 20)
        var parts: [[Range<Int>]?] = []
        for index in 0..<3 {
            let happening = chunk(.upstream, at: UInt64(index * noise.count), noise.count)
            parts.append(finder.parts(of: record(happening), noise.span.bytes) { _ in false })
        }
        #expect(parts == [[0..<noise.count], [], []])
    }
}

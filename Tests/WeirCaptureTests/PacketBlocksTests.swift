import Testing
import WeirFlow
import WeirWire

@testable import WeirCapture

@Suite("Packet blocks")
struct PacketBlocksTests {
    private let legs = TwoLegs()

    /// Is what a file says, as its reader finds it.
    private struct Seen: Equatable {
        var times: [Int64] = []
        var payloads: [[UInt8]] = []
        var lengths: [UInt32?] = []
        var comments: [[String]] = []
        var statistics: [CaptureStatistics] = []
        var interfaces: [CaptureInterface] = []
    }

    private func read(_ file: [UInt8]) throws -> Seen {
        var seen = Seen()
        var reader = CaptureReader()
        while let item = try reader.next(in: file.span.bytes) {
            switch item {
            case .packet(let packet):
                let metadata = reader.metadata(of: packet, in: file.span.bytes)
                seen.times.append(packet.timestamp ?? -1)
                seen.payloads.append(Array(file[packet.range]))
                seen.lengths.append(metadata.originalLength)
                seen.comments.append(metadata.options.comments)
            case .block(.statistics(let statistics)): seen.statistics.append(statistics)
            case .block(.interface(let interface)): seen.interfaces.append(interface)
            case .block: break
            }
        }
        try reader.finish(at: file.count)
        return seen
    }

    private func begin(_ blocks: inout PacketBlocks) -> [UInt8] {
        var head = ByteBuffer()
        blocks.begin(to: &head)
        return head.withUnsafeBytes { Array($0) }
    }

    private func release(_ blocks: inout PacketBlocks, at time: Int64, isLast: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        blocks.release(at: time, isLast: isLast) { buffer in
            bytes += buffer.withUnsafeBytes { Array($0) }
            buffer.removeAll()
        }
        return bytes
    }

    @Test("A packet that waited for its flow says whose it is; the bytes of all packets stay as they were")
    func answered() throws {
        let feed = FlowFeed()
        var sink = FlowFeedSink(feed)
        var blocks = PacketBlocks(CaptureDescription(linkType: .ethernet), feed: feed)
        var file = begin(&blocks)
        let frames = [
            frame(TwoLegs(client: 1).toListener, .ack, payload: 3), frame(legs.toListener, .syn, payload: 1),
            frame(legs.toServer, .syn, payload: 2), frame(legs.toListener, .ack, payload: 5),
        ]
        for (index, bytes) in frames.enumerated() {
            let length = UInt32(bytes.count + index)
            blocks.append(LivePacket(timestamp: Int64(index), originalLength: length), bytes.span.bytes)
        }
        file += release(&blocks, at: 10)
        #expect(try read(file).times == [0])
        var nothing = ByteBuffer()
        sink.render(legs.record(), bytes: RawSpan(), into: &nothing)
        file += release(&blocks, at: 20)
        let seen = try read(file)
        #expect(seen.payloads == frames)
        #expect(seen.times == [0, 1, 2, 3])
        #expect(seen.lengths == frames.enumerated().map { UInt32($1.count + $0) })
        #expect(seen.comments == [[], [legs.text], [legs.text], []])
        #expect(nothing.count == 0)
    }

    @Test("The last release keeps nothing back")
    func last() throws {
        var blocks = PacketBlocks(CaptureDescription(linkType: .ethernet), feed: FlowFeed())
        let head = begin(&blocks)
        let bytes = frame(legs.toListener, .syn)
        blocks.append(LivePacket(timestamp: 0, originalLength: 54), bytes.span.bytes)
        #expect(release(&blocks, at: 1).isEmpty)
        #expect(try read(head + release(&blocks, at: 1, isLast: true)).payloads == [bytes])
    }

    @Test("More than 4 MiB do not wait for a flow")
    func bounded() throws {
        var blocks = PacketBlocks(CaptureDescription(linkType: .ethernet), feed: FlowFeed())
        _ = begin(&blocks)
        let bytes = frame(legs.toListener, .syn, payload: 60_000)
        for _ in 0..<69 { blocks.append(LivePacket(timestamp: 0, originalLength: 60_054), bytes.span.bytes) }
        #expect(release(&blocks, at: 1).isEmpty)
        blocks.append(LivePacket(timestamp: 0, originalLength: 60_054), bytes.span.bytes)
        #expect(release(&blocks, at: 1).count > 4 << 20)
    }

    @Test("A file says what was captured, with which filter, and what the kernel counted")
    func around() throws {
        var description = CaptureDescription(linkType: .linuxSLL2, snapLength: 96)
        description.interface = "any"
        description.filter = "udp port 53"
        description.isNanoseconds = false
        var blocks = PacketBlocks(description)
        var file = begin(&blocks)
        var progress = CaptureProgress(began: 1_000_000)
        progress.now = 2_000_000
        progress.packets = 5
        progress.counters.received = 9
        progress.counters.dropped = 4
        progress.counters.droppedByInterface = 1
        var end = ByteBuffer()
        blocks.finish(progress, to: &end)
        file += end.withUnsafeBytes { Array($0) }
        let seen = try read(file)
        #expect(seen.interfaces.map(\.name) == ["any"])
        #expect(seen.interfaces.map(\.filterText) == ["udp port 53"])
        #expect(seen.interfaces.map(\.snapLength) == [96])
        #expect(seen.interfaces.map(\.resolution) == [.microseconds])
        let statistics = try #require(seen.statistics.first)
        #expect(statistics.received == 9)
        #expect(statistics.droppedBySystem == 4)
        #expect(statistics.droppedByInterface == 1)
        #expect(statistics.delivered == 5)
        #expect(statistics.start == 1_000_000)
        #expect(statistics.end == 2_000_000)
    }

    @Test("A pcap file has the packets, and no word about them")
    func classic() throws {
        let feed = FlowFeed()
        feed.add(legs.record())
        var description = CaptureDescription(linkType: .ethernet)
        description.format = .pcap
        var blocks = PacketBlocks(description, feed: feed)
        var file = begin(&blocks)
        let bytes = frame(legs.toListener, .syn, payload: 7)
        blocks.append(LivePacket(timestamp: 5_000_000_123, originalLength: 61), bytes.span.bytes)
        file += release(&blocks, at: 1)
        let seen = try read(file)
        #expect(seen.payloads == [bytes])
        #expect(seen.times == [5_000_000_123])
        #expect(seen.comments == [[]])
    }
}

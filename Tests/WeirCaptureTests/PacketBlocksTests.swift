import Testing
import WeirSinks
import WeirWire

@testable import WeirCapture

@Suite("Packet blocks")
struct PacketBlocksTests {
    private let legs = TwoLegs()

    /// What a file says, as its reader finds it.
    private struct Seen: Equatable {
        var times: [Int64] = []
        var payloads: [[UInt8]] = []
        var lengths: [UInt32?] = []
        var comments: [[String]] = []
        var processes: [PacketProcess?] = []
        var statistics: [CaptureStatistics] = []
        var interfaces: [CaptureInterface] = []
        var sections: [CaptureSection] = []
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
                seen.processes.append(metadata.options.process)
            case .block(.statistics(let statistics)): seen.statistics.append(statistics)
            case .block(.interface(let interface)): seen.interfaces.append(interface)
            case .block(.section(let section)): seen.sections.append(section)
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

    private func release(_ blocks: inout PacketBlocks) -> [UInt8] {
        var bytes: [UInt8] = []
        blocks.release { buffer in
            bytes += buffer.withUnsafeBytes { Array($0) }
            buffer.removeAll()
        }
        return bytes
    }

    @Test("A packet has its time, its length, its bytes, and a comment where it is to say something")
    func packets() throws {
        var blocks = PacketBlocks(CaptureDescription(linkType: .ethernet))
        var file = begin(&blocks)
        let frames = [frame(legs.toListener, .syn, payload: 1), frame(legs.toServer, .syn), frame(legs.toServer, .ack)]
        for (index, bytes) in frames.enumerated() {
            let packet = LivePacket(timestamp: Int64(index), originalLength: UInt32(bytes.count + index))
            blocks.append(
                packet,
                bytes.span.bytes,
                saying: index == 1 ? legs.text : nil,
                process: index < 2 ? 4711 : nil
            )
            if index == 0 { file += release(&blocks) }
        }
        file += release(&blocks)
        #expect(blocks.count == 0)
        let seen = try read(file)
        #expect(seen.payloads == frames)
        #expect(seen.times == [0, 1, 2])
        #expect(seen.lengths == frames.enumerated().map { UInt32($1.count + $0) })
        #expect(seen.comments == [[], [legs.text], []])
        let process = PacketProcess(process: 4711, thread: 0)
        #expect(seen.processes == [process, process, nil])
    }

    @Test("A file says what was captured, with which filter, and what the kernel counted")
    func around() throws {
        var description = CaptureDescription(linkType: .linuxSLL2, snapLength: 96)
        description.interface = "any"
        description.filter = "udp port 53"
        description.application = "weir 9"
        description.operatingSystem = "Linux 6"
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
        #expect(seen.sections.map(\.application) == ["weir 9"] && seen.sections.map(\.operatingSystem) == ["Linux 6"])
        #expect(seen.interfaces.map(\.operatingSystem) == ["Linux 6"])
        #expect(seen.interfaces.map(\.name) == ["any"])
        #expect(seen.interfaces.map(\.filterText) == ["udp port 53"])
        #expect(seen.interfaces.map(\.snapLength) == [96])
        #expect(seen.interfaces.map(\.resolution) == [.microseconds])
        let statistics = try #require(seen.statistics.first)
        #expect(statistics.interface == 0 && statistics.timestamp == 2_000_000)
        #expect(statistics.received == 9)
        #expect(statistics.droppedBySystem == 4)
        #expect(statistics.droppedByInterface == 1)
        #expect(statistics.delivered == 5)
        #expect(statistics.start == 1_000_000)
        #expect(statistics.end == 2_000_000)
    }

    @Test("A pcap file has the packets, and no word about them")
    func classic() throws {
        var description = CaptureDescription(linkType: .ethernet)
        description.format = .pcap
        var blocks = PacketBlocks(description)
        var file = begin(&blocks)
        let bytes = frame(legs.toListener, .syn, payload: 7)
        let packet = LivePacket(timestamp: 5_000_000_123, originalLength: 61)
        blocks.append(packet, bytes.span.bytes, saying: legs.text, process: 4711)
        file += release(&blocks)
        var end = ByteBuffer()
        blocks.finish(CaptureProgress(began: 0), to: &end)
        let isEmpty = end.isEmpty
        #expect(isEmpty)
        let seen = try read(file)
        #expect(seen.payloads == [bytes])
        #expect(seen.times == [5_000_000_123])
        #expect(seen.comments == [[]])
        #expect(seen.processes == [nil])
    }
}

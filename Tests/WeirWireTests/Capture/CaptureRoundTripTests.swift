import Support
import Testing
import WeirWire

@Suite("Round trips of captures")
struct CaptureRoundTripTests {
    @Test("What is written as pcapng is read again, whatever it is", arguments: 0..<20)
    func pcapng(seed: UInt64) throws {
        for index in 0..<20 as Range<UInt64> {
            var random = RandomCapture(seed: seed * 20 + index)
            let items = random.pcapng()
            let file = write(items)
            let read = Reading.items(file)
            #expect(read.error == nil)
            #expect(read.items == items)
            #expect(write(read.items) == file)
            let inPieces = Reading.items(file) { _ in Int.random(in: 1...500, using: &random.generator) }
            #expect(inPieces == read)
        }
    }

    @Test("What is written as pcap is read again", arguments: ByteOrder.allCases, [true, false])
    func pcap(order: ByteOrder, isNanoseconds: Bool) throws {
        for seed in 0..<100 as Range<UInt64> {
            var random = RandomCapture(seed: seed)
            let items = random.pcap(order, isNanoseconds: isNanoseconds)
            let file = write(items)
            let read = Reading.items(file)
            #expect(read.error == nil)
            #expect(read.items == items)
            let inPieces = Reading.items(file) { _ in Int.random(in: 1...500, using: &random.generator) }
            #expect(inPieces == read)
        }
    }

    @Test("What the captures of the corpus hold is read again as it was", .needsCorpus)
    func corpus() throws {
        var kinds: Set<String> = []
        for file in try Corpus.files() {
            let read = Reading.items(try Corpus.read(file))
            // Nothing writes a packet without a time.
            let items = read.items.map { item in
                guard case .packet(var metadata, let linkType, let bytes) = item, metadata.timestamp == nil else {
                    return item
                }
                metadata.timestamp = 0
                return .packet(metadata, linkType, bytes)
            }
            let again = Reading.items(write(items))
            #expect(again.items == items, "\(file)")
            for item in items { kinds.insert(kind(item)) }
        }
        #expect(kinds == ["packet", "pcapHeader", "section", "interface", "names", "statistics", "custom"])
    }

    private func kind(_ item: WholeItem) -> String {
        switch item {
        case .packet: "packet"
        case .block(let block): "\(block)".split(separator: "(").first.map(String.init) ?? ""
        }
    }

    /// Writes the items of a capture.
    private func write(_ items: [WholeItem]) -> [UInt8] {
        var pcapng = PcapngWriter()
        var pcap: PcapWriter?
        return written { buffer in
            for item in items {
                switch item {
                case .packet(let metadata, _, let bytes):
                    if let pcap {
                        pcap.append(metadata, bytes.span.bytes, to: &buffer)
                    } else {
                        pcapng.append(metadata, bytes.span.bytes, to: &buffer)
                    }
                case .block(.pcapHeader(let header)):
                    let writer = PcapWriter(header)
                    writer.appendHeader(to: &buffer)
                    pcap = writer
                case .block(let block): pcapng.append(block, to: &buffer)
                }
            }
        }
    }
}

import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@testable import WeirRelay

@Suite("Whole blocks of a capture that was cut")
struct WholeBlocksTests {
    @Test("Finds the last whole block of every prefix", arguments: CaptureSettings.Format.allCases)
    func prefixes(_ format: CaptureSettings.Format) throws {
        var settings = CaptureSettings(seed: 1)
        settings.format = format
        var sink = CaptureSink(settings)
        var output = ByteBuffer()
        sink.begin(at: 0, into: &output)
        var ends: [Int] = []
        for happening in [FlowRecord.Happening.opened, .connected(dial: .zero, isRerouted: false), .ended(.upstream)] {
            let record = FlowRecord(
                flow: FlowID(1),
                transport: .tcp,
                path: Playbook.path,
                moment: ManualClock.start,
                happening: happening
            )
            sink.render(record, bytes: RawSpan(), into: &output)
            ends.append(output.count)
        }
        let file = output.withUnsafeBytes { Array($0) }
        var wholes: Set<Int> = []
        for count in 0...file.count {
            let whole = WholeBlocks.length(file.span.bytes.extracting(..<count), format, isStart: true)
            #expect(whole <= count)
            wholes.insert(whole)
            let capture = try SeenCapture(Array(file[..<whole]))
            #expect(capture.error == nil || whole == 0)
        }
        #expect(wholes.isSuperset(of: ends))
        // Ten packets, and as pcapng three blocks before them, as pcap a header.
        #expect(wholes.count == (format == .pcapng ? 14 : 12))
        let rest = Array(file[ends[0]...])
        #expect(WholeBlocks.length(rest.span.bytes, format, isStart: false) == rest.count)
    }

    @Test("Takes the shortest blocks and packets, one after another, and no part of one")
    func shortest() {
        var block = [UInt8](repeating: 0, count: 12)
        block[4] = 12
        for count in 0...36 {
            let bytes = Array((block + block + block).prefix(count))
            #expect(WholeBlocks.length(bytes.span.bytes, .pcapng, isStart: false) == count / 12 * 12)
            #expect(WholeBlocks.length(bytes.span.bytes, .pcapng, isStart: true) == count / 12 * 12)
        }
        let zeros = [UInt8](repeating: 0, count: 60)
        for count in 0...60 {
            let bytes = zeros.span.bytes.extracting(..<count)
            // A packet without bytes has its header of 16 bytes alone; the file's header has 24.
            #expect(WholeBlocks.length(bytes, .pcap, isStart: false) == count / 16 * 16)
            #expect(WholeBlocks.length(bytes, .pcap, isStart: true) == (count < 24 ? 0 : 24 + (count - 24) / 16 * 16))
        }
    }

    @Test("Stops where a length cannot be one")
    func nonsense() {
        for length: UInt32 in [0, 11, .max] {
            var bytes = [UInt8](repeating: 0, count: 32)
            withUnsafeBytes(of: length.littleEndian) { bytes.replaceSubrange(4..<8, with: $0) }
            #expect(WholeBlocks.length(bytes.span.bytes, .pcapng, isStart: false) == 0)
        }
    }
}

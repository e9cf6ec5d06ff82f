import Support
import Testing
import WeirWire

@Suite("pcap writer")
struct PcapWriterTests {
    private static let time: Int64 = 1_700_000_000_123_456_789

    @Test("Writes a header and a packet as the draft lays them out", arguments: ByteOrder.allCases, [true, false])
    func layout(order: ByteOrder, isNanoseconds: Bool) {
        var header = PcapHeader(linkType: .ethernet, byteOrder: order, isNanoseconds: isNanoseconds)
        header.linkFlags = 0x2400
        let writer = PcapWriter(header)
        let bytes = written {
            writer.appendHeader(to: &$0)
            let packet = PacketMetadata(timestamp: Self.time, originalLength: 70)
            writer.append(packet, ([1, 2, 3] as [UInt8]).span.bytes, to: &$0)
            writer.append(packet, ([1] as [UInt8]).span.bytes, ([2] as [UInt8]).span.bytes, to: &$0)
        }
        var expected = Expected(order)
        expected.words(isNanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4)
        expected.halves(2, 4)
        expected.words(0, 0, 262_144, 0x2400_0001)
        let fraction: UInt32 = isNanoseconds ? 123_456_789 : 123_456
        expected.words(1_700_000_000, fraction, 3, 70)
        expected.bytes += [1, 2, 3]
        expected.words(1_700_000_000, fraction, 2, 70)
        expected.bytes += [1, 2]
        #expect(bytes == expected.bytes)
        #expect(header.frameCheckLength == 4)
        #expect(PcapHeader(linkType: .ethernet).frameCheckLength == nil)
    }

    @Test(
        "Writes a time that has no place as the nearest that has one",
        arguments: [
            (Int64.min, 0, 0), (-1, 0, 0), (4_294_967_295_999_999_999, 4_294_967_295, 999_999_999),
            (4_294_967_296_000_000_000, 4_294_967_295, 1_000_000_000), (.max, 4_294_967_295, 4_294_967_295),
        ]
    )
    func limits(time: Int64, second: UInt32, fraction: UInt32) {
        let writer = PcapWriter(PcapHeader(linkType: .raw, byteOrder: .big))
        let bytes = written { writer.append(PacketMetadata(timestamp: time), [UInt8]().span.bytes, to: &$0) }
        var expected = Expected(.big)
        expected.words(second, fraction, 0, 0)
        #expect(bytes == expected.bytes)
    }

    @Test("capinfos and tcpdump read what is written", .needsProgram("capinfos"), .needsProgram("tcpdump"))
    func peers() throws {
        let folder = try TemporaryFolder()
        for order in ByteOrder.allCases {
            for isNanoseconds in [true, false] {
                let header = PcapHeader(linkType: .raw, byteOrder: order, isNanoseconds: isNanoseconds)
                let writer = PcapWriter(header)
                let path = try folder.file(
                    "\(order)-\(isNanoseconds).pcap",
                    written {
                        writer.appendHeader(to: &$0)
                        for _ in 0..<3 {
                            writer.append(PacketMetadata(timestamp: Self.time), datagram.span.bytes, to: &$0)
                        }
                    }
                )
                let dump = try ChildProgram.run("tcpdump", ["-r", path, "-tt", "-n", "--nano"]).output
                let line =
                    "1700000000.\(isNanoseconds ? "123456789" : "123456000") IP 127.0.0.1.7 > 127.0.0.1.9: UDP, length 0"
                #expect(dump.split(separator: "\n").filter { $0 == line }.count == 3, "\(dump)")
                let information = try ChildProgram.run("capinfos", ["-Mc", path]).output
                #expect(information.contains("Number of packets:   3"), "\(information)")
            }
        }
    }

    /// An IPv4 packet with an empty UDP datagram.
    private var datagram: [UInt8] {
        [0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 17, 0x3c, 0xcf, 127, 0, 0, 1, 127, 0, 0, 1, 0, 7, 0, 9, 0, 8, 0, 0]
    }
}

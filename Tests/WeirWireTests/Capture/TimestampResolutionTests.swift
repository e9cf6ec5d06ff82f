import Testing
import WeirWire

@Suite("Timestamp resolution")
struct TimestampResolutionTests {
    @Test(
        "Turns units of any size into nanoseconds, rounded down",
        arguments: [
            (6, nil, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
            (9, nil, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
            (0, nil, 1_700_000_000, 1_700_000_000_000_000_000),
            (12, nil, 1_999, 1),
            (19, nil, .max, 1_844_674_407),
            (28, nil, .max, 1),
            (29, nil, .max, 0),
            (127, nil, .max, 0),
            (0x80, nil, 3, 3_000_000_000),
            (0x8a, nil, 1_025, 1_000_976_562),
            (0xa0, nil, 1 << 31, 500_000_000),
            (0xbf, nil, .max, 1_999_999_999),
            (0xde, nil, .max, 0),
            (0xff, nil, .max, 0),
            (6, 5, 1, 5_000_001_000),
            (9, -5, 1, -4_999_999_999),
            (6, nil, .max, Int64.max),
            (0, nil, .max, Int64.max),
            (9, nil, .max, Int64.max),
            (9, .max, .max, Int64.max),
            (9, .min, 0, Int64.min),
        ] as [(UInt8, Int64?, UInt64, Int64)]
    )
    func toNanoseconds(resolution: UInt8, offset: Int64?, units: UInt64, nanoseconds: Int64) throws {
        let interface = Expected.interface {
            $0.option(9, [resolution])
            if let offset { $0.option(14, withUnsafeBytes(of: offset.littleEndian) { Array($0) }) }
        }
        let packet = Expected.block(6) {
            $0.words(0, UInt32(truncatingIfNeeded: units >> 32), UInt32(truncatingIfNeeded: units), 0, 0)
        }
        let read = Reading.items(Expected.section() + interface + packet)
        #expect(read.items.last == .packet(.init(timestamp: nanoseconds, originalLength: 0), .ethernet, []))
        #expect(read.error == nil)
    }

    @Test("Counts microseconds where nothing is said")
    func absent() throws {
        let read = Reading.items(Expected.section() + Expected.interface() + Expected.packet())
        #expect(
            read.items.last == .packet(.init(timestamp: 1_000_000_000, originalLength: 4), .ethernet, [1, 2, 3, 4])
        )
    }

    @Test("Says which base and power an octet means")
    func parts() {
        #expect(TimestampResolution.nanoseconds.exponent == 9)
        #expect(!TimestampResolution.nanoseconds.isBinary)
        #expect(TimestampResolution(rawValue: 0x8a).exponent == 10)
        #expect(TimestampResolution(rawValue: 0x8a).isBinary)
    }

    @Test("A time that has no place in a resolution is written as the nearest that has one")
    func limits() {
        var before = CaptureInterface(linkType: .raw)
        before.offsetSeconds = 10
        #expect(written(-1, CaptureInterface(linkType: .raw)) == 0)
        #expect(written(9_999_999_999, before) == 10_000_000_000)
        var fine = CaptureInterface(linkType: .raw)
        fine.resolution = TimestampResolution(rawValue: 19)
        #expect(written(.max, fine) == 1_844_674_407)
        var coarse = CaptureInterface(linkType: .raw)
        coarse.resolution = TimestampResolution(rawValue: 0)
        #expect(written(1, coarse) == 1_000_000_000)
    }

    /// Gives the time that is read after one was written.
    private func written(_ time: Int64, _ interface: CaptureInterface) -> Int64? {
        var writer = PcapngWriter()
        let file = WeirWireTests.written {
            writer.append(CaptureSection(), to: &$0)
            writer.append(interface, to: &$0)
            writer.append(PacketMetadata(timestamp: time), [UInt8]().span.bytes, to: &$0)
        }
        guard case .packet(let metadata, _, _) = Reading.items(file).items.last else { return nil }
        return metadata.timestamp
    }
}

import Support
import Testing
import WeirWire

/// Holds a file that cannot be read to its end, and what is expected of it.
struct DamagedCapture: Sendable, CustomTestStringConvertible {
    let name: String
    let file: [UInt8]
    let error: CaptureFileError
    /// Packets before the damage.
    var packets = 1
    /// Whether capinfos finds it damaged, too, after as many packets.
    var isSeenByCapinfos = true

    var testDescription: String { name }

    /// Makes a pcapng file with one packet before what is damaged, and one after it.
    init(_ name: String, _ part: [UInt8], _ error: (Int) -> CaptureFileError, isSeenByCapinfos: Bool = true) {
        let head = Expected.section() + Expected.interface() + Expected.packet()
        self.name = name
        self.file = head + part + Expected.packet()
        self.error = error(head.count)
        self.isSeenByCapinfos = isSeenByCapinfos
    }

    init(
        _ name: String,
        whole file: [UInt8],
        packets: Int = 0,
        _ error: CaptureFileError,
        isSeenByCapinfos: Bool = true
    ) {
        self.name = name
        self.file = file
        self.packets = packets
        self.error = error
        self.isSeenByCapinfos = isSeenByCapinfos
    }
}

@Suite("Damaged captures")
struct CaptureDamageTests {
    static let blocks: [DamagedCapture] = [
        .init("a block of 8 bytes", words(99, 8, 8)) { .malformed(.blockLength(8), at: $0) },
        .init("a block of no bytes", words(0, 0, 0)) { .malformed(.blockLength(0), at: $0) },
        .init("two lengths that differ", changed(Expected.packet(), 32, to: 40)) {
            .malformed(.lengthsDiffer(36, 40), at: $0)
        },
        .init("two lengths of an unknown block that differ", changed(Expected.block(99) { $0.words(1) }, 12, to: 20)) {
            .malformed(.lengthsDiffer(16, 20), at: $0)
        },
        .init("a packet that is longer than its block", Expected.packet(captured: 5)) {
            .malformed(.packetBeyondBlock(5), at: $0)
        },
        .init("a packet that is too long", long) { .malformed(.packetTooLong(262_145, limit: 262_144), at: $0) },
        .init("a packet of no interface", Expected.packet(interface: 1)) {
            .malformed(.noInterface(1, described: 1), at: $0)
        },
        .init("a packet block that is too short", Expected.block(6) { $0.words(0, 0, 0, 0) }) {
            .malformed(.blockLength(28), at: $0)
        },
        .init("a simple packet that is longer than its block", Expected.block(3) { $0.words(5, 0) }) {
            .malformed(.packetBeyondBlock(5), at: $0)
        },
        .init("a section of an unknown byte order", changed(Expected.section(), 8, to: 0x1a2b_3c4e)) {
            .malformed(.byteOrder(0x1a2b_3c4e), at: $0)
        },
        .init("a section of another version", Expected.section(major: 2)) {
            .unsupported(version: CaptureVersion(isPcapng: true, major: 2, minor: 0), at: $0)
        },
        .init("a section of another minor version", Expected.section(minor: 1)) {
            .unsupported(version: CaptureVersion(isPcapng: true, major: 1, minor: 1), at: $0)
        },
        .init("secrets that are longer than their block", Expected.block(10) { $0.words(0x544c_534b, 5, 0) }) {
            .malformed(.secretsBeyondBlock(5), at: $0)
        },
        .init("secrets of 4 GiB", words(10, 0xffff_fffc, 1, 1)) { .malformed(.blockLength(0xffff_fffc), at: $0) },
        .init("a custom block without an enterprise", Expected.block(0xbad) { _ in }) {
            .malformed(.blockLength(12), at: $0)
        },
    ]

    static let options: [DamagedCapture] = [
        .init("an option that is longer than its block", Expected.packet { $0.option(1, [1, 2, 3, 4], length: 5) }) {
            .malformed(.optionBeyondBlock(code: 1, length: 5), at: $0 + 32)
        },
        .init("an option of an interface that is longer than it", Expected.interface { $0.option(99, [], length: 1) }) {
            .malformed(.optionBeyondBlock(code: 99, length: 1), at: $0 + 16)
        },
        .init("flags of 8 bytes", Expected.packet { $0.option(2, [UInt8](repeating: 0, count: 8)) }) {
            .malformed(.optionLength(code: 2, length: 8), at: $0 + 32)
        },
        .init("a packet id of 4 bytes", Expected.packet { $0.option(5, [1, 2, 3, 4]) }) {
            .malformed(.optionLength(code: 5, length: 4), at: $0 + 32)
        },
        .init("a custom option without an enterprise", Expected.packet { $0.option(2989, [1, 2, 3]) }) {
            .malformed(.optionLength(code: 2989, length: 3), at: $0 + 32)
        },
        .init("a drop count of 4 bytes", Expected.packet { $0.option(4, [1, 2, 3, 4]) }) {
            .malformed(.optionLength(code: 4, length: 4), at: $0 + 32)
        },
        .init("a queue of 3 bytes", Expected.packet { $0.option(6, [1, 2, 3]) }) {
            .malformed(.optionLength(code: 6, length: 3), at: $0 + 32)
        },
        .init("an empty verdict", Expected.packet { $0.option(7, []) }) {
            .malformed(.optionLength(code: 7, length: 0), at: $0 + 32)
        },
        .init("an empty filter", Expected.interface { $0.option(11, []) }) {
            .malformed(.optionLength(code: 11, length: 0), at: $0 + 16)
        },
        .init("a name without an end", names { $0.option(1, [1, 2, 3, 4, 0x61]) }) {
            .malformed(.nameRecord(type: 1, length: 5), at: $0 + 8)
        },
        .init("a name record without an address", names { $0.option(2, [1, 2, 3, 4]) }) {
            .malformed(.nameRecord(type: 2, length: 4), at: $0 + 8)
        },
        .init("a name record that is longer than its block", names { $0.option(1, [1, 2, 3, 4, 0], length: 90) }) {
            .malformed(.nameRecord(type: 1, length: 90), at: $0 + 8)
        },
        .init("an end of name records that is longer than its block", Expected.block(4) { $0.option(0, [], length: 9) })
        {
            .malformed(.nameRecord(type: 0, length: 9), at: $0 + 8)
        },
        .init("a block of names without an end of records", Expected.block(4) { _ in }) {
            .malformed(.blockLength(12), at: $0)
        },
    ]

    static let files: [DamagedCapture] = [
        .init("no file", whole: [], .notCapture([]), isSeenByCapinfos: false),
        .init("two bytes", whole: [0xd4, 0xc3], .truncated(needed: 4, available: 2, at: 0), isSeenByCapinfos: false),
        .init("a text", whole: Array("Hello, server! Hello!".utf8), .notCapture([0x48, 0x65, 0x6c, 0x6c])),
        .init("half a header", whole: Array(pcap.prefix(20)), .truncated(needed: 24, available: 20, at: 0)),
        .init(
            "a pcap that ends in a record's head",
            whole: pcap + record + record.prefix(9),
            packets: 1,
            .truncated(needed: 16, available: 9, at: 44)
        ),
        .init(
            "a pcap that ends in a packet",
            whole: pcap + record + record.prefix(19),
            packets: 1,
            .truncated(needed: 20, available: 19, at: 44)
        ),
        .init(
            "a pcap with a packet that is too long",
            whole: pcap + record + words(1, 2, 262_145, 4),
            packets: 1,
            .malformed(.packetTooLong(262_145, limit: 262_144), at: 44)
        ),
        .init(
            "a pcap of another version",
            whole: Array(pcap.prefix(4)) + [3, 0] + pcap.dropFirst(6),
            .unsupported(version: CaptureVersion(isPcapng: false, major: 3, minor: 4), at: 4),
            isSeenByCapinfos: false
        ),
        .init(
            "a packet of no interface",
            whole: Expected.section() + Expected.packet(),
            .malformed(.noInterface(0, described: 0), at: 28)
        ),
        .init(
            "a simple packet of no interface",
            whole: Expected.section() + Expected.block(3) { $0.words(0) },
            .malformed(.noInterface(0, described: 0), at: 28)
        ),
    ]

    @Test("Are reported with their offset, and what was before is kept", arguments: blocks + options + files)
    func reported(capture: DamagedCapture) throws {
        let read = Reading.items(capture.file)
        #expect(read.error == capture.error)
        let packets = read.items.count { item in if case .packet = item { true } else { false } }
        #expect(packets == capture.packets)
        let inPieces = Reading.items(capture.file) { _ in 1 }
        #expect(inPieces == read)
    }

    @Test("Are damaged for capinfos, too, after as many packets", .needsProgram("capinfos"))
    func capinfos() throws {
        let folder = try TemporaryFolder()
        let captures = (Self.blocks + Self.options + Self.files).filter(\.isSeenByCapinfos)
        let paths = try captures.enumerated().map { try folder.file("\($0)", $1.file) }
        let said = try Capinfos.run(paths)
        for (path, capture) in zip(paths, captures) {
            let theirs = try #require(said[path], "\(capture.name)")
            #expect(theirs.complains, "\(capture.name)")
            // Where it complains before the first packet it gives no number.
            if let packets = theirs.packetsBefore { #expect(packets == capture.packets, "\(capture.name)") }
        }
        #expect(captures.count > 30)
    }

    @Test("End the reading: the same error is given again and again, and at the end")
    func staysFailed() throws {
        let capture = Self.blocks[0]
        var reader = CaptureReader()
        while (try? reader.next(in: capture.file.span.bytes)) != nil {}
        for _ in 0..<3 {
            #expect(throws: capture.error) { _ = try reader.next(in: capture.file.span.bytes) }
            #expect(throws: capture.error) { try reader.finish(at: capture.file.count) }
        }
    }

    @Test("A section of too many interfaces ends the reading before they fill the memory")
    func interfaces() throws {
        let file = Expected.section() + (0..<65_537).flatMap { _ in Expected.interface() }
        let read = Reading.items(file)
        #expect(read.error == .malformed(.tooManyInterfaces(limit: 65_536), at: 28 + 65_536 * 20))
        #expect(read.items.count == 65_537)
    }

    @Test("A packet that is too long is refused before its bytes are there")
    func refusedEarly() throws {
        var stream = CaptureStream()
        let head = Expected.section() + Expected.interface() + Self.long.prefix(28)
        stream.append(head.span.bytes)
        #expect(throws: CaptureFileError.malformed(.packetTooLong(262_145, limit: 262_144), at: 48)) {
            while try stream.next() != nil {}
        }
    }

    private static let pcap = words(0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1)
    private static let record = words(1, 2, 4, 4, 0)
    private static let long = Expected.block(6) {
        $0.words(0, 0, 0, 262_145, 262_145)
        $0.bytes += [UInt8](repeating: 0, count: 262_145)
    }

    private static func words(_ values: UInt32...) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    }

    private static func changed(_ block: [UInt8], _ offset: Int, to value: UInt32) -> [UInt8] {
        Array(block[..<offset]) + words(value) + block[(offset + 4)...]
    }

    private static func names(_ records: (inout Expected) -> Void) -> [UInt8] {
        Expected.block(4) {
            records(&$0)
            $0.words(0)
        }
    }
}

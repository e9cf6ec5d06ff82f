import Glibc
import Support
import Testing
import WeirWire

@testable import WeirCapture

@Suite("The start of a capture file", .timeLimit(.minutes(1)))
struct CaptureFileStartTests {
    /// Makes a pcap with some packets of 3 bytes.
    private static func pcap(_ count: Int) -> [UInt8] {
        var buffer = ByteBuffer()
        let writer = PcapWriter(PcapHeader(linkType: .ethernet))
        writer.appendHeader(to: &buffer)
        for number in 0..<count {
            writer.append(PacketMetadata(timestamp: Int64(number)), [1, 2, 3].span.bytes, to: &buffer)
        }
        return buffer.withUnsafeBytes { Array($0) }
    }

    private static func packets(_ file: inout CaptureFile) throws -> Int {
        var count = 0
        while let item = try file.next() { if case .packet = item { count += 1 } }
        return count
    }

    @Test("Bytes that were read before are the first ones", arguments: [0, 1, 2, 3, 24, 43, 100, 62])
    func begun(count: Int) throws {
        let folder = try TemporaryFolder()
        let bytes = Self.pcap(2)
        let first = Array(bytes.prefix(count))
        let rest = open(try folder.file("rest", Array(bytes.dropFirst(count))), O_RDONLY | O_CLOEXEC)
        defer { close(rest) }
        do {
            var file = CaptureFile(rest, path: "rest", first: first)
            #expect(try Self.packets(&file) == 2)
            #expect(file.bytesRead == bytes.count && file.size == bytes.count - first.count && !file.isCompressed)
        }
        // The descriptor is still the caller's.
        #expect(fcntl(rest, F_GETFD) >= 0)
    }

    #if Gzip
    @Test("What gzip compressed is recognised by two bytes", .needsProgram("gzip"), arguments: [0, 1, 2, 10, 60])
    func compressed(count: Int) throws {
        let folder = try TemporaryFolder()
        let plain = Self.pcap(50)
        #expect(try ChildProgram.run("gzip", [folder.file("a", plain)]).status == 0)
        let bytes = try folder.read("a.gz")
        let rest = open(try folder.file("rest", Array(bytes.dropFirst(count))), O_RDONLY | O_CLOEXEC)
        defer { close(rest) }
        var file = CaptureFile(rest, path: "rest", first: Array(bytes.prefix(count)))
        #expect(try Self.packets(&file) == 50)
        #expect(file.isCompressed && file.bytesRead == bytes.count)
    }

    @Test("What gzip compressed to more than is read at once is read piece by piece", .needsProgram("gzip"))
    func longCompressed() throws {
        let folder = try TemporaryFolder()
        var buffer = ByteBuffer()
        var pattern = Pattern(seed: 1)
        let writer = PcapWriter(PcapHeader(linkType: .ethernet))
        writer.appendHeader(to: &buffer)
        let packets = (0..<4).map { _ in pattern.next(50_000) }
        for packet in packets { writer.append(PacketMetadata(timestamp: 1), packet.span.bytes, to: &buffer) }
        let bytes = buffer.withUnsafeBytes { Array($0) }
        #expect(try ChildProgram.run("gzip", [folder.file("a", bytes)]).status == 0)
        let size = try folder.read("a.gz").count
        var file = try CaptureFile(folder.path + "/a.gz")
        var found: [[UInt8]] = []
        while let item = try file.next() {
            guard case .packet(let packet) = item else { continue }
            found.append(file.withBytes(of: packet) { $0.withUnsafeBytes { Array($0) } })
        }
        #expect(size > 66_560 && found == packets && file.bytesRead == size && file.isCompressed)
    }
    #endif

    @Test(
        "Two bytes of one kind and none of another do not make it gzip",
        arguments: [[0x1f, 0x8c], [0x1e, 0x8b], [0x1f], [0x8b, 0x1f]] as [[UInt8]]
    )
    func noGzip(bytes: [UInt8]) throws {
        let folder = try TemporaryFolder()
        var file = try CaptureFile(try folder.file("a", bytes))
        let failure = #expect(throws: CaptureFailure.self) { _ = try file.next() }
        guard case .capture = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(!file.isCompressed && file.bytesRead == bytes.count)
    }

    @Test("A pipe has no size")
    func pipeSize() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let file = CaptureFile(ends[0], path: "pipe", first: [])
        #expect(file.size == nil)
    }

    @Test("Says that it is about to read, before each time, and not while it has packets")
    func before() throws {
        let folder = try TemporaryFolder()
        var file = try CaptureFile(try folder.file("a", Self.pcap(3)))
        var calls: [Int] = []
        for _ in 0..<5 {
            var count = 0
            _ = try file.next { count += 1 }
            calls.append(count)
        }
        // The header and the first packets are read at once; the end is read again and again.
        #expect(calls.reduce(0, +) >= 2 && calls[0] == 1 && calls[1] == 0)
        #expect(try file.next() == nil)
    }
}

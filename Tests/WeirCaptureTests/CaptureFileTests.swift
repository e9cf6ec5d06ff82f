import Foundation
import Support
import Testing
import WeirCapture
import WeirWire

@Suite("Capture file")
struct CaptureFileTests {
    @Test(
        "Gives every packet of a file with its bytes, whole pieces and parts of them",
        arguments: [0, 1, 1000, 600_000]
    )
    func reads(count: Int) throws {
        let folder = try TemporaryFolder()
        var file = try CaptureFile(try folder.file("a.pcapng", Self.capture(count)))
        var numbers: [UInt64] = []
        var sum = 0
        while let item = try file.next() {
            guard case .packet(let packet) = item else { continue }
            if let number = file.metadata(of: packet).options.packetID { numbers.append(number) }
            sum += file.withBytes(of: packet) { Int($0.unsafeLoad(fromByteOffset: 0, as: UInt8.self)) }
        }
        #expect(numbers == (0..<UInt64(count)).map { $0 })
        #expect(sum == (0..<count).reduce(0) { $0 + $1 & 0xff })
        #expect(try file.next() == nil)
        #expect(file.reader.format == .pcapng)
    }

    @Test("Names the file, the offset and the reason where it is cut, after all that was before")
    func cut() throws {
        let folder = try TemporaryFolder()
        let bytes = Self.capture(10)
        let path = try folder.file("cut.pcapng", bytes.dropLast(7))
        var file = try CaptureFile(path)
        var packets = 0
        let failure = #expect(throws: CaptureFailure.self) {
            while let item = try file.next() {
                if case .packet = item { packets += 1 }
            }
        }
        #expect(packets == 9)
        guard case .capture(.truncated(_, let available, let offset), path) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(available + offset == bytes.count - 7)
        #expect(failure?.description.hasPrefix("'\(path)': cut short at byte \(bytes.count - 7): ") == true)
    }

    @Test("Says what cannot be opened or read, and why")
    func failures() throws {
        let folder = try TemporaryFolder()
        let absent = folder.path + "/absent"
        let opening = #expect(throws: CaptureFailure.self) { _ = try CaptureFile(absent).path }
        #expect(opening?.description == "cannot open '\(absent)': no such file or folder (ENOENT)")
        var file = try CaptureFile(folder.path)
        let reading = #expect(throws: CaptureFailure.self) { _ = try file.next() }
        #expect(reading?.description == "cannot read '\(folder.path)': folder, not file (EISDIR)")
        var empty = try CaptureFile(try folder.file("empty", []))
        let ending = #expect(throws: CaptureFailure.self) { _ = try empty.next() }
        #expect(ending?.description == "'\(folder.path)/empty': neither a capture nor a log: it is empty")
    }

    @Test("Reads a pipe that fills while it is read", .timeLimit(.minutes(1)))
    func pipe() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/pipe"
        try #require(mkfifo(path, 0o600) == 0)
        let bytes = Self.capture(5000)
        let writer = Thread {
            guard let handle = FileHandle(forWritingAtPath: path) else { return }
            for start in stride(from: 0, to: bytes.count, by: 999) {
                try? handle.write(contentsOf: bytes[start..<min(start + 999, bytes.count)])
            }
            try? handle.close()
        }
        writer.start()
        var file = try CaptureFile(path)
        var packets = 0
        while let item = try file.next() {
            if case .packet = item { packets += 1 }
        }
        #expect(packets == 5000)
    }

    @Test(
        "Is let go in the middle of a long file, and of one that is being read for the first time",
        arguments: [0, 1, 50_000]
    )
    func leftEarly(packets: Int) throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("long.pcapng", Self.capture(200_000))
        for _ in 0..<20 {
            var file = try CaptureFile(path)
            var count = 0
            while count < packets, let item = try file.next() {
                if case .packet = item { count += 1 }
            }
            #expect(count == packets)
        }
        // With it goes every descriptor, that of the thread that reads ahead as well.
        let name = try #require(folder.path.split(separator: "/").last)
        #expect(!descriptorTargets().contains { $0.hasSuffix("/\(name)/long.pcapng") })
    }

    @Test("Says where a long file is cut, after all that was before")
    func longCut() throws {
        let folder = try TemporaryFolder()
        let bytes = Self.capture(200_000)
        var file = try CaptureFile(try folder.file("cut.pcapng", bytes.dropLast(7)))
        var packets = 0
        let failure = #expect(throws: CaptureFailure.self) {
            while let item = try file.next() {
                if case .packet = item { packets += 1 }
            }
        }
        #expect(packets == 199_999)
        guard case .capture(.truncated(_, let available, let offset), _) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(available + offset == bytes.count - 7)
        #expect(file.bytesRead == bytes.count - 7)
    }

    /// Makes a capture of small packets that are numbered.
    private static func capture(_ count: Int) -> [UInt8] {
        var writer = PcapngWriter()
        var buffer = ByteBuffer()
        writer.append(CaptureSection(), to: &buffer)
        writer.append(CaptureInterface(linkType: .ethernet), to: &buffer)
        for number in 0..<count {
            let packet = PacketMetadata(timestamp: 0, options: PacketOptions(packetID: UInt64(number)))
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1 + number % 7)
            writer.append(packet, bytes.span.bytes, to: &buffer)
        }
        return buffer.withUnsafeBytes { Array($0) }
    }
}

import Testing
import WeirWire

@Suite("Capture stream")
struct CaptureStreamTests {
    @Test("Reads a capture that is far larger than what it keeps")
    func constantMemory() throws {
        var stream = CaptureStream(capacity: 64 << 10)
        let head = Expected.section() + Expected.interface()
        stream.append(head.span.bytes)
        let packets = Expected.packet { $0.option(1, Array("comment".utf8)) }
        let unknown = Expected.block(99) { $0.bytes += [UInt8](repeating: 1, count: 3 << 20) }
        let piece = [[UInt8]](repeating: packets, count: 500).flatMap { $0 } + unknown
        var count = 0
        for _ in 0..<10 {
            for start in stride(from: 0, to: piece.count, by: 10_007) {
                stream.append(piece.span.bytes.extracting(start..<min(start + 10_007, piece.count)))
                while let item = try stream.next() {
                    if case .packet = item { count += 1 }
                }
            }
        }
        try stream.finish()
        #expect(count == 5000)
        #expect(stream.reader.skippedBlocks == 10)
        #expect(stream.end == head.count + 10 * piece.count)
        #expect(stream.capacity == 64 << 10)
    }

    @Test("Takes a piece that is written in its place, and nothing when the closure throws")
    func inPlace() throws {
        struct Refusal: Error, Equatable {}
        var stream = CaptureStream()
        let file = Expected.section() + Expected.interface() + Expected.packet()
        #expect(throws: Refusal()) {
            try stream.append(upTo: 10) { _ throws(Refusal) in throw Refusal() }
        }
        #expect(stream.end == 0)
        let written = stream.append(upTo: 4096) { room in
            room.copyBytes(from: file)
            return file.count
        }
        #expect(written == file.count)
        var bytes: [UInt8] = []
        while let item = try stream.next() {
            guard case .packet(let packet) = item else { continue }
            #expect(packet.capturedLength == 4)
            #expect(stream.metadata(of: packet) == PacketMetadata(timestamp: 1_000_000_000, originalLength: 4))
            bytes += stream.withBytes(of: packet) { bytes in bytes.withUnsafeBytes { Array($0) } }
        }
        #expect(bytes == [1, 2, 3, 4])
        try stream.finish()
    }

    @Test(
        "Takes whole buffers in exchange, with room before the piece for what is left, and without",
        arguments: [0, 64, 4096]
    )
    func exchange(headroom: Int) throws {
        let unknown = Expected.block(99) { $0.bytes += [UInt8](repeating: 1, count: 900) }
        let file = Expected.section() + Expected.interface() + (0..<300).flatMap { _ in Expected.packet() + unknown }
        var stream = CaptureStream(capacity: 8192)
        var piece = ByteBuffer(capacity: 8192)
        var (count, sum) = (0, 0)
        for start in stride(from: 0, to: file.count, by: 1009) {
            piece.removeAll(headroom: headroom)
            piece.append(file.span.bytes.extracting(start..<min(start + 1009, file.count)))
            stream.exchange(&piece)
            while let item = try stream.next() {
                guard case .packet(let packet) = item else { continue }
                count += 1
                sum += stream.withBytes(of: packet) { $0.withUnsafeBytes { $0.reduce(0) { $0 + Int($1) } } }
            }
        }
        try stream.finish()
        #expect(count == 300)
        #expect(sum == 3000)
        #expect(stream.end == file.count)
        #expect(stream.reader.skippedBlocks == 300)
    }
}

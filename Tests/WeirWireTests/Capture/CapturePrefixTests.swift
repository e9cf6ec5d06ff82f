import Support
import Testing
import WeirWire

@Suite("Prefixes of captures", .tags(.slow))
struct CapturePrefixTests {
    /// The largest captures that are read in all their prefixes.
    private static let limit = 64 << 10

    /// Splits the captures among as many tasks as there are cases.
    @Test("Every prefix of every capture up to 64 KB is read as far as it is whole", .needsCorpus, arguments: 0..<4)
    func everyPrefix(part: Int) throws {
        var prefixes = 0
        for (index, file) in try Corpus.files().enumerated() where index % 4 == part {
            let bytes = try Corpus.read(file)
            guard bytes.count <= Self.limit else { continue }
            try readByteByByte(bytes, file)
            prefixes += bytes.count
        }
        #expect(prefixes > 1_000_000)
    }

    /// Feeds a capture byte by byte, and lets it end after each one: the reader stands where it would stand had the file
    /// been cut there, since what it has read before depends on the bytes before alone.
    private func readByteByByte(_ file: [UInt8], _ name: String) throws {
        var stream = CaptureStream(capacity: 16)
        var items = 0
        var ends = 0
        for index in file.indices {
            stream.append(file.span.bytes.extracting(index..<(index + 1)))
            var isNew = false
            while let item = try stream.next() {
                items += 1
                isNew = true
                if case .packet(let packet) = item { touch(packet, of: stream) }
            }
            let isWhole = (try? stream.finish()) != nil
            // Only where something ended can a file end.
            if isWhole { ends += 1 }
            if isNew, !isWhole { Issue.record("\(name): an item was given before byte \(index), its last one") }
        }
        let whole = Reading.items(file)
        #expect(whole.items.count == items, "\(name)")
        #expect(whole.error == nil, "\(name)")
        #expect(ends >= items, "\(name)")
    }

    /// Reads all that there is of a packet.
    private func touch(_ packet: CapturedPacket, of stream: borrowing CaptureStream) {
        _ = stream.metadata(of: packet)
        let sum = stream.withBytes(of: packet) { bytes in
            bytes.withUnsafeBytes { $0.reduce(0) { $0 &+ Int($1) } }
        }
        #expect(sum >= 0)
    }

    @Test(
        "Prefixes that are read from their start agree, around every end and every 61st",
        .needsCorpus,
        arguments: 0..<4
    )
    func fromTheStart(part: Int) throws {
        var prefixes = 0
        for (index, file) in try Corpus.files().enumerated() where index % 4 == part {
            let bytes = try Corpus.read(file)
            guard bytes.count <= Self.limit else { continue }
            let ends = try ends(of: bytes)
            var cuts = Set(stride(from: 0, to: bytes.count, by: 61))
            for end in ends.prefix(50) { cuts.formUnion([end - 1, end, end + 1].filter { 0...bytes.count ~= $0 }) }
            for cut in cuts {
                let summary = Reading.summary(Array(bytes[..<cut]))
                let isWhole = cut == bytes.count || ends.contains(cut)
                #expect((summary.error == nil) == isWhole, "\(file) cut at \(cut)")
                if case .malformed(let damage, _) = summary.error { Issue.record("\(file) cut at \(cut): \(damage)") }
            }
            prefixes += cuts.count
        }
        #expect(prefixes > 10_000)
    }

    /// Returns where a capture could end: after its header, and after each packet and block.
    private func ends(of file: [UInt8]) throws -> Set<Int> {
        var ends: Set<Int> = []
        var reader = CaptureReader()
        while try reader.next(in: file.span.bytes) != nil { ends.insert(reader.position) }
        return ends
    }
}

import WeirWire

/// Holds one item of a capture, apart from any window.
enum Item: Equatable {
    case packet(PacketMetadata, LinkType, [UInt8])
    case block(CaptureBlock)
}

/// Holds all items of a capture, and why there were no more.
struct Capture: Equatable {
    var items: [Item] = []
    var error: CaptureFileError?
}

extension Capture {
    /// Reads a capture as one mapped file.
    init(mapped file: [UInt8]) {
        var reader = CaptureReader()
        let window = file.span.bytes
        do throws(CaptureFileError) {
            while let item = try reader.next(in: window) {
                switch item {
                case .block(let block): items.append(.block(block))
                case .packet(let packet):
                    precondition(packet.range.upperBound <= reader.position, "a packet is in its block")
                    let bytes = window.extracting(packet.range).withUnsafeBytes { Array($0) }
                    items.append(.packet(reader.metadata(of: packet, in: window), packet.linkType, bytes))
                }
            }
            try reader.finish(at: file.count)
        } catch {
            self.error = error
        }
    }

    /// Reads a capture that comes in pieces of a size that changes.
    init(inPiecesOf size: Int, _ file: [UInt8]) {
        var stream = CaptureStream(capacity: 16)
        var offset = 0
        var size = size
        do throws(CaptureFileError) {
            while offset < file.count {
                let count = min(size, file.count - offset)
                stream.append(file.span.bytes.extracting(offset..<(offset + count)))
                offset += count
                size = size * 7 % 1009 + 1
                while let item = try stream.next() {
                    switch item {
                    case .block(let block): items.append(.block(block))
                    case .packet(let packet):
                        let bytes = stream.withBytes(of: packet) { bytes in bytes.withUnsafeBytes { Array($0) } }
                        items.append(.packet(stream.metadata(of: packet), packet.linkType, bytes))
                    }
                }
            }
            try stream.finish()
        } catch {
            self.error = error
        }
    }
}

/// Reads a file in both ways; they must agree, and every error must be inside the file and have its words.
func checkReading(_ file: [UInt8]) {
    let mapped = Capture(mapped: file)
    let inPieces = Capture(inPiecesOf: 1 + file.count % 61, file)
    precondition(mapped == inPieces, "in one piece and in several are not the same")
    guard let error = mapped.error else { return }
    precondition(error.offset >= 0 && error.offset <= file.count, "an error is in the file")
    precondition(!error.description.isEmpty, "an error has words")
}

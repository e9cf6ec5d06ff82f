import WeirWire

/// Holds what capinfos tells of a capture, too.
struct CaptureSummary: Equatable {
    var packets = 0
    var bytes = 0
    var earliest: Int64?
    var latest: Int64?
    /// Says that the time of every packet is known.
    var hasTimes = true
    var error: CaptureFileError?

    mutating func count(_ packet: CapturedPacket) {
        packets += 1
        bytes += packet.originalLength
        guard let time = packet.timestamp else { return hasTimes = false }
        earliest = min(earliest ?? time, time)
        latest = max(latest ?? time, time)
    }
}

/// Holds one item of a capture, apart from any window.
enum WholeItem: Hashable {
    case packet(PacketMetadata, LinkType, [UInt8])
    case block(CaptureBlock)
}

/// Holds all items of a capture, and why there were no more.
struct WholeCapture: Equatable {
    var items: [WholeItem] = []
    var error: CaptureFileError?
}

/// Reads captures in the ways there are.
enum Reading {
    /// Sums up a capture that is read as one mapped file.
    static func summary(_ file: [UInt8]) -> CaptureSummary {
        var summary = CaptureSummary()
        var reader = CaptureReader()
        do {
            while let item = try reader.next(in: file.span.bytes) {
                if case .packet(let packet) = item { summary.count(packet) }
            }
            try reader.finish(at: file.count)
        } catch {
            summary.error = error
        }
        return summary
    }

    /// Reads a capture as one mapped file.
    static func items(_ file: [UInt8]) -> WholeCapture {
        var capture = WholeCapture()
        var reader = CaptureReader()
        let window = file.span.bytes
        do {
            while let item = try reader.next(in: window) {
                switch item {
                case .block(let block): capture.items.append(.block(block))
                case .packet(let packet):
                    let bytes = window.extracting(packet.range).withUnsafeBytes { Array($0) }
                    let metadata = reader.metadata(of: packet, in: window)
                    capture.items.append(.packet(metadata, packet.linkType, bytes))
                }
            }
            try reader.finish(at: file.count)
        } catch {
            capture.error = error
        }
        return capture
    }

    /// Reads a capture that comes in pieces, whose sizes a closure gives by their number.
    static func items(_ file: [UInt8], pieces: (Int) -> Int) -> WholeCapture {
        var capture = WholeCapture()
        var stream = CaptureStream(capacity: 16)
        var offset = 0
        var number = 0
        do {
            while offset < file.count {
                let size = min(pieces(number), file.count - offset)
                stream.append(file.span.bytes.extracting(offset..<(offset + size)))
                offset += size
                number += 1
                while let item = try stream.next() { capture.items.append(whole(item, of: stream)) }
            }
            try stream.finish()
        } catch {
            capture.error = error
        }
        return capture
    }

    private static func whole(_ item: CaptureItem, of stream: borrowing CaptureStream) -> WholeItem {
        switch item {
        case .block(let block): return .block(block)
        case .packet(let packet):
            let bytes = stream.withBytes(of: packet) { bytes in bytes.withUnsafeBytes { Array($0) } }
            return .packet(stream.metadata(of: packet), packet.linkType, bytes)
        }
    }
}

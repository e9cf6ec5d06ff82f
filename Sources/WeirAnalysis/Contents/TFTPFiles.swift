public import WeirDissect
import WeirWire

/// A reader of the files that go over TFTP.
///
/// The server answers from another port than the one that was asked: whatever goes to the client's endpoint, or comes
/// from it, belongs to its transfer.
///
/// Source: RFC 1350; RFC 2347 and 2348 for the size of blocks.
public struct TFTPFiles: Sendable {
    private struct Transfer: Sendable {
        var file: TransferredFile
        var blockSize = 512
        /// The number of the next block.
        var next: UInt16 = 1
        var hasData = false
    }

    private var transfers: [Endpoint: Transfer] = [:]
    private static let limit = 4096
    /// The maximum number of blocks in a row that may be missing.
    private static let mostMissing: UInt16 = 1024

    /// A closure that receives a file, whole or at the end of the capture.
    public typealias Receiver = (TransferredFile) -> Void

    /// Creates a reader that knows no transfer.
    public init() {}

    /// Reads a packet that was already added to the flows.
    public mutating func add(_ bytes: RawSpan, in flows: borrowing CaptureFlows, to receiver: Receiver) {
        guard let place = flows.udp, let tuple = flows.packet.udp?.tuple else { return }
        flows.withPayload(.udp, of: bytes) {
            read($0, from: tuple.source, to: tuple.destination, place.index, receiver)
        }
    }

    /// Ends the reading: files without an end are received as they are.
    public mutating func finish(to receiver: Receiver) {
        for (_, transfer) in transfers.sorted(by: { $0.value.file.place < $1.value.file.place }) where transfer.hasData
        {
            receiver(transfer.file)
        }
        transfers = [:]
    }

    private mutating func read(
        _ bytes: RawSpan,
        from source: Endpoint,
        to target: Endpoint,
        _ place: Int,
        _ receiver: Receiver
    ) {
        guard bytes.byteCount >= 4, bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == 0 else { return }
        switch bytes.unsafeLoad(fromByteOffset: 1, as: UInt8.self) {
        case 1, 2: begin(bytes, source, place, receiver)
        case 3:
            // Data goes to the client that reads, or comes from the client that writes.
            if transfers[target]?.file.isUpload == false { data(bytes, of: target, receiver) }
            if transfers[source]?.file.isUpload == true { data(bytes, of: source, receiver) }
        case 6: if transfers[target] != nil { acknowledge(bytes, target) }
        default: break
        }
    }

    private mutating func begin(_ bytes: RawSpan, _ client: Endpoint, _ place: Int, _ receiver: Receiver) {
        let texts = Self.texts(bytes)
        guard texts.count >= 2, !texts[0].isEmpty, ["octet", "netascii", "mail"].contains(texts[1].lowercased()) else {
            return
        }
        let isUpload = bytes.unsafeLoad(fromByteOffset: 1, as: UInt8.self) == 2
        let file = TransferredFile(.tftp, place: place, name: texts[0], isUpload: isUpload)
        if let before = transfers[client] {
            // The request was sent again.
            if !before.hasData, before.file.name == file.name, before.file.isUpload == isUpload { return }
            if before.hasData { receiver(before.file) }
        }
        guard transfers[client] != nil || transfers.count < Self.limit else { return }
        transfers[client] = Transfer(file: file)
    }

    /// Takes the size of blocks on which both sides agree.
    private mutating func acknowledge(_ bytes: RawSpan, _ client: Endpoint) {
        let texts = Self.texts(bytes)
        for index in stride(from: 0, to: texts.count - 1, by: 2) where texts[index].lowercased() == "blksize" {
            if let size = Int(texts[index + 1]), (8...65_464).contains(size) { transfers[client]?.blockSize = size }
        }
    }

    private mutating func data(_ bytes: RawSpan, of client: Endpoint, _ receiver: Receiver) {
        guard var transfer = transfers.removeValue(forKey: client) else { return }
        defer { if !transfer.file.hasEnd { transfers[client] = transfer } }
        let block = UInt16(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 2, as: UInt16.self))
        let ahead = block &- transfer.next
        // A block that was sent again, or one that is too far away to be of this file.
        guard ahead < Self.mostMissing else { return }
        transfer.hasData = true
        if ahead > 0 { transfer.file.appendMissing(Int(ahead) * transfer.blockSize) }
        let content = bytes.extracting(droppingFirst: 4)
        // The answer with the size of blocks may not have been captured.
        transfer.blockSize = max(transfer.blockSize, content.byteCount)
        transfer.file.append(content)
        transfer.next = block &+ 1
        guard content.byteCount < transfer.blockSize else { return }
        transfer.file.hasEnd = true
        receiver(transfer.file)
    }

    /// Returns the texts after the first two bytes, each of which a zero ends.
    private static func texts(_ bytes: RawSpan) -> [String] {
        var texts: [String] = []
        var at = 2
        while texts.count < 16, let end = bytes.find(0, from: at) {
            texts.append(bytes.extracting(at..<end).withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
            at = end + 1
        }
        return texts
    }
}
